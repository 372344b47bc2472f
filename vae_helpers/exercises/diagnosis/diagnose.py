"""``diagnose_vae``: a handful of cheap probes on anybody's VAE, and what they found, in plain words."""

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

from vae_helpers.data import to_float
from vae_helpers.exercises.diagnosis import findings as say
from vae_helpers.exercises.diagnosis.findings import Finding
from vae_helpers.exercises.diagnosis.probes import (
    UNEVEN,
    draws_probabilities,
    measure_noise,
    weigh_kl,
    weigh_reconstruction,
)
from vae_helpers.exercises.diagnosis.spy import AnyTensor, ProbeError, Spy, images_and_labels, some_images
from vae_helpers.losses import kl_to_standard_normal
from vae_helpers.validation import PositiveInt, tensors, validated

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor, nn

COLLAPSED = 1e-4  # nats of KL per latent dimension, below which the codes say nothing; an untrained net has more


@dataclass(frozen=True)
class Diagnosis:
    """What ``diagnose_vae`` found; shown at the end of a cell. Finding nothing is no proof that nothing is wrong.

    findings: each with what was seen, what probably causes it, how to check. looked_at, not_seen: which probes ran,
    and which could not, with the reason.
    """

    findings: tuple[Finding, ...]
    looked_at: tuple[str, ...] = ()
    not_seen: tuple[str, ...] = ()

    def __repr__(self) -> str:
        found = [f"✗ {finding}" for finding in self.findings]
        if not found:
            found = ["○ Nothing found. That is no proof: these probes know the frequent mistakes only."]
        lines = [*found, f"Looked at: {', '.join(self.looked_at) or 'nothing'}."]
        lines += [f"Not looked at: {reason}" for reason in self.not_seen]
        return "\n".join(textwrap.fill(line, 88, subsequent_indent="  ") for line in lines)


def diagnose_vae(
    model: object,
    loss: Callable,
    train_data: object,
    test_data: object = None,
    *,
    evaluate: Callable | None = None,
) -> Diagnosis:
    """Probe a VAE and its loss for the frequent mistakes, in a second or two; see notebook 09.

    model: any module with encode(x) → (mu, logvar), each (batch, d), and decode(z). loss(model, x) or (model, x, y) → a
    ``Loss``, a number, or a tuple with the total in front; it must use the model it is handed. evaluate: the same, for
    what you report on test images. train_data, test_data: images (n, …), uint8 or floats, a pair (x, y), or a loader.
    Works on a copy: model, mode, gradients and random state stay as they are. What the model or loss does wrong,
    raising included, becomes a finding; TypeError or ValueError for data that are no images.
    """
    x, y = images_and_labels(train_data, "train_data")
    test = None if test_data is None else images_and_labels(test_data, "test_data")[0]
    notes = _Notes()
    if test is None:
        notes.not_seen.append("whether test images are training images (no test_data given).")
    else:
        notes.looked_at.append("test images among the training images")
        notes.findings += _twins(x, test)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.no_grad():
        notes.findings += _of_program(model, loss, x, y, notes)
        if evaluate is not None:
            notes.findings += _of_evaluation(model, evaluate, x, y, notes)
    return Diagnosis(tuple(notes.findings), tuple(dict.fromkeys(notes.looked_at)), tuple(notes.not_seen))


class _Notes:
    """The report while it is being written."""

    def __init__(self) -> None:
        self.findings, self.looked_at, self.not_seen = [], [], []

    def found(self, kind: str) -> bool:
        """Whether there is a finding of this kind already."""
        return any(finding.kind == kind for finding in self.findings)


def _spy_on(model: object, loss: Callable, x: AnyTensor, y: AnyTensor | None, name: str) -> tuple[Spy | None, list]:
    """A spy that has called the loss once as it stands; or None, and why."""
    lacking = [method for method in ("encode", "decode") if not callable(getattr(model, method, None))]
    if lacking or not isinstance(model, nn.Module):
        return None, [say.no_methods(model, lacking)]
    device = next((p.device for p in model.parameters()), x.device)
    try:
        spy = Spy(model, some_images(x, y, device))
        spy.value(loss)
    except ProbeError as error:
        return None, [say.broken_answer(str(error))]
    except Exception as error:
        return None, [say.raised_error(name, error)]
    return spy, []


def _of_program(model: object, loss: Callable, x: AnyTensor, y: AnyTensor | None, notes: _Notes) -> list[Finding]:
    if to_float(x[:1000]).isnan().any():
        return [say.broken_answer("The images hold NaN, and every loss of them is NaN. Drop or mend them.")]
    spy, problems = _spy_on(model, loss, x, y, "loss")
    if spy is None:
        return problems
    if not spy.codes or spy.encoded is None:
        notes.not_seen.append("the loss's parts: it doesn't call encode and decode of the model that it is handed.")
        return []
    notes.findings += _guarded(_noise, spy, loss, notes)
    notes.findings += _guarded(_weights, spy, loss, notes, y)
    return _collapse(spy, notes)


def _guarded(probe: Callable, spy: Spy, loss: Callable, notes: _Notes, *more: object) -> list[Finding]:
    """What a probe found; a loss that breaks under the probe's unusual numbers is noted, no traceback."""
    found = []
    try:
        found.extend(probe(spy, loss, notes, *more))  # what was found before it broke stays
    except Exception as error:
        kind = f"{type(error).__name__}: {str(error)[:120]}"
        notes.not_seen.append(f"{probe.__name__.strip('_')}: under a probe's numbers the loss raised {kind}")
    spy.tell(None)
    return found


def _noise(spy: Spy, loss: Callable, notes: _Notes) -> Iterator[Finding]:
    noise = measure_noise(spy, loss)
    if noise is None:
        notes.not_seen.append("how z is drawn: decode isn't given one code per image.")
        return
    notes.looked_at += ["how z is drawn", "whether gradients reach the encoder through z"]
    if noise.kind != "gaussian":
        yield say.wrong_noise(noise)
    if noise.kind != "none" and not (noise.reaches_mu and noise.reaches_logvar):
        yield say.no_gradient(noise)


def _weights(spy: Spy, loss: Callable, notes: _Notes, y: AnyTensor | None) -> Iterator[Finding]:
    kl, asymmetry = weigh_kl(spy, loss)
    notes.looked_at.append("the KL's form")
    if kl.form != "closed" and not (kl.form == "" and notes.found("no noise")):  # both at once: closed expectations
        yield say.wrong_kl(kl)
    elif asymmetry > UNEVEN and y is None:
        yield say.prior_elsewhere()
    if not isinstance(spy.output, Tensor):
        notes.not_seen.append("the reconstruction: decode doesn't return one tensor.")
        return
    reconstruction = weigh_reconstruction(spy, loss, draws_probabilities(spy, loss))
    if reconstruction.form in ("", "missing"):
        notes.not_seen.append("the KL's weight: the reconstruction is neither a cross-entropy nor a squared error.")
        return
    notes.looked_at += ["the range of the decoder's output", "the weight of the KL"]
    yield from say.wrong_reconstruction(reconstruction, spy.images[0])
    if kl.form == "closed":
        sizes = {"pixels": spy.images[0][0].numel(), "d": spy.encoded[0].shape[1], "batch": len(spy.images[0])}
        yield from say.wrong_weight(kl, reconstruction, sizes)


def _collapse(spy: Spy, notes: _Notes) -> list[Finding]:
    """Whether the model's own codes say anything."""
    mu, logvar = spy.encoded
    notes.looked_at.append("collapse")
    kl = kl_to_standard_normal(mu, logvar).mean().item()
    return [say.collapsed_codes(kl)] if kl < COLLAPSED * mu.shape[1] else []


def _of_evaluation(
    model: nn.Module, evaluate: Callable, x: AnyTensor, y: AnyTensor | None, notes: _Notes
) -> list[Finding]:
    spy, problems = _spy_on(model, evaluate, x, y, "evaluate")
    if spy is None:
        return problems
    notes.looked_at.append("how z is drawn at evaluation")
    try:
        noise = measure_noise(spy, evaluate)
    except Exception as error:
        return [say.raised_error("evaluate", error)]
    if noise is None:
        notes.not_seen.append("how z is drawn at evaluation: decode isn't given one code per image.")
        return []
    return [say.mean_at_evaluation()] if noise.kind == "none" else []


def _twins(x: AnyTensor, test: AnyTensor) -> list[Finding]:
    if x.shape[1:] != test.shape[1:]:
        shapes = f"{tuple(x.shape[1:])} and {tuple(test.shape[1:])}"
        raise ValueError(f"train_data and test_data must hold images of one shape, got {shapes}.")
    share = share_of_twins(x, test)
    return [say.twins_found(share)] if share > 0.01 else []


@validated
def share_of_twins(
    x: Annotated[Shaped[Tensor, " n_train *pixels"], tensors.something],
    test: Annotated[Shaped[Tensor, " n_test *pixels"], tensors.something],
    n: PositiveInt = 2000,
) -> float:
    """Share of up to n test images, spread evenly, that occur pixel by pixel among the training images x."""
    some = test[torch.linspace(0, len(test) - 1, min(n, len(test)), device=test.device).round().long()]
    known, asked = (_fingerprints(t, x.dtype == test.dtype) for t in (x, some))
    return torch.isin(asked.cpu(), known.cpu()).double().mean().item()


def _fingerprints(images: Shaped[Tensor, " n ..."], as_they_are: bool) -> Int64[Tensor, " n"]:
    """A whole number for each image: the same for the same pixels, and hardly ever for others."""
    weights = torch.randint(1, 2**40, (images[0].numel(),), generator=torch.Generator().manual_seed(0))
    weights, prints = weights.to(images.device), torch.empty(len(images), dtype=torch.int64, device=images.device)
    for part, into in zip(images.split(500), prints.split(500), strict=True):  # in parts: whole numbers take 8 bytes
        flat = part.flatten(1) if as_they_are else to_float(part).flatten(1)
        whole = flat.float().contiguous().view(torch.int32) if flat.is_floating_point() else flat
        into.copy_((whole * weights).sum(1))
    return prints
