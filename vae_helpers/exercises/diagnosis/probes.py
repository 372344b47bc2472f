"""What a spied loss is made of: which KL and how heavy, which reconstruction and how heavy, which noise."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from vae_helpers.exercises.diagnosis.spy import ENOUGH_ENTRIES, AnyTensor, ProbeError, Spy

import torch
import torch.nn.functional as F
from torch import Tensor

Form = Callable[[Tensor, Tensor], Tensor]
TOLERANCE = 0.02  # of a fitted form, relative: a KL by Monte Carlo and binarized images are noisy
UNEVEN = 0.1  # how far, relatively, a KL may tell μ from −μ before its prior is somewhere else
LEVELS = (-2.0, -1.0, 0.7)  # of logvar, at which the noise is measured


@dataclass(frozen=True)
class Fit:
    """The form that a measured term has, "" where none fits, and its weight."""

    form: str
    weight: float


@dataclass(frozen=True)
class Noise:
    """How z was drawn. kind: "gaussian", "none" (z is μ), or what is wrong with it."""

    kind: str
    mean: float = 0.0
    widths: tuple[float, ...] = ()
    reaches_mu: bool = True
    reaches_logvar: bool = True


# Right and wrong forms of the KL, element by element, of μ and log σ²
KL_FORMS: dict[str, Form] = {
    "closed": lambda m, v: 0.5 * (m**2 + v.exp() - v - 1),
    "swapped": lambda m, v: 0.5 * (v**2 + m.exp() - m - 1),
    "squared twice": lambda m, v: 0.5 * (m**2 + (2 * v).exp() - 2 * v - 1),
    "logvar for sigma": lambda m, v: 0.5 * (m**2 + v**2 - (v**2).log() - 1),
    "no mu": lambda m, v: 0.5 * (v.exp() - v - 1),
    "only mu": lambda m, v: 0.5 * m**2,
    "no log": lambda m, v: 0.5 * (m**2 + v.exp()),
    "log turned": lambda m, v: 0.5 * (m**2 + v.exp() + v),
}


def _bce(p: AnyTensor, x: AnyTensor) -> AnyTensor:
    return F.binary_cross_entropy(p, x, reduction="none")


def _bce_of_logits(o: AnyTensor, x: AnyTensor) -> AnyTensor:
    return F.binary_cross_entropy_with_logits(o, x, reduction="none")


# Forms of the reconstruction, element by element, of a decoder's output and x
OF_LOGITS: dict[str, Form] = {
    "bernoulli": _bce_of_logits,
    "sigmoid twice": lambda o, x: _bce_of_logits(o.sigmoid(), x),
    "square": lambda o, x: (o.sigmoid() - x).square(),
    "square of outputs": lambda o, x: (o - x).square(),
}
OF_PROBABILITIES: dict[str, Form] = {
    "bernoulli": _bce,
    "sigmoid twice": _bce_of_logits,
    "square": lambda o, x: (o - x).square(),
}


def fitted_form(measured: AnyTensor, forms: dict[str, AnyTensor]) -> Fit:
    """The form, of those that have these values, that the measured one is a multiple of."""
    best, error = Fit("", 0.0), TOLERANCE
    for name, values in forms.items():
        weight = (measured @ values / (values @ values)).item()
        gap = ((measured - weight * values).abs().max() / measured.abs().max()).item()
        if gap < error:
            best, error = Fit(name, weight), gap
    return best


def weigh_kl(spy: Spy, loss: Callable) -> tuple[Fit, float]:
    """Which KL the loss has and its weight; and how far, relative to it, it tells μ from −μ (a prior not around 0).

    The decoder's answer is held still, so that z does not matter. μ and −μ are averaged, so that the mean of the
    prior does not matter either: N(μ_y, I) weighs like N(0, I).
    """
    n, d = spy.encoded[0].shape
    mu, u = 1 + torch.randn(n, d).to(spy.encoded[0]), torch.randn(n, d).to(spy.encoded[0])
    corners = [(0 * mu, 0.1 * u - 0.3), (mu, 0.5 * u - 1), (0.5 * mu, u - 2), (1.5 * mu, 0.3 * u + 0.5), (mu, 0.2 * u)]
    still = spy.output
    both = torch.tensor([[_at(spy, loss, s * m, v, lambda _: still) for s in (1, -1)] for m, v in corners])
    forms = {
        name: torch.stack([0.5 * (f(m, v) + f(-m, v)).sum(1).mean() for m, v in corners]).double().cpu()
        for name, f in KL_FORMS.items()
    }
    values, level = both.double().mean(1), both.abs().max().item()
    moved = values[1:] - values[0]
    if moved.abs().max() < 1e-6 * level:
        return Fit("missing", 0.0), 0.0
    found = fitted_form(moved, {name: f[1:] - f[0] for name, f in forms.items()})
    asymmetry = ((both[:, 0] - both[:, 1]).abs().max() / moved.abs().max()).item()
    if found.form == "no mu" and asymmetry > UNEVEN:
        found = Fit("mu not squared", found.weight)
    return found, asymmetry


def _at(spy: Spy, loss: Callable, mu: AnyTensor, logvar: AnyTensor, answer: object) -> float:
    spy.tell((mu, logvar), answer)
    return spy.value(loss)


def draws_probabilities(spy: Spy, loss: Callable) -> bool:
    """Whether the decoder's output stays within [0, 1] even for codes far out: probabilities, not logits."""
    mu = spy.encoded[0]
    with suppress(ProbeError):  # so far out, a wrong KL may be infinite: no matter here
        _at(spy, loss, 30 * torch.randn(mu.shape).to(mu), torch.full_like(mu, -0.5), None)
    return bool(spy.outputs) and all(bool((o >= 0).all() and (o <= 1).all()) for o in spy.outputs)


def weigh_reconstruction(spy: Spy, loss: Callable, probabilities: bool) -> Fit:
    """Which reconstruction the loss has, and its weight: 1 for a sum over pixels and a mean over the batch."""
    x, one = spy.images[0].flatten(1), spy.output[0]
    mu = torch.zeros_like(spy.encoded[0])
    if probabilities:
        answers = [(0.1 + 0.8 * torch.rand(one.shape)).to(one) for _ in range(4)]
    else:
        answers = [(k * torch.randn(one.shape)).to(one) for k in (0.5, 1, 2, 3)]
    values = torch.tensor([_at(spy, loss, mu, mu - 0.5, a) for a in answers], dtype=torch.float64)
    if (values - values[0]).abs().max() < 1e-7 * values.abs().max():
        return Fit("missing", 0.0)
    forms = {
        name: torch.stack([f(a.flatten().expand_as(x), x).sum(1).mean() for a in answers]).double().cpu()
        for name, f in (OF_PROBABILITIES if probabilities else OF_LOGITS).items()
    }
    return fitted_form(values[1:] - values[0], {name: f[1:] - f[0] for name, f in forms.items()})


def measure_noise(spy: Spy, loss: Callable) -> Noise | None:
    """How the loss draws z for a known μ and log σ², and whether z carries gradients; None where that can't be seen."""
    n, d = spy.encoded[0].shape
    still, levels = spy.output, torch.tensor(LEVELS)
    mu = torch.randn(n, d).to(spy.encoded[0]).requires_grad_()
    group = torch.randint(len(LEVELS), (n, d))
    logvar = levels[group].to(mu).requires_grad_()
    with torch.enable_grad():
        _at(spy, loss, mu, logvar, lambda _: still)
    if not spy.codes or spy.codes[0].shape != mu.shape or mu.numel() < ENOUGH_ENTRIES:
        return None
    z = spy.codes[0]
    if (z - mu).abs().max() < 1e-5:
        return Noise("none")
    with torch.enable_grad():
        reaches = [_reaches(z, mu), _reaches(z, logvar)]
    return _described((z - mu).detach().double().cpu(), group, reaches)


def _reaches(z: AnyTensor, source: AnyTensor) -> bool:
    if not z.requires_grad:
        return False
    gradient = torch.autograd.grad(z.sum(), source, retain_graph=True, allow_unused=True)[0]
    return gradient is not None and bool(gradient.any())


def _described(noise: AnyTensor, group: AnyTensor, reaches: list[bool]) -> Noise:
    """The kind of the noise z − μ, whose log σ² is LEVELS[group]."""
    widths = tuple(noise[group == k].std().item() for k in range(len(LEVELS)))
    right = torch.tensor(LEVELS).mul(0.5).exp().double()
    eps = noise / right[group]
    margin = 6 / eps.numel() ** 0.5
    kind = "gaussian"
    if eps.min() > -1e-4 and eps.max() < 1 + 1e-4:
        kind = "uniform noise"
    elif (eps[1:] * eps[:-1]).mean() > 0.5:
        kind = "one noise for all"
    elif _close(widths, torch.tensor(LEVELS).exp(), margin):
        kind = "σ² used as σ"
    elif not _close(widths, right, margin):
        kind = "noise of another width"
    elif abs(eps.mean()) > margin:
        kind = "noise off centre"
    return Noise(kind, eps.mean().item(), widths, *reaches)


def _close(widths: tuple[float, ...], expected: AnyTensor, margin: float) -> bool:
    return all(abs(w / e - 1) < 2 * margin + 0.02 for w, e in zip(widths, expected.tolist(), strict=True))
