"""A program made ready for the probes: on the CPU, its two halves found, its second output understood."""

import time
from collections.abc import Callable

from vae_helpers.exercises.diagnosis.calling import BrokenError, ProbeError, for_a_copy, number_in
from vae_helpers.exercises.diagnosis.images import AnyTensor, Images, some_of
from vae_helpers.exercises.diagnosis.interface import TO_LOGVAR
from vae_helpers.exercises.diagnosis.kl import Kl, measure_kl
from vae_helpers.exercises.diagnosis.noise import Noise, measure_noise
from vae_helpers.exercises.diagnosis.places import Program, find_places
from vae_helpers.exercises.diagnosis.report import Finding, Notes
from vae_helpers.exercises.diagnosis.spy import Spy
from vae_helpers.exercises.diagnosis.weights import WRONG
from vae_helpers.models import copy_of

import torch
from torch import nn

BATCHES, FEW = (101, 67), (33, 21)  # odd numbers of images: no size of the usual nets
SLOW = 0.2  # seconds of a call, above which fewer images are looked at
MEANINGS = {
    "all elements of target should be between 0 and 1": "F.binary_cross_entropy wants pixels in [0, 1].",
    "all elements of input should be between 0 and 1": "the decoder's answer is no probability: a sigmoid is missing, "
    "or tanh stands in its place. Or use binary_cross_entropy_with_logits.",
    "one_hot": "labels are missing? Hand over train_data=(x, y).",
    "'y'": "labels are missing? Hand over train_data=(x, y).",
    "invalid values": "encode returned NaN or infinity, or a width that is not positive.",
    "mat1 and mat2 shapes": "a layer gets images of another shape than it was made for: flatten them, or not?",
}  # fmt: skip


def raised(name: str, error: Exception) -> Finding:
    """The loss, or the evaluation, raised."""
    text = str(error)[:200]
    meaning = next((m for words, m in MEANINGS.items() if words in text), "")
    return Finding(
        "pixels out of range" if "in [0, 1], " in text else "raised",
        f"{name} raised {type(error).__name__}: {text}",
        f"That is: {meaning}" if meaning else "",
        f"Call {name}(model, x) yourself on 101 images, floats in [0, 1]; hand over (x, y) if it needs labels.",
    )


class Ready:
    """A program, its images, and spies on it; raises what its loss raises."""

    def __init__(self, program: Program, images: Images, notes: Notes) -> None:
        self.program, self.images = program, images
        small = self._that_fits(some_of(images, 9, program.device))
        find_places(program, small)
        Spy(program, small)  # the first call is slower than the rest
        start = time.process_time()  # a busy machine's other work doesn't count
        Spy(program, small)
        self.batches = BATCHES if (time.process_time() - start) * 101 / 9 < SLOW else FEW
        if self.batches == FEW:
            notes.look(f"{FEW[0]} images only, as the model takes its time")
        self.own = self.spy(0, double=False)
        try:
            self.exact, self.other = self.spy(0), self.spy(1)
        except Exception:  # a loss or a layer that wants float32
            program.double = False
            self.exact, self.other = self.own, self.spy(1)
        for note in program.notes:
            notes.look(note)

    def spy(self, batch: int, *, double: bool = True, training: bool = True, still: bool = True) -> Spy:
        """A spy over the images of a batch."""
        images = self._flat(some_of(self.images, self.batches[batch], self.program.device))
        return Spy(self.program, images, training, double=double and self.program.double, still=still)

    def _flat(self, images: Images) -> Images:
        return (images[0].flatten(1), images[1]) if self.flatten else images

    def _that_fits(self, images: Images) -> Images:
        """Images as the loss takes them: as they are, or flat."""
        self.flatten = False
        try:
            _run(self.program, images)
        except BrokenError:
            raise
        except Exception:
            self.flatten = images[0].ndim > 2
            try:
                _run(self.program, self._flat(images))
            except Exception:
                self.flatten = False
                _run(self.program, images)
        return self._flat(images)


def _run(program: Program, images: Images) -> None:
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        result = program.returns(copy_of(program.model), images)
    number_in(result)


def program_of(
    model: nn.Module, loss: Callable | None, encode: object, decode: str | None, spread: str | None
) -> Program:
    """A program on the CPU, where no assertion on a GPU can end the process's use of it."""
    names = (encode,) if isinstance(encode, str) else tuple(encode or ())
    called = copy_of(loss).to("cpu") if isinstance(loss, nn.Module) else for_a_copy(loss, model)
    return Program(copy_of(model).to("cpu"), called, names, decode or "", "cpu", scale=spread or "log σ²")


def understood(ready: Ready, told: bool, notes: Notes) -> tuple[Noise | None, Kl | None]:
    """Noise and KL; and the meaning of encode's second answer, where another makes more sense of both."""
    program, best = ready.program, None
    options = [(program.scale, False)]
    if not told and ready.own.reading.scale is None and not ready.own.fixed:
        options += [(scale, False) for scale in TO_LOGVAR if scale != "log σ²"] + [("log σ²", True)]
    spies = ready.exact, ready.other, ready.own
    for scale, turned in options:
        for spy in dict.fromkeys(spies):
            _take(spy, scale, turned)
        aside = Notes()
        kl = _guarded(measure_kl, ready.exact, aside)
        if best and _sense(kl, None) + 1 <= best[0]:
            continue
        found = _guarded(measure_noise, ready.exact, aside), kl
        score = _sense(kl, found[0])
        if best is None or score > best[0]:
            best = (score, scale, turned, found, aside.not_seen)
        if score >= 3:
            break
    for spy in dict.fromkeys(spies):
        _take(spy, best[1], best[2])
    if best[1:3] != options[0]:
        what = "log σ² first, then μ" if best[2] else f"{best[1]}, not log σ²"
        notes.look(f"encode's answer, which seems to hold {what} (spread=… says so)")
    notes.not_seen += best[4]
    return best[3]


def _take(spy: Spy, scale: str, turned: bool) -> None:
    """Let a spy read encode's second answer in this way."""
    spy.program.scale, spy.program.turned = scale, turned
    if turned != (spy.reading.form == "turned"):
        spy.reading = spy.reading.turned()
    spy.mu, spy.logvar = _posterior(spy)


def _posterior(spy: Spy) -> tuple[AnyTensor, AnyTensor]:
    try:
        return spy.posterior_of(spy.own.encoded)
    except BrokenError:  # the logarithm of what is no σ
        return spy.mu, torch.zeros_like(spy.mu)


def _sense(kl: Kl | None, noise: Noise | None) -> int:
    """How much sense KL and noise make."""
    if kl is None:
        return -1
    right = 2 if kl.plain or kl.form == "several draws" else int(kl.form in WRONG)
    return right + (noise is not None and noise.kind == "gaussian")


def _guarded(measure: Callable, spy: Spy, notes: Notes) -> object:
    """A measurement; None, and the reason in the notes, where it can't be made."""
    try:
        return measure(spy)
    except ProbeError as error:
        notes.skip(str(error))
    except Exception as error:
        what = "how z is drawn" if measure is measure_noise else "the KL"
        notes.skip(f"{what}: under a probe's numbers something raised {type(error).__name__}: {str(error)[:120]}")
    return None
