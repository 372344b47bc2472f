"""The encoder and the decoder by themselves: what the heads can become, and what a picture depends on besides z."""

from collections.abc import Iterator
from contextlib import suppress

from vae_helpers.exercises.diagnosis.images import AnyTensor
from vae_helpers.exercises.diagnosis.places import first_tensor
from vae_helpers.exercises.diagnosis.report import Finding, Question
from vae_helpers.exercises.diagnosis.spy import Spy

import torch
from torch import Tensor

OVERFLOW = 80.0  # of log σ², about where exp overflows


def with_first(call: tuple[tuple, dict], other: AnyTensor) -> tuple[tuple, dict]:
    """Arguments with another tensor in the place of the first."""
    args, kwargs = call
    first = first_tensor(args, kwargs)
    return tuple(other if a is first else a for a in args), {k: other if a is first else a for k, a in kwargs.items()}


def odd_answers(spy: Spy) -> Iterator[tuple[AnyTensor, AnyTensor]]:
    """(μ, log σ²) for inputs that no image is: negative, random, huge."""
    x = first_tensor(*spy.own.inputs[0])
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(x.shape, generator=generator).to(x)
    for odd in (x, -x, -5 * x, noise, -noise, 10 * noise, 1e4 * noise):
        args, kwargs = with_first(spy.own.inputs[0], odd)
        encoded = []
        with torch.no_grad(), suppress(ValueError):  # an encoder may refuse what is no image
            encoded.append(spy.encoder(*args, **kwargs))
            if len(spy.program.encode) == 2:
                encoded.append(spy.second(*args, **kwargs))
        if not encoded:
            continue
        mu, second = spy.reading.take(tuple(encoded) if len(encoded) == 2 else encoded[0])
        if mu.isfinite().all() and second.isfinite().all():
            yield mu, second


def said_of_heads(spy: Spy) -> Iterator[Finding]:
    """Findings and questions about what μ and log σ² can be."""
    if spy.reading.form == "code":
        return
    answers = list(odd_answers(spy))
    mu, second = (torch.cat([a[k].flatten() for a in answers]) for k in (0, 1))
    logarithm = spy.scale.startswith("log")
    if not spy.fixed and mu.std() > 1e-6 and logarithm and (mu - second).abs().max() < 1e-6 * mu.abs().max():
        text = f"{spy.scale} is the same as μ, number for number, for every input."
        yield Finding("same head", text, "Both come from one layer.", "Give each its own nn.Linear.")
        return
    if mu.min() >= 0 and mu.max() > 0:
        text = "μ is never negative, whatever the input: half of the prior is out of reach."
        yield Finding("mu never negative", text, "A ReLU, softplus or sigmoid at the end of μ's layer?", "Drop it.")
    elif mu.abs().max() <= 1.0001 and mu.abs().max() > 0.9:
        text = "μ stays between −1 and 1, whatever the input."
        yield Question("mu bounded", text, "A tanh at its end? N(0, 1) goes further.")
    if logarithm and not spy.fixed:
        yield from _of_spread(spy, second)


def _of_spread(spy: Spy, second: AnyTensor) -> Iterator[Finding]:
    name, low, high = spy.scale, second.min().item(), second.max().item()
    if low >= 0:
        text = f"{name} is never below 0, whatever the input: no cloud is narrower than the prior."
        cause = "A ReLU, softplus or sigmoid at its end? It is a logarithm, and may be negative (or is it σ itself?)."
        yield Finding("logvar never negative", text, cause, "Drop it; or take the output for σ, everywhere.")
    elif low > -1:
        text = f"{name} stays above {low:.2g}, whatever the input: codes can't be sharp."
        yield Question("logvar bounded", text, "A tanh or a sigmoid at its end?")
    elif high > OVERFLOW:
        text = f"{name} has no bound: for an odd image it reaches {high:.2g}, and exp of it overflows: NaN."
        yield Question(
            "logvar unbounded", text, "Training usually keeps it small.", "logvar.clamp(-30, 20) costs nothing."
        )


def said_of_bypass(spy: Spy) -> Iterator[Finding]:
    """Whether a picture depends on the image by another way than z; and whether it depends on z at all."""
    if spy.reading.drawn or len(spy.own.codes) != 1:
        return
    x, y = spy.images
    mu = torch.randn(spy.mu.shape, generator=torch.Generator().manual_seed(4)).to(spy.mu)
    logvar = torch.zeros_like(mu)
    with torch.no_grad():
        pictures = [
            spy.picture_of(spy.call((m, logvar), images=(images, y), really=True).outputs[0])
            for m, images in ((mu, x), (mu, x.roll(1, 0)), (mu + 1, x))
        ]
    spread = pictures[0].std().item() or 1.0
    by_image, by_code = ((p - pictures[0]).abs().max().item() / spread for p in pictures[1:])
    if by_image > 1e-3:
        text = f"With z held still, the decoder's picture changes with the image, by {by_image:.2g} times its spread."
        cause = "It sees the image by another way than z: a skip connection, a kept feature, a condition?"
        yield Question(
            "bypass", text, cause, "Then nothing keeps z from being ignored, and no z from the prior will do."
        )
    if by_code == 0:
        text = "The decoder's picture is the same for every z."
        yield Question("z ignored", text, "z is not used, or all units of a layer are dead.")


def said_of_labels(spy: Spy) -> Iterator[Finding]:
    """Whether labels that the two halves are handed change anything, and are those that came with the images."""
    y = spy.images[1]
    handed = [a for call in (*spy.own.decoded, *spy.own.inputs) for a in _labels_in(call, y)]
    if y is None or y.is_floating_point():
        return
    if handed:
        agree = max((h == y).double().mean().item() for h in handed)
        if agree < 0.5:
            text = f"The labels that the model is given agree with those handed over for {agree:.0%} of the images."
            yield Question("labels", text, "Drawn at random, shuffled apart, or shifted by one?")
    args, kwargs = spy.own.decoded[0]
    more = [a for a in (*args, *kwargs.values()) if isinstance(a, Tensor)][1:]
    other = [a.roll(1, 0) if len(a) == len(y) else a for a in more]
    if not any((a != b).any() for a, b in zip(more, other, strict=True)):
        return
    swap = {id(a): b for a, b in zip(more, other, strict=True)}
    with torch.no_grad():
        pictures = [
            spy.picture_of(
                spy.decoder(*(s.get(id(a), a) for a in args), **{k: s.get(id(a), a) for k, a in kwargs.items()})
            )
            for s in ({}, swap)
        ]
    if torch.equal(*pictures):
        text = "decode is handed labels, and its picture doesn't change with them, in any digit."
        yield Question("label ignored", text, "Not joined to z, or multiplied by 0? (Or begins at 0, untrained.)")


def _labels_in(call: tuple[tuple, dict], y: AnyTensor | None) -> list[AnyTensor]:
    given = [a for a in (*call[0], *call[1].values()) if isinstance(a, Tensor) and y is not None and len(a) == len(y)]
    single = [a for a in given if a.shape == y.shape and not a.is_floating_point()]
    hot = [a.argmax(1) for a in given[1:] if a.ndim == 2 and ((a == 0) | (a == 1)).all() and (a.sum(1) == 1).all()]
    return single + hot


def said_of_classes(x: AnyTensor, y: AnyTensor | None) -> Iterator[Finding]:
    """Whether labels have to do with the images: the nearest class mean of one half, asked about the other."""
    if y is None or y.ndim != 1 or y.is_floating_point() or len(y) < 400 or len(x) != len(y):
        return
    index = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))[:3000]
    flat, labels = x[index].flatten(1).double(), y[index].to(x.device)
    half = len(index) // 2
    classes, counts = labels[:half].unique(return_counts=True)
    if not 1 < len(classes) < half // 20:
        return
    means = torch.stack([flat[:half][labels[:half] == c].mean(0) for c in classes])
    asked = labels[half:]
    right = (classes[torch.cdist(flat[half:], means).argmin(1)] == asked).double().mean().item()
    chance = (counts.double() / half).square().sum().item()
    if right < chance + 4 * (chance * (1 - chance) / half) ** 0.5:
        text = f"The nearest class mean guesses {right:.0%} of the labels, and chance would {chance:.0%}."
        yield Question(
            "labels unrelated",
            text,
            "Images and labels shuffled apart, or off by one?",
            "Draw nine with their labels.",
        )
