"""What a reconstruction compares with: the image itself, or something else; and whether a decoder reaches it."""

from collections.abc import Iterator

from vae_helpers.exercises.diagnosis.calling import ProbeError
from vae_helpers.exercises.diagnosis.images import AnyTensor
from vae_helpers.exercises.diagnosis.places import first_tensor
from vae_helpers.exercises.diagnosis.reconstruction import Reconstruction, link_of
from vae_helpers.exercises.diagnosis.report import Finding, Question
from vae_helpers.exercises.diagnosis.spy import Spy

import torch

LINE = "Draw the target beside the image, for three of them, in the line before the reconstruction."


def _alike(a: AnyTensor, b: AnyTensor) -> float:
    """Correlation of two sets of pixels, 0 where one doesn't vary."""
    a, b = a.flatten() - a.mean(), b.flatten() - b.mean()
    size = a.norm() * b.norm()
    return (a @ b / size).item() if size > 0 else 0.0


def rearranged(x: AnyTensor) -> dict[str, AnyTensor]:
    """Images moved about in ways that a wrong view or axis makes, (images, pixels) each."""
    flat = x.flatten(1)
    found = {
        "that of the image before it in the batch": flat.roll(1, 0),
        "that of the next image in the batch": flat.roll(-1, 0),
        "that of the batch in reverse order": flat.flip(0),
        "mixed of the pixels of several images (a view or reshape after a transpose)": flat.T.reshape(flat.shape),
    }
    if x.ndim > 2:
        found |= {
            "mirrored left to right": x.flip(-1).flatten(1),
            "mirrored top to bottom": x.flip(-2).flatten(1),
            "turned upside down": x.flip(-1, -2).flatten(1),
            "the negative of it": 1 - flat,
        }
        if x.shape[-1] == x.shape[-2]:
            found["transposed, rows and columns exchanged"] = x.transpose(-1, -2).flatten(1)
    return found


def said_of_target(spy: Spy, found: Reconstruction) -> list[Finding]:
    """(findings, questions) about the target of a reconstruction of known form."""
    x, target = spy.images[0].double(), found.target
    seen = first_tensor(*spy.own.inputs[0])
    read = seen.double().flatten(1) if seen is not None and seen.numel() == target.numel() else None
    labels = spy.images[1]
    images = [x, labels.double()] if labels is not None and labels.shape == x.shape else [x]
    if any(_alike(target, i) > 0.9999 for i in images) or _binary_of(target, x):
        return []
    of_input = read is not None and _alike(target, read) > 0.9999
    if of_input:
        away = (target - x.flatten(1)).square().mean().sqrt().item()
        seen_text = (
            f"The target isn't the image that was handed over, but what encode is given: {away:.2f} away from it."
        )
        cause = "Corrupted to be mended (a denoising model)? Then the clean image is the target. Or is it augmentation?"
        return [Question("target = input", seen_text, cause, LINE)]
    for name, moved in rearranged(images[-1]).items():
        if _alike(target, moved) > 0.99:
            return [Finding("target", f"The target of an image is not itself but {name}.", "", LINE)]
    r = _alike(target, x)
    if r > 0.6:
        text = f"The target is a changed copy of the image (correlation {r:.2f}), and not what encode is given either."
        return [Question("target changed", text, "Noise on the target, or a crop?", LINE)]
    text = f"The target of an image has little to do with it (correlation {r:.2f})."
    return [Finding("target", text, "Another tensor, or pixels in another order.", LINE)]


def _binary_of(target: AnyTensor, x: AnyTensor) -> bool:
    """Images binarized at random, or by a threshold."""
    binary = (target - target.round()).abs().max() < 0.01 and target.min() > -0.01 and target.max() < 1.01
    return bool(binary) and _alike(target, x) > 0.5


def cheapest(spy: Spy) -> list[Finding]:
    """For other reconstructions: whether any picture is cheaper than the image itself."""
    x, one = spy.images[0], spy.one_picture()
    if x[0].numel() != one.numel() or spy.lead != 1 or len(spy.own.codes) != 1 or spy.picture.shape[0] != spy.n:
        return []
    others = {
        "another image": x.roll(1, 0),
        "the mean image": x.mean(0).expand_as(x),
        "a black image": torch.full_like(x, x.min()),
        "a white image": torch.full_like(x, x.max()),
    }
    if x.ndim == 4 and x.shape[-1] == x.shape[-2]:
        others["the transposed image"] = x.transpose(-1, -2)
    itself = _cost(spy, x)
    costs = {name: _cost(spy, other) for name, other in others.items()}
    name = min(costs, key=costs.get)
    spread = max(abs(itself), *(abs(c) for c in costs.values()))
    if costs[name] >= itself - 1e-3 * spread:
        return []
    text = f"The image itself is not a decoder's cheapest answer: it costs {itself:.4g}, and {name} {costs[name]:.4g}."
    return [Finding("target", text, "A sign or a bracket in the reconstruction, or another target.", LINE)]


def _cost(spy: Spy, pixels: AnyTensor) -> float:
    mu, costs = torch.zeros_like(spy.mu), []
    for answer in link_of("", pixels):
        try:
            costs.append(spy.call((mu, mu - 1), answer.reshape(spy.picture.shape)).total.item())
        except (ProbeError, RuntimeError, ValueError):
            continue  # a log of what is no probability
    if not costs:
        raise ProbeError("whether the image itself is the cheapest answer: the loss takes no image as an answer.")
    return min(costs)


def end_of(reach: tuple[float, float]) -> tuple[str, tuple[float, float]]:
    """What a decoder ends in, by the values that it reaches for codes far out, and its range; "" where that is open."""
    low, high = reach
    if low >= -1e-4 and high <= 1.0001 and (low < 0.05 or high > 0.95):
        return "ends in a sigmoid, between 0 and 1", (0.0, 1.0)
    if low >= -1.0001 and high <= 1.0001 and max(-low, high) > 0.95:
        return "ends in a tanh, between −1 and 1", (-1.0, 1.0)
    if low >= 0:
        return "is never negative (a ReLU or softplus at its end?)", (0.0, float("inf"))
    return "", (-float("inf"), float("inf"))


def said_of_range(spy: Spy, found: Reconstruction, reach: tuple[float, float]) -> Iterator[Finding]:
    """Findings and questions about the pixels' range and the decoder's."""
    x = spy.images[0] if found.target is None else found.target
    low, high = x.min().item(), x.max().item()
    if found.form == "sigmoid twice":
        yield Finding(
            "sigmoid twice",
            "The loss treats probabilities as logits: it takes the sigmoid of a sigmoid. No pixel falls below ½.",
            "A sigmoid at the decoder's end (or in the loss) comes before binary_cross_entropy_with_logits.",
            f"A black image costs at least {spy.pixels} · ln 2 = {spy.pixels * 0.6931:.0f} nats, "
            "far above the mean image's level. Drop the sigmoid.",
        )
    if ("bernoulli" in found.form or found.form == "sigmoid twice") and (low < -1e-3 or high > 1 + 1e-3):
        yield Finding(
            "pixels out of range",
            f"The pixels run from {low:.2g} to {high:.2g}, and the loss is a cross-entropy, which wants [0, 1].",
            "The images were standardised (transforms.Normalize?) or not divided by 255.",
            "Outside [0, 1] a cross-entropy falls without end: look for a negative reconstruction.",
        )
    elif "bernoulli" not in found.form and found.form != "sigmoid twice":
        yield from _said_of_reach(found, reach, low, high)


def _said_of_reach(found: Reconstruction, reach: tuple[float, float], low: float, high: float) -> Iterator[Finding]:
    """Whether a decoder can reach pixels from low to high."""
    if found.form in ("square of sigmoid", "square of tanh"):
        reach = (0.0 if "sigmoid" in found.form else -1.0, 1.0)
    ends, (least, most) = end_of(reach)
    margin = 0.02 * (high - low) + 0.02
    if ends and (low < least - margin or high > most + margin):
        yield Finding(
            "range",
            f"The decoder's answer {ends}, and the pixels run from {low:.2g} to {high:.2g}: it can't reach them all.",
            "The images are scaled otherwise than the decoder's last layer believes (transforms.Normalize? / 255?).",
            "Print x.min(), x.max() and the same of a reconstruction.",
        )
    elif "tanh" in ends and low > -1e-3:
        yield Question(
            "range",
            f"The decoder ends in a tanh, between −1 and 1, and the pixels run from {low:.2g} to {high:.2g}.",
            "Half of its range is of no use; black lies where tanh is steepest, not at its end.",
            "A sigmoid fits [0, 1]; or scale the images to [−1, 1], in training and test alike.",
        )
    if high > 10:
        yield Question(
            "pixels to 255",
            f"The pixels run to {high:.3g}: a squared error of them is {high**2:.2g} times that of pixels in [0, 1].",
            "The KL hardly counts beside it. Not divided by 255?",
        )


def said_of_sets(x: AnyTensor, test: AnyTensor) -> list[Finding]:
    """Training and test images that are scaled differently."""
    (low, high), (a, b) = ((t[:2000].amin().item(), t[:2000].amax().item()) for t in (x, test))
    size = max(high - low, 1e-9)
    if abs(b - a - size) < 0.3 * size and abs(a - low) < 0.3 * size:
        return []
    text = f"Training pixels run from {low:.2g} to {high:.2g}, test pixels from {a:.2g} to {b:.2g}."
    return [Finding("unlike sets", text, "One of the two is scaled otherwise (/ 255, Normalize).", "")]
