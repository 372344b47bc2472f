"""``diagnose_vae``: a handful of cheap probes on anybody's VAE, and what they found, in plain words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from vae_helpers.data import to_float
from vae_helpers.exercises.diagnosis import halves, targets, weights
from vae_helpers.exercises.diagnosis.calling import BrokenError, ProbeError
from vae_helpers.exercises.diagnosis.images import Images, images_and_labels, some_of, twins
from vae_helpers.exercises.diagnosis.kl import Kl, measure_kl
from vae_helpers.exercises.diagnosis.level import said_of_codes, said_of_level
from vae_helpers.exercises.diagnosis.noise import Noise, measure_noise, said_of_noise
from vae_helpers.exercises.diagnosis.places import first_tensor
from vae_helpers.exercises.diagnosis.reading import Ready, program_of, raised, understood
from vae_helpers.exercises.diagnosis.reconstruction import Reconstruction, measure_reconstruction, reach_of
from vae_helpers.exercises.diagnosis.report import Diagnosis, Finding, Notes
from vae_helpers.exercises.diagnosis.spy import Spy

import torch
from torch import nn

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
    images = images_and_labels(train_data, "train_data")
    if spread is not None and spread not in SPREADS:
        raise ValueError(f"spread must be one of {', '.join(SPREADS)}, got {spread!r}.")
    notes = Notes()
    if test_data is None:
        notes.skip("whether test images are training images (no test_data given).")
    else:
        test = images_and_labels(test_data, "test_data")[0]
        notes.look("test images among the training images")
        notes.find(*twins(images[0], test), *targets.said_of_sets(to_float(images[0][:2000]), to_float(test[:2000])))
    if not isinstance(model, nn.Module):
        notes.find(Finding("no model", f"The model is a {type(model).__name__}, not a torch.nn.Module."))
        return notes.report()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.enable_grad():
        ready = _ready(model, loss, images, (encode, decode, SPREADS.get(spread)), notes)
        if ready:
            _look(ready, notes, told=spread is not None)
        if evaluate is not None and ready:
            _at_evaluation(ready, evaluate, notes)
    return notes.report()


def _ready(model: nn.Module, loss: Callable | None, images: Images, names: tuple, notes: Notes) -> Ready | None:
    """The program ready to be probed; None, and the reason in the notes, where that can't be."""
    if to_float(images[0][:1000]).isnan().any():
        notes.find(Finding("broken", "The images hold NaN, and every loss of them is NaN. Drop or mend them."))
        return None
    for device in dict.fromkeys(("cpu", next((p.device for p in model.parameters()), "cpu"))):
        program = program_of(model, loss, *names)
        program.device = device
        program.model.to(device)
        try:
            return Ready(program, images, notes)
        except BrokenError as error:
            notes.find(Finding("broken", str(error)))
            return None
        except ProbeError as error:
            notes.skip(str(error))
            return None
        except Exception as error:
            problem = error
    notes.find(raised("loss", problem))
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


def _say(notes: Notes, said: list[tuple[bool, Finding]] | None) -> None:
    for certain, finding in said or []:
        (notes.find if certain else notes.ask)(finding)


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
        _say(notes, _try(notes, "the weight of the KL", _weights, ready, kl, rec, reach))
    if not notes.has("plain autoencoder"):
        _say(notes, _try(notes, "what μ and log σ² can be", halves.said_of_heads, own))
    _say(notes, _try(notes, "whether the picture depends on z alone", halves.said_of_bypass, own))
    if labels:
        _say(notes, _try(notes, "labels", halves.said_of_labels, own))
        _say(notes, _try(notes, "labels beside images", halves.said_of_classes, *ready.images))
    if not notes.has("sign of the loss", "sign of the reconstruction", "KL sign", "pixels out of range", "target"):
        notes.ask(*(_try(notes, "whether it is better than one picture", _level, ready) or []))
    notes.ask(*(_try(notes, "collapse", said_of_codes, own.mu, own.logvar) or []))
    _say(notes, _try(notes, "evaluation mode", _in_evaluation, ready, noise, kl))
    _bytes(ready, notes)


def _of_noise_and_kl(noise: Noise | None, kl: Kl | None, spy: Spy, labels: bool, notes: Notes) -> None:
    silent = noise is not None and noise.kind == "none"
    if silent and kl and kl.form == "missing":
        text = (
            "Nothing is drawn and no KL is there: a plain autoencoder. Its codes follow no prior, and can't be drawn."
        )
        notes.ask(Finding("plain autoencoder", text))
        return
    if spy.fixed and kl and kl.form in ("only mu", "missing"):
        text = "log σ² is one number for every image, and has no part in the KL: clouds of one fixed width."
        notes.ask(Finding("fixed width", text, "A reduced VAE, whose KL is ½ μ²?"))
        kl = Kl("closed") if kl.form == "only mu" else kl
    if silent and kl and kl.form in ("unknown", "other"):
        text = "decode is given μ itself, and log σ² matters all the same: an expectation taken in closed form?"
        notes.ask(Finding("no noise", text, "Else the line z = mu + sigma * eps is missing."))
    elif noise:
        notes.find(*said_of_noise(noise))
    else:
        notes.skip("how z is drawn: decode isn't given one code per image.")
    if kl and not (silent and notes.has("no noise") and kl.form in ("unknown", "other")):
        notes.look("the KL's form")
        _say(notes, list(weights.said_of_kl(kl, labels)))


def _of_reconstruction(rec: Reconstruction, reach: tuple[float, float], spy: Spy, notes: Notes) -> None:
    if rec.weight >= 0:
        _say(notes, _try(notes, "the range of the pixels", targets.said_of_range, spy, rec, reach))
    if rec.form == "missing":
        notes.ask(
            Finding("no reconstruction", "The loss doesn't change with the decoder's picture, or sends it no gradient.")
        )
    elif rec.target is not None and rec.target.shape == spy.images[0].flatten(1).shape:
        found = _try(notes, "the target", targets.said_of_target, spy, rec)
        if found:
            notes.find(*found[0])
            notes.ask(*found[1])
    elif rec.target is None:
        notes.find(*(_try(notes, "whether the image itself is the cheapest answer", targets.cheapest, spy) or []))
        notes.skip("the KL's weight: the reconstruction is neither a cross-entropy nor a squared error.")


def _weights(ready: Ready, kl: Kl, rec: Reconstruction, reach: tuple[float, float]) -> list[tuple[bool, Finding]]:
    """What is said of the weights, at both batch sizes; a KL whose weight moves from call to call apart."""
    again, other = measure_kl(ready.exact), measure_kl(ready.other)
    other_rec = measure_reconstruction(ready.other, reach)
    if again.form != kl.form or abs(again.weight - kl.weight) > 1e-3 * abs(kl.weight) or other.form != kl.form:
        text = f"The KL's weight changes from call to call, from {kl.weight:.3g} to {again.weight:.3g}: a warm-up?"
        return [(False, Finding("KL weight changes", text))]
    if other_rec.form != rec.form:
        return []
    sizes = weights.Sizes(ready.exact.pixels, ready.exact.mu[0].numel(), ready.exact.n, ready.other.n)
    return list(weights.said_of_weight((kl.weight, other.weight), (rec, other_rec.weight), sizes))


def _level(ready: Ready) -> list[Finding]:
    evaluated = ready.spy(0, double=False, training=False)
    return list(said_of_level(ready.own, evaluated, ready.spy(0, double=False, still=False)))


def _in_evaluation(ready: Ready, noise: Noise | None, kl: Kl | None) -> list[tuple[bool, Finding]]:
    """What is wrong in evaluation mode only; no noise is right there."""
    spy = ready.spy(0, training=False)
    found, form = measure_noise(spy), measure_kl(spy).form
    said = []
    if noise and found and found.kind not in (noise.kind, "none"):
        said += [(True, finding) for finding in said_of_noise(found)]
    if kl and form not in (kl.form, "missing", "weight 0") and form in weights.WRONG:
        said += list(weights.said_of_kl(Kl(form), labelled=False))
    return [(c, Finding(f.kind, f"In evaluation mode: {f.seen}", f.cause, f.check)) for c, f in said]


def _bytes(ready: Ready, notes: Notes) -> None:
    """Bytes that the loss itself would take, undivided."""
    x, y = ready.images
    if x.dtype != torch.uint8:
        return
    own, images = ready.own, some_of((x.float(), y), ready.own.n, ready.program.device)
    try:
        call = own.call(images=images)
        seen = first_tensor(*call.inputs[0])
    except Exception:
        return
    pixels = x[:1000].max().item()
    if pixels > 1 and seen is not None and seen.max() > 1.5 and _casts(ready, images):
        text = (
            f"The images are bytes up to {pixels}; I divided them by 255. Handed over as they are, your loss doesn't."
        )
        notes.ask(Finding("pixels to 255", text, "Divide by 255 in the loader or in the loss."))


def _casts(ready: Ready, images: Images) -> bool:
    """Whether the loss makes floats of bytes by itself: it was written for them."""
    try:
        ready.own.call(images=(images[0].to(torch.uint8), images[1]))
    except Exception:
        return False
    return True


def _at_evaluation(ready: Ready, evaluate: Callable, notes: Notes) -> None:
    """Whether what is reported draws z."""
    program = replace(ready.program, loss=evaluate)
    other = Ready.__new__(Ready)
    other.__dict__.update(ready.__dict__, program=program)
    try:
        kinds = [measure_noise(other.spy(0, double=False, training=mode)) for mode in (False, True)]
    except ProbeError as error:
        notes.skip(f"evaluate: {error}")
        return
    except Exception as error:
        notes.find(raised("evaluate", error))
        return
    notes.look("how z is drawn at evaluation")
    if kinds[0] is None:
        notes.skip("how z is drawn at evaluation: decode isn't given one code per image.")
    elif kinds[0].kind == "none":
        finding = Finding(
            "mean at evaluation",
            "evaluate decodes μ itself and draws no z: its figure is no ELBO, and no bound on log p(x).",
            "z = mu at evaluation, or a model that skips the noise in eval mode. The figure looks better than it is.",
            "Evaluate with two seeds: an honest estimate differs in the last digits. Draw z from q(z|x).",
        )
        (notes.find if kinds[1] and kinds[1].kind == "none" else notes.ask)(finding)
