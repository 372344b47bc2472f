"""A program in its modes: training as it runs, evaluation, what is reported, and bytes as they are."""

import copy
from collections.abc import Callable
from dataclasses import replace

from vae_helpers.exercises.diagnosis import weights
from vae_helpers.exercises.diagnosis.calling import ProbeError
from vae_helpers.exercises.diagnosis.images import some_of
from vae_helpers.exercises.diagnosis.kl import Kl, measure_kl
from vae_helpers.exercises.diagnosis.level import said_of_level
from vae_helpers.exercises.diagnosis.noise import Noise, measure_noise, said_of_noise
from vae_helpers.exercises.diagnosis.places import first_tensor
from vae_helpers.exercises.diagnosis.reading import Ready
from vae_helpers.exercises.diagnosis.report import Finding, Question

import torch


def said_of_training(ready: Ready) -> list[Finding]:
    """Whether the model is any good, in the two modes."""
    evaluated = ready.spy(0, double=False, training=False)
    return list(said_of_level(ready.own, evaluated, ready.spy(0, double=False, still=False)))


def said_in_evaluation(ready: Ready, noise: Noise | None, kl: Kl | None) -> list[Finding]:
    """What is wrong in evaluation mode only; no noise is right there."""
    spy = ready.spy(0, training=False)
    found, form = measure_noise(spy), measure_kl(spy).form
    said = []
    if noise and found and found.kind not in (noise.kind, "none"):
        said += list(said_of_noise(found))
    if kl and form not in (kl.form, "missing", "weight 0") and form in weights.WRONG:
        said += list(weights.said_of_kl(Kl(form), labelled=False))
    return [type(f)(f.kind, f"In evaluation mode: {f.seen}", f.cause, f.check) for f in said]


def said_of_bytes(ready: Ready) -> list[Finding]:
    """Bytes that the loss itself would take, undivided."""
    x, y = ready.images
    if x.dtype != torch.uint8 or x[:1000].max() < 2:
        return []
    own, few = ready.own, some_of((x, y), ready.own.n, ready.program.device)
    images = (255 * few[0]).round(), few[1]
    try:
        seen = first_tensor(*own.call(images=images).inputs[0])
        own.call(images=(images[0].to(torch.uint8), y if y is None else images[1]))
    except Exception:  # not written for bytes
        return []
    if seen is None or seen.max() < 1.5:
        return []
    text = f"The images are bytes up to {x[:1000].max().item()}; "
    text += "I divided them by 255. As they are, your loss takes them undivided."
    return [Question("pixels to 255", text, "Divide by 255 in the loader or in the loss.")]


def said_of_reported(ready: Ready, evaluate: Callable) -> list[Finding]:
    """Whether what is reported draws z; raises what evaluate raises."""
    other = copy.copy(ready)
    other.program = replace(ready.program, loss=evaluate)
    evaluation, training = (measure_noise(other.spy(0, double=False, training=mode)) for mode in (False, True))
    if evaluation is None:
        raise ProbeError("how z is drawn at evaluation: decode isn't given one code per image.")
    if evaluation.kind != "none":
        return []
    kind = Finding if training and training.kind == "none" else Question
    return [
        kind(
            "mean at evaluation",
            "evaluate decodes μ itself and draws no z: its figure is no ELBO, and no bound on log p(x).",
            "z = mu at evaluation, or a model that skips the noise in eval mode. The figure looks better than it is.",
            "Evaluate with two seeds: an honest estimate differs in the last digits. Draw z from q(z|x).",
        )
    ]
