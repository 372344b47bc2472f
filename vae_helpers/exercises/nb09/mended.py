"""A program with four mistakes, mended by the learner: the loss is heard at a listening model, and taken apart."""

from collections.abc import Iterator
from itertools import product

from vae_helpers.exercises.engine import Exercise
from vae_helpers.exercises.engine.exercise import Answer
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.exercises.nb09.heard import KLS, NOT_DECODED, RECONSTRUCTIONS, Heard, hear, noise_findings
from vae_helpers.losses import Loss

import torch
from torch import Tensor, nn
from torch.nn import functional

SIZES = ((5, 3), (8, 4))
OVER_BATCH = {  # what is made of one value per image: (n, d) → factor on the mean over images
    "mean": (lambda n, d: 1.0, ""),
    "sum": (lambda n, d: n, "is a sum over the images, so that its size depends on the batch: divide by len(x)"),
    "wrong axis": (lambda n, d: n / d, "is summed over the images and averaged over the dimensions: the axes are "
                   "exchanged, and its weight depends on the batch size"),
    "twice": (lambda n, d: 1 / n, "is divided by the number of images twice"),
}  # fmt: skip


def _mended(model: nn.Module, x: Tensor) -> Loss:
    mu, logvar = model.encode(x)
    z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
    cells = functional.binary_cross_entropy_with_logits(model.decode(z), x, reduction="none")
    kl = 0.5 * (mu.square() + logvar.exp() - logvar - 1).sum(dim=1)
    return Loss(cells.flatten(1).sum(dim=1).mean(), kl.mean())


def _findings(answer: Answer, seed: int) -> list[Finding]:
    """What is still wrong with my_mended(model, x)."""
    heard = [hear(answer, n, d, seed) for n, d in SIZES]
    if heard[0].x_logits is None:
        return [NOT_DECODED]
    if not all(isinstance(h.result, Loss) for h in heard):
        says = f"a {type(heard[0].result).__name__} came back: return Loss(reconstruction, kl), as the program does"
        return [Finding(Relation("type", "answer"), says)]
    if any(torch.as_tensor(part).numel() != 1 for h in heard for part in h.result[:2]):
        says = "a part of the Loss is no single number: average it over the images"
        return [Finding(Relation("shape", "answer"), says)]
    noise = noise_findings(answer, seed)
    parts = [f for name in ("reconstruction", "KL") for f in _of_part(name, heard)]
    if any(f.relation.kind == "exchanged" for f in noise):
        parts = [f for f in parts if f.relation.kind != "swapped"]
    return [*noise, *parts, *_of_cut(heard[0], parts)]


def _given(name: str, h: Heard) -> tuple[Tensor, Tensor]:
    return (h.x_logits, h.x) if name == "reconstruction" else (h.mu, h.logvar)


def _value(name: str, h: Heard) -> Tensor:
    return torch.as_tensor(h.result.reconstruction if name == "reconstruction" else h.result.beta * h.result.kl)


def _of_part(name: str, heard: list[Heard]) -> Iterator[Finding]:
    """What one of the two numbers is, searched among the known forms of it."""
    forms = RECONSTRUCTIONS if name == "reconstruction" else KLS
    for form, over in product(forms, OVER_BATCH):
        factor, of_batch = OVER_BATCH[over]
        wanted = [forms[form][0](*_given(name, h)).mean() * factor(*h.mu.shape) for h in heard]
        if all(_near(_value(name, h), w) for h, w in zip(heard, wanted, strict=True)):
            if form != "right":
                yield Finding(Relation(form, name), forms[form][1])
            if of_batch and form != "missing":
                yield Finding(Relation(over, name), f"the {name} {of_batch}")
            return
    right = forms["right"][0](*_given(name, heard[0])).mean()
    says = f"the {name} of {len(heard[0].x)} images is {_value(name, heard[0]):.4g} where {right:.4g} is right"
    yield Finding(Relation("other", name), says)


def _of_cut(h: Heard, parts: list[Finding]) -> Iterator[Finding]:
    """A right number that sends no gradient."""
    for name, source in (("KL", h.mu), ("reconstruction", h.x_logits)):
        value = _value(name, h)
        if any(f.relation.place == name for f in parts) or source is None or not source.requires_grad:
            continue
        reached = value.requires_grad and _reaches(value, source)
        if not reached:
            says = f"the {name}'s number is right, and no gradient leaves it: .item(), .detach() or no_grad?"
            yield Finding(Relation("no gradient", name), says)


def _reaches(value: Tensor, source: Tensor) -> bool:
    return torch.autograd.grad(value, source, retain_graph=True, allow_unused=True)[0] is not None


def _near(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a.detach().double(), b.detach().double(), rtol=1e-4, atol=1e-4)


FOUR_MENDED = Exercise(
    id="four-mended",
    expects="a Loss: the reconstruction at a drawn z and the KL, each summed over its own axis, averaged over images",
    reference=_mended,
    findings=_findings,
)

EXERCISES = (FOUR_MENDED,)
