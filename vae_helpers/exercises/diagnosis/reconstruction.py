"""Which reconstruction a loss has, how heavy, and what its target is: from its gradient in the decoder's answer.

Frequent reconstructions are, pixel by pixel, A(o) − t · B(o), with o the decoder's answer and t the target. Two
answers give two gradients; t drops out of them, which leaves the form and its weight, and then t is known.
"""

from collections.abc import Callable
from dataclasses import dataclass

from vae_helpers.exercises.diagnosis.calling import ProbeError
from vae_helpers.exercises.diagnosis.images import AnyTensor
from vae_helpers.exercises.diagnosis.spy import Spy, draws_in

import torch
import torch.nn.functional as F

EXACT = 2e-3  # of a gradient, relative
Slopes = tuple[AnyTensor, AnyTensor]  # of A and of B


@dataclass(frozen=True)
class Reconstruction:
    """A form, "" where none is known, "missing" where the picture doesn't matter.

    weight: 1 for a sum over pixels and a mean over images. target: what each image is compared with, (images, pixels);
    None where that isn't known.
    """

    form: str
    weight: float = 0.0
    target: AnyTensor | None = None

    @property
    def square(self) -> bool:
        """Whether it is a squared error, whose weight stands for the decoder's spread."""
        return self.form.startswith("square") or self.form == "absolute"


def _slopes(a: Callable, b: Callable) -> Callable[[AnyTensor], Slopes]:
    def _both(o: AnyTensor) -> Slopes:
        leaf = o.detach().clone().requires_grad_()
        return tuple(torch.autograd.grad(f(leaf).sum(), leaf)[0] for f in (a, b))

    return _both


FORMS = {
    "bernoulli of logits": _slopes(F.softplus, lambda o: o),
    "sigmoid twice": _slopes(lambda o: F.softplus(o.sigmoid()), torch.sigmoid),
    "square": _slopes(lambda o: o**2, lambda o: 2 * o),
    "square of sigmoid": _slopes(lambda o: o.sigmoid() ** 2, lambda o: 2 * o.sigmoid()),
    "square of tanh": _slopes(lambda o: o.tanh() ** 2, lambda o: 2 * o.tanh()),
    "bernoulli": _slopes(lambda p: -(1 - p).log(), lambda p: p.log() - (1 - p).log()),
    "bernoulli of (o + 1)/2": _slopes(lambda o: -((1 - o) / 2).log(), lambda o: (1 + o).log() - (1 - o).log()),
}
IN_UNIT = ("bernoulli", "bernoulli of (o + 1)/2")  # forms for o within (0, 1), or (−1, 1)


def reach_of(spy: Spy) -> tuple[float, float]:
    """The least and the largest value that the decoder answers, for codes far out too."""
    lows, highs = [spy.picture.min().item()], [spy.picture.max().item()]
    args, kwargs = spy.own.decoded[0]
    for size in (1.0, 10.0, 300.0, 1e5):
        torch.manual_seed(3)
        code = next(a for a in (*args, *kwargs.values()) if isinstance(a, torch.Tensor))
        far = size * torch.randn(code.shape).to(code)
        with torch.no_grad():
            answer = spy.decoder(
                *(far if a is code else a for a in args), **{k: far if a is code else a for k, a in kwargs.items()}
            )
        picture = spy.picture_of(answer)
        if picture.isfinite().all():
            lows.append(picture.min().item())
            highs.append(picture.max().item())
    return min(lows), max(highs)


def answers_for(spy: Spy, reach: tuple[float, float]) -> list[AnyTensor]:
    """Two pictures that the decoder might answer, with pixels of all kinds."""
    one = spy.one_picture()
    generator = torch.Generator().manual_seed(5)
    uniform = [torch.rand(one.shape, generator=generator, dtype=torch.float64) for _ in range(2)]
    if reach[0] >= -1.0001 and reach[1] <= 1.0001:
        return [(0.1 + 0.8 * u).to(one) for u in uniform]
    return [(4 * (u - 0.5)).to(one) for u in uniform]


def slopes_at(spy: Spy, answer: AnyTensor) -> AnyTensor:
    """The gradient of the loss in the decoder's answer, (images, pixels), summed over draws, times images."""
    mu = 3 * torch.randn(spy.mu.shape, generator=torch.Generator().manual_seed(6)).to(spy.mu)
    call = spy.call((mu, torch.full_like(mu, -1)), answer)
    drawn = draws_in(call.codes, mu)
    rows = sum(g.flatten(0, spy.lead - 1).flatten(1) for g in call.gradients(tuple(call.leaves)))
    if len(rows) != spy.n:
        if drawn is None or len(rows) % spy.n:
            raise ProbeError("the reconstruction: decode isn't given whole numbers of codes for each image.")
        rows = rows.unflatten(0, (-1, spy.n)).sum(0) if drawn[1] else rows.unflatten(0, (spy.n, -1)).sum(1)
    return rows.double() * spy.n


def measure_reconstruction(spy: Spy, reach: tuple[float, float]) -> Reconstruction:
    """The reconstruction that the loss has."""
    answers = answers_for(spy, reach)
    first, second = (slopes_at(spy, a) for a in answers)
    if not first.any() and not second.any():
        return Reconstruction("missing")
    within = all(bool((a > 0).all() and (a < 1).all()) for a in answers)
    best = Reconstruction("")
    error = EXACT
    for form, slopes in FORMS.items():
        if form in IN_UNIT and not within:
            continue
        (a1, b1), (a2, b2) = ([s.flatten() for s in slopes(a.double())] for a in answers)
        measured, expected = first * b2 - second * b1, a1 * b2 - a2 * b1
        if measured.shape[1] != len(expected):
            continue
        weight = (measured.sum(0) @ expected / (expected @ expected) / spy.n).item()
        gap = ((measured - weight * expected).abs().max() / measured.abs().max()).item()
        if gap < error and weight:
            target = (a1 - first / weight) / b1
            best, error = Reconstruction(form, weight, target), gap
    if best.form == "bernoulli of logits" and within and reach[0] >= -1e-4 and reach[1] <= 1.0001:
        return Reconstruction("sigmoid twice", best.weight, best.target)
    size = first.abs()
    if not best.form and size.max() - size.min() < EXACT * size.max() and (first < 0).any() and (first > 0).any():
        return Reconstruction("absolute", size.mean().item())
    return best


def link_of(form: str, pixels: AnyTensor) -> list[AnyTensor]:
    """Answers of a decoder that mean these pixels: as they are, as logits, from −1 to 1."""
    logits = torch.logit(pixels.clamp(1e-3, 1 - 1e-3))
    if form in ("bernoulli of logits", "square of sigmoid"):
        return [logits]
    if form in ("square", "bernoulli"):
        return [pixels]
    return [pixels, logits, 2 * pixels - 1]
