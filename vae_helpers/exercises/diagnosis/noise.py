"""How a loss draws z for a known μ and log σ², whether gradients pass through it, and what to say about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from vae_helpers.exercises.diagnosis.calling import ProbeError
from vae_helpers.exercises.diagnosis.images import AnyTensor
from vae_helpers.exercises.diagnosis.report import Finding
from vae_helpers.exercises.diagnosis.spy import Spy, draws_in

import torch

LEVELS = (-2.0, -1.0, 0.7)  # of log σ², at which the noise is measured
ENOUGH, AT_MOST = 4000, 40  # entries of z, and calls, for a measurement
TOO_NARROW = -20.0  # log σ², at which a draw is its mean but for the last digits


@dataclass(frozen=True)
class Noise:
    """How z was drawn. kind: "gaussian", "none" (z is μ), or what is wrong with it. widths: of z − μ, at LEVELS."""

    kind: str
    mean: float = 0.0
    widths: tuple[float, ...] = ()
    reaches_mu: bool = True
    reaches_logvar: bool = True


def measure_noise(spy: Spy) -> Noise | None:
    """The noise in z; None where the codes can't be matched with the images."""
    if spy.reading.drawn:
        return _of_own_draws(spy)
    if spy.fixed and spy.logvar.max() < TOO_NARROW:
        raise ProbeError(f"how z is drawn: log σ² is {spy.logvar.max():.3g} for every image, too narrow to see.")
    levels, answer = torch.tensor(LEVELS).to(spy.mu), spy.one_picture()
    eps, groups, reaches, so_far = [], [], (True, True), 0
    for seed in range(AT_MOST):
        generator = torch.Generator().manual_seed(1000 + seed)
        mu = torch.randn(spy.mu.shape, generator=generator).to(spy.mu).requires_grad_()
        group = torch.randint(len(LEVELS), spy.mu.shape, generator=generator)
        logvar = (spy.logvar.clone() if spy.fixed else levels[group]).requires_grad_()
        drawn = draws_in(spy.call((mu, logvar), answer, seed=seed).codes, mu)
        if drawn is None:
            return None
        gap = drawn[0] - mu.flatten(1)
        if seed == 0 and gap.abs().max() < 1e-5:
            return Noise("none", reaches_mu=_reaches(drawn[0], mu))
        if seed == 0:
            reaches = _reaches(drawn[0], mu), spy.fixed or _reaches(drawn[0], logvar)
        eps.append(gap.detach().double().cpu())
        groups.append(group.flatten(1).expand(gap.shape))
        so_far += gap.numel()
        if so_far >= ENOUGH:
            break
    found = torch.cat(eps, 1), torch.cat(groups, 1)
    return _at_one_level(found[0], spy, reaches) if spy.fixed else _described(*found, reaches)


def _reaches(z: AnyTensor, source: AnyTensor) -> bool:
    if not z.requires_grad:
        return False
    gradient = torch.autograd.grad(z.sum(), source, retain_graph=True, allow_unused=True)[0]
    return gradient is not None and bool(gradient.any())


def _shape_of(eps: AnyTensor) -> str:
    """What is wrong with noise that should be N(0, 1), its width apart."""
    if eps.min() > -1e-4 and eps.max() < 1 + 1e-4:
        return "uniform noise"
    if (eps[:, 1:] * eps[:, :-1]).mean() > 0.5:
        return "one noise for all"
    return ""


def _described(noise: AnyTensor, group: AnyTensor, reaches: tuple[bool, bool]) -> Noise:
    """The kind of the noise z − μ, whose log σ² is LEVELS[group]."""
    widths = tuple(noise[group == k].std().item() for k in range(len(LEVELS)))
    right = torch.tensor(LEVELS).mul(0.5).exp().double()
    eps = noise / right[group]
    margin = 6 / eps.numel() ** 0.5
    kind = _shape_of(eps) or "gaussian"
    if kind == "gaussian" and _close(widths, torch.tensor(LEVELS).exp(), margin):
        kind = "σ² used as σ"
    elif kind == "gaussian" and not _close(widths, right, margin):
        kind = "noise of another width"
    elif kind == "gaussian" and abs(eps.mean()) > margin:
        kind = "noise off centre"
    return Noise(kind, eps.mean().item(), widths, *reaches)


def _at_one_level(noise: AnyTensor, spy: Spy, reaches: tuple[bool, bool]) -> Noise:
    """The same where the encoder's log σ² is one number."""
    width = noise.std().item()
    right = [(spy.logvar.flatten()[0].item() / 2,), (0.0,)]  # that number taken for log σ², or not used at all
    usual = any(_close((width,), torch.tensor(r).exp(), 6 / noise.numel() ** 0.5) for r in right)
    return Noise(_shape_of(noise / width) or ("gaussian" if usual else "fixed width"), 0.0, (width,), *reaches)


def _of_own_draws(spy: Spy) -> Noise | None:
    """Where the encoder draws z itself: its own draws beside its own μ and log σ²."""
    eps = []
    for seed in range(AT_MOST):
        call = spy.call(seed=seed)
        mu, logvar = spy.posterior_of(call.encoded)
        drawn = draws_in(call.codes, mu)
        if drawn is None:
            return None
        eps.append(((drawn[0] - mu.flatten(1)) / (logvar.flatten(1) / 2).exp()).detach().double().cpu())
        if sum(e.numel() for e in eps) >= ENOUGH:
            break
    eps = torch.cat(eps, 1)
    if eps.abs().max() < 1e-4:
        return Noise("none")
    width = eps.std().item()
    usual = abs(width - 1) < 0.02 + 12 / eps.numel() ** 0.5
    kind = _shape_of(eps) or ("gaussian" if usual else "noise of its own width")
    return Noise(kind, eps.mean().item(), (width,))


def _close(widths: tuple[float, ...], expected: AnyTensor, margin: float) -> bool:
    return all(abs(w / e - 1) < 2 * margin + 0.02 for w, e in zip(widths, expected.tolist(), strict=True))


RIGHT = "The standard deviation of (z − μ)/exp(0.5 · logvar) must be 1."


def _texts(found: Noise) -> dict[str, tuple[str, ...]]:
    """What is said of each kind."""
    width = ", ".join(f"{w:.2f}" for w in found.widths)
    spreads = f"At log σ² = −2, −1 and 0.7, z spreads by {width} around μ; σ is 0.37, 0.61 and 1.42."
    return {
        "none": (
            "no noise",
            "decode is given μ itself: no noise is drawn, and the clouds' widths have no effect on the picture.",
            "Probably the line z = mu + sigma * eps is missing, or its result isn't used.",
            "Call the loss twice: it returns the same number to the last digit.",
        ),
        "uniform noise": (
            f"(z − μ)/σ lies between 0 and 1, with mean {found.mean:.2f}.",
            "ε is uniform: rand_like where randn_like belongs. Every z lies above its μ.",
            "The mean of (z − μ)/σ over many images must be 0, its standard deviation 1.",
        ),
        "one noise for all": (
            "(z − μ)/σ is the same for all images.",
            "One ε serves the whole batch.",
            "Draw ε in the shape of mu: torch.randn_like(mu).",
        ),
        "σ² used as σ": (spreads, "exp(logvar) stands where σ belongs. It is σ²: σ is exp(0.5 · logvar).", RIGHT),
        "noise of another width": (
            spreads,
            "ε is multiplied by something that is not σ = exp(0.5 · logvar), or is not of variance 1.",
            RIGHT,
        ),
        "noise of its own width": (
            f"(z − μ)/σ spreads by {width}, not by 1.",
            "ε is multiplied by something else.",
            RIGHT,
        ),
        "noise off centre": (
            f"(z − μ)/σ has mean {found.mean:.2f}, not 0.",
            "ε is not drawn from N(0, 1), or something is added to z.",
            "The mean of (z − μ)/σ over many images must be 0.",
        ),
    }


def said_of_noise(found: Noise) -> Iterator[Finding]:
    """What is wrong with z."""
    texts = _texts(found)
    if found.kind in texts:
        text = texts[found.kind]
        yield Finding(*text) if len(text) == 4 else Finding(found.kind, *text)
    if found.kind != "none" and not (found.reaches_mu and found.reaches_logvar):
        lost = " and ".join(n for n, ok in (("μ", found.reaches_mu), ("log σ²", found.reaches_logvar)) if not ok)
        yield Finding(
            "no gradient",
            f"No gradient flows from z back to {lost}.",
            "The graph is cut: .sample() in place of .rsample(), .detach(), .data, no_grad, or numpy.",
            "z.sum().backward() must leave a gradient in the encoder's last layer.",
        )
