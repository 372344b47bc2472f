"""Draws from a mixture, watched: how often each component speaks, where its draws lie, and how they scatter."""

from collections.abc import Iterator

from vae_helpers.exercises.engine import Exercise
from vae_helpers.exercises.engine.exercise import Answer
from vae_helpers.exercises.engine.probes import NotFiniteError, WrongShapeError, result_of
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from torch import Tensor

N, WEIGHTS = 6000, (0.6, 0.3, 0.1)


def _mixture_draw(n: int, log_weights: Tensor, means: Tensor, logvars: Tensor) -> Tensor:
    k = torch.multinomial(log_weights.exp(), n, replacement=True)
    sigma = (0.5 * logvars[k]).exp()
    eps = torch.randn(n, means.shape[1])
    return means[k] + sigma * eps


def _finding(kind: str, place: str, says: str) -> Finding:
    return Finding(Relation(kind, place), says)


def _mixture(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Three components far apart, of unequal weights and widths, in four dimensions."""
    g = torch.Generator().manual_seed(1041 + seed)
    means = 30 * torch.eye(3, 4) + torch.randn(3, 4, generator=g)
    logvars = torch.tensor([-2.0, 0.0, 1.6])[:, None] + 0.3 * torch.randn(3, 4, generator=g)
    return torch.tensor(WEIGHTS).log(), means, logvars


def draw_findings(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with my_draw(n, log_weights, means, logvars), n codes of a mixture, (n, d)."""
    given = _mixture(seed)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed + 20_231)
        z, again = (_drawn(answer, given) for _ in range(2))
    return list(_of_draws(z, again, *given))[:1]


def _drawn(answer: Answer, given: tuple) -> Tensor:
    z = result_of(answer, (N, *given))
    if z.shape != (N, 4):
        raise WrongShapeError(tuple(z.shape))
    if not z.isfinite().all():
        raise NotFiniteError
    return z


def _of_draws(z: Tensor, again: Tensor, log_weights: Tensor, means: Tensor, logvars: Tensor) -> Iterator[Finding]:
    if torch.equal(z, again):
        yield _finding("same draw", "calls", "every call draws the same codes: leave the seed to the caller")
    means, sigma = means.double(), (0.5 * logvars).exp().double()
    far, k = ((z[:, None] - means) / sigma).abs().amax(2).min(1)
    if (far > 7).double().mean() > 0.02:
        yield from _of_strays(z, means, log_weights.exp().double())
    share = torch.bincount(k, minlength=3) / N
    if (share - torch.tensor(WEIGHTS)).abs().max() > 0.04:
        yield from _of_shares(share)
    yield from _of_scatter(z, k, means, sigma)


def _of_strays(z: Tensor, means: Tensor, weights: Tensor) -> Iterator[Finding]:
    middle = weights @ means
    near = torch.cdist(z, means).amin(1)
    if (z.mean(0) - middle).norm() < 3 and (torch.cdist(z, middle[None])[:, 0] < near).double().mean() > 0.9:
        says = "the components are averaged: the codes lie in the middle, where no component is. Draw one for each"
        yield _finding("averaged", "components", says)
    high = z[:, :3] > 8
    if (high.sum(1) != 1).double().mean() > 0.1 and bool((z[:, :3].abs() < 60).all()):
        says = "each dimension chooses a component of its own: a code must come from one component as a whole"
        yield _finding("per dimension", "components", says)
    says = "many codes lie more than 7 σ from every component: once the component is chosen, it is μ_k + σ_k ε"
    yield _finding("other", "σ", says)


def _of_shares(share: Tensor) -> Iterator[Finding]:
    counted = ", ".join(f"{s:.2f}" for s in share.tolist())
    if (share - 1 / 3).abs().max() < 0.05:
        says = "the weights are ignored: each component speaks equally often"
        yield _finding("ignored", "log_weights", says)
    if int((share > 0).sum()) == 1:
        says = "one component speaks for all n codes: choose one for each code"
        yield _finding("shared", "components", says)
    says = f"the components speak with shares {counted}, where the weights ask for 0.60, 0.30, 0.10"
    yield _finding("other", "log_weights", says)


def _of_scatter(z: Tensor, k: Tensor, means: Tensor, sigma: Tensor) -> Iterator[Finding]:
    eps = (z - means[k]) / sigma[k]
    widths = torch.stack([eps[k == c].std(0) for c in range(3)])
    centre = torch.stack([eps[k == c].mean(0) for c in range(3)])
    if widths.max() < 1e-3:
        says = "only the components' means are returned: inside a component nothing is drawn"
        yield _finding("not drawn", "ε", says)
    if (torch.corrcoef(eps.T) - torch.eye(4)).abs().max() > 0.2:
        says = "one ε serves all dimensions of a code, so that they move together: draw one for each"
        yield _finding("shared", "ε", says)
    if (eps.std(0) < 0.9).all() and (eps.abs() < 2).all():
        says = "ε is uniform, and never far from its middle: randn draws Gaussian ones"
        yield _finding("shape", "ε", says)
    if ((widths * sigma) - sigma.square()).abs().max() < 0.15 * sigma.square().max() and widths.max() > 1.3:
        yield _finding("power", "σ", "σ² multiplies ε, which σ must: the root of the variance is exp(½ log σ²)")
    if (widths * sigma - 1).abs().max() < 0.15:
        yield _finding("ignored", "σ", "every component is equally wide, whatever its log σ²: ε must be scaled by σ_k")
    if (widths - 1).abs().max() > 0.15:
        says = f"inside a component the codes scatter by {widths.mean():.2f} σ on average, where 1 σ is right"
        yield _finding("other", "σ", says)
    if centre.abs().max() > 0.2:
        yield _finding("offset", "μ", "the codes of a component don't lie around its mean: ε has to be centred")


MIXTURE_DRAW = Exercise(
    id="mixture-draw",
    expects="n codes drawn from the mixture, (n, d)",
    reference=_mixture_draw,
    probes=lambda seed=0: [(N, *_mixture(seed))],
    findings=draw_findings,
)
