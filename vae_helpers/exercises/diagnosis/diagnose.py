"""``diagnose_vae``: a handful of cheap probes on anybody's VAE, and what they found, in plain words."""

import gc
from collections.abc import Callable, Iterable, Sequence

from vae_helpers.data import to_float
from vae_helpers.data.devices import new_tensors_on
from vae_helpers.exercises.diagnosis import halves, modes, targets, weights
from vae_helpers.exercises.diagnosis.calling import BrokenError, ProbeError
from vae_helpers.exercises.diagnosis.images import Images, images_and_labels, twins
from vae_helpers.exercises.diagnosis.kl import Kl, measure_kl
from vae_helpers.exercises.diagnosis.level import said_of_codes
from vae_helpers.exercises.diagnosis.noise import Noise, said_of_noise
from vae_helpers.exercises.diagnosis.reading import Ready, program_of, raised, understood
from vae_helpers.exercises.diagnosis.reconstruction import Reconstruction, measure_reconstruction, reach_of
from vae_helpers.exercises.diagnosis.report import Diagnosis, Finding, Notes, Question
from vae_helpers.exercises.diagnosis.spy import Spy

import torch
from torch import nn

IN_CLOSED_FORM = ("unknown", "other", "prior per image", "learned prior")  # what an expectation's terms may look like
SPREADS = {"logvar": "log σ²", "log_sigma": "log σ", "sigma": "σ", "variance": "σ²"}


def diagnose_vae(
    model: object,
    loss: Callable | None,
    train_data: object,
    test_data: object = None,
    *,
    evaluate: Callable | None = None,
    encode: str | Sequence[str] | None = None,
    decode: str | None = None,
    spread: str | None = None,
) -> Diagnosis:
    """Probe a VAE and its loss for the frequent mistakes, in a second or two; see notebook 09.

    model: any module. loss(model, x) or (model, x, y) → a ``Loss``, a number, a dict with "loss", or a tuple with the
    total in front; it must use the model it is handed. None: the model itself returns it. evaluate: the same, for what
    you report on test images. train_data, test_data: images (n, …), uint8 or floats, a pair (x, y), a data set, or a
    loader. encode, decode: the names of the two halves, where they aren't found: of methods or parts of the model;
    encode=(of μ, of log σ²) names two layers. spread: what encode returns beside μ, "logvar", "log_sigma", "sigma" or
    "variance"; None: whatever makes sense of the noise and the KL.
    Works on a copy, on the CPU: model, mode, gradients and random state stay as they are. What is wrong becomes a
    finding, what may be meant a question; TypeError or ValueError for data that are no images.
    """
    theirs = torch.get_default_device()
    with new_tensors_on("cpu"), torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.enable_grad():
        images = images_and_labels(train_data, "train_data")
        if spread is not None and spread not in SPREADS:
            raise ValueError(f"spread must be one of {', '.join(SPREADS)}, got {spread!r}.")
        notes = Notes()
        _look_at_sets(images, test_data, notes)
        if not isinstance(model, nn.Module):
            notes.say(Finding("no model", f"The model is a {type(model).__name__}, not a torch.nn.Module."))
            return notes.report()
        ready = _ready(model, loss, images, (encode, decode, SPREADS.get(spread)), theirs, notes)
        if ready:
            _look(ready, notes, told=spread is not None)
        if ready and evaluate is not None:
            _look_at_evaluation(ready, evaluate, notes)
    del ready
    gc.collect()  # spies and their calls hold each other, and tens of megabytes
    return notes.report()


def _look_at_sets(images: Images, test_data: object, notes: Notes) -> None:
    """Test images beside training images."""
    if test_data is None:
        notes.skip("whether test images are training images (no test_data given).")
        return
    test = images_and_labels(test_data, "test_data")[0]
    notes.look("test images among the training images")
    notes.say(*twins(images[0], test), *targets.said_of_sets(to_float(images[0][:2000]), to_float(test[:2000])))


def _ready(
    model: nn.Module, loss: Callable | None, images: Images, names: tuple, theirs: torch.device, notes: Notes
) -> Ready | None:
    """The program ready to be probed, on the CPU or, with their own default device, where their model is.

    None, and the reason in the notes, where neither can be.
    """
    if to_float(images[0][:1000]).isnan().any():
        notes.say(Finding("broken", "The images hold NaN, and every loss of them is NaN. Drop or mend them."))
        return None
    for device in dict.fromkeys(("cpu", next((p.device for p in model.parameters()), "cpu"))):
        program = program_of(model, loss, *names)
        program.device, program.default = device, "cpu" if device == "cpu" else theirs
        program.model.to(device)
        try:
            return Ready(program, images, notes)
        except BrokenError as error:
            notes.say(Finding("broken", str(error)))
            return None
        except ProbeError as error:
            notes.skip(str(error))
            return None
        except Exception as error:
            problem = error
    notes.say(raised("loss", problem))
    return None


def _try(notes: Notes, what: str, probe: Callable, *args: object) -> object:
    """What a probe returns; one that fails is noted, and nobody blamed."""
    try:
        found = probe(*args)
        found = found if not isinstance(found, Iterable) or isinstance(found, tuple) else list(found)
    except ProbeError as error:
        notes.skip(str(error))
    except Exception as error:
        kind = f"{type(error).__name__}: {str(error)[:120]}"
        notes.skip(f"{what}: my probe, not your code, failed: under its numbers something raised {kind}")
    else:
        notes.look(what)
        return found
    return None


def _look(ready: Ready, notes: Notes, told: bool) -> None:
    """All probes of the loss and the model."""
    noise, kl = understood(ready, told, notes)
    exact, own = ready.exact, ready.own
    labels = ready.images[1] is not None
    if noise:
        notes.look("how z is drawn", "whether gradients reach the encoder through z")
    _of_noise_and_kl(noise, kl, exact, labels, notes)
    reach = _try(notes, "the range of the decoder's output", reach_of, own)
    rec = reach and _try(notes, "the reconstruction", measure_reconstruction, exact, reach)
    if rec:
        _of_reconstruction(rec, reach, exact, notes)
    if kl and rec and rec.weight and (kl.plain or kl.form == "several draws") and kl.form != "capacity":
        notes.say(*(_try(notes, "the weight of the KL", _weights, ready, kl, rec, reach) or []))
    if not notes.has("plain autoencoder"):
        notes.say(*(_try(notes, "what μ and log σ² can be", halves.said_of_heads, own) or []))
    notes.say(*(_try(notes, "whether the picture depends on z alone", halves.said_of_bypass, own) or []))
    if labels:
        notes.say(*(_try(notes, "labels", halves.said_of_labels, own) or []))
        notes.say(*(_try(notes, "labels beside images", halves.said_of_classes, *ready.images) or []))
    if not notes.has("sign of the loss", "sign of the reconstruction", "KL sign", "pixels out of range", "target"):
        notes.say(*(_try(notes, "whether it is better than one picture", modes.said_of_training, ready) or []))
    notes.say(*(_try(notes, "collapse", said_of_codes, own.mu, own.logvar) or []))
    notes.say(*(_try(notes, "evaluation mode", modes.said_in_evaluation, ready, noise, kl) or []))
    notes.say(*modes.said_of_bytes(ready))


def _of_noise_and_kl(noise: Noise | None, kl: Kl | None, spy: Spy, labels: bool, notes: Notes) -> None:
    silent = noise is not None and noise.kind == "none"
    if silent and kl and kl.form == "missing":
        text = (
            "Nothing is drawn and no KL is there: a plain autoencoder. Its codes follow no prior, and can't be drawn."
        )
        notes.say(Question("plain autoencoder", text))
        return
    if spy.fixed and kl and kl.form in ("only mu", "missing"):
        text = "log σ² is one number for every image, and has no part in the KL: clouds of one fixed width."
        notes.say(Question("fixed width", text, "A reduced VAE, whose KL is ½ μ²?"))
        kl = Kl("closed") if kl.form == "only mu" else kl
    in_closed_form = silent and kl is not None and kl.form in IN_CLOSED_FORM
    if in_closed_form:
        text = "decode is given μ itself, and log σ² matters all the same: an expectation taken in closed form?"
        notes.say(Question("no noise", text, "Else the line z = mu + sigma * eps is missing."))
    elif noise:
        notes.say(*said_of_noise(noise))
    else:
        notes.skip("how z is drawn: decode isn't given one code per image.")
    if kl and not in_closed_form:
        notes.look("the KL's form")
        notes.say(*weights.said_of_kl(kl, labels))


def _of_reconstruction(rec: Reconstruction, reach: tuple[float, float], spy: Spy, notes: Notes) -> None:
    if rec.weight >= 0:
        notes.say(*(_try(notes, "the range of the pixels", targets.said_of_range, spy, rec, reach) or []))
    if rec.form == "missing":
        notes.say(
            Finding("no reconstruction", "The loss doesn't change with the decoder's picture, or sends it no gradient.")
        )
    elif rec.target is not None and rec.target.shape == spy.images[0].flatten(1).shape:
        found = _try(notes, "the target", targets.said_of_target, spy, rec)
        notes.say(*(found or []))
    elif rec.target is None:
        notes.say(*(_try(notes, "whether the image itself is the cheapest answer", targets.cheapest, spy) or []))
        notes.skip("the KL's weight: the reconstruction is neither a cross-entropy nor a squared error.")


def _weights(ready: Ready, kl: Kl, rec: Reconstruction, reach: tuple[float, float]) -> list[Finding]:
    """What is said of the weights, at both batch sizes; a KL whose weight moves from call to call apart."""
    again, other = measure_kl(ready.exact), measure_kl(ready.other)
    other_rec = measure_reconstruction(ready.other, reach)
    if again.form != kl.form or abs(again.weight - kl.weight) > 1e-3 * abs(kl.weight) or other.form != kl.form:
        text = f"The KL's weight changes from call to call, from {kl.weight:.3g} to {again.weight:.3g}: a warm-up?"
        return [Question("KL weight changes", text)]
    if other_rec.form != rec.form:
        return []
    sizes = weights.Sizes(ready.exact.pixels, ready.exact.mu[0].numel(), ready.exact.n, ready.other.n)
    return list(weights.said_of_weight((kl.weight, other.weight), (rec, other_rec.weight), sizes))


def _look_at_evaluation(ready: Ready, evaluate: Callable, notes: Notes) -> None:
    try:
        notes.say(*modes.said_of_reported(ready, evaluate))
    except ProbeError as error:
        notes.skip(f"evaluate: {error}")
    except Exception as error:
        notes.say(raised("evaluate", error))
    else:
        notes.look("how z is drawn at evaluation")
