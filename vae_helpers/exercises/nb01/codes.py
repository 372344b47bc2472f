"""Codes between two given ones, and codes drawn from a Gaussian that is fitted to given ones."""

from vae_helpers.exercises.engine import Answer, Exercise, Mistake, WrongShapeError, result_of
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from jaxtyping import Float, Float64
from torch import Tensor


def _walk(z_a: Tensor, z_b: Tensor, n: int) -> Tensor:
    t = torch.linspace(0, 1, n)[:, None]
    return (1 - t) * z_a + t * z_b


WALK = Exercise(
    id="walk",
    expects="codes (n, d), the first z_a, the last z_b, evenly spaced between",
    reference=_walk,
    words={"t": "t"},
    probes=lambda seed=0: [
        (torch.tensor([1.0, -2.0, 0.5 + seed % 101]), torch.tensor([0.0, 4.0, 3.0]), 5),
        (torch.tensor([2.0, 1.0 + seed % 101]), torch.tensor([-1.0, 1.5]), 4),
    ],
    mistakes=(
        Mistake(
            lambda a, b, n: _walk(b, a, n),
            "the walk runs backwards: at t = 0 it should stand at z_a. Use (1 − t) z_a + t z_b.",
        ),
        Mistake(
            lambda a, b, n: _walk(a, b, n + 1)[:-1],
            "the walk stops one step short of z_b: arange(n) / n never reaches 1. Use linspace(0, 1, n).",
        ),
        Mistake(
            lambda a, b, n: _walk(a, b, n + 2)[1:-1],
            "both ends are missing: the first code should be z_a itself, the last z_b.",
        ),
        Mistake(
            lambda a, b, n: _walk(a, a + b, n),
            "you added t·z_b to z_a, so that the walk ends at z_a + z_b. The weight of z_a has to shrink: (1 − t).",
        ),
        Mistake(
            lambda a, b, n: _walk(a, b, n).T,
            "the result is transposed: one code per *row*. Give t the shape (n, 1).",
        ),
        Mistake(
            lambda a, b, n: (a + b).expand(n, -1) / 2,
            "every row is the midpoint. Let t run from 0 to 1 over the rows.",
        ),
    ),
)


Codes = Float64[Tensor, " n d"]
Given = Float64[Tensor, " m d"]
Numbers = Float64[Tensor, "..."]
CLOSE = 0.05  # of 20,000 draws: at least five standard errors


def _gaussian_like(codes: Tensor, n: int) -> Tensor:
    root = torch.linalg.cholesky(torch.cov(codes.T))
    return codes.mean(0) + torch.randn(n, codes.shape[1]) @ root.T


def _given_codes(seed: int) -> Float[Tensor, "4000 3"]:
    g = torch.Generator().manual_seed(2 + 1000 * seed)
    mix = torch.tensor([[2.0, 0.0, 0.0], [1.5, 0.7, 0.0], [-0.6, 0.3, 0.4]])
    return torch.tensor([3.0, -1.0, 0.5]) + torch.randn(4000, 3, generator=g) @ mix.T


def _findings_of_codes(answer: Answer, seed: int) -> list[Finding]:
    """What 20,000 draws share, then their mean, covariance and tails, beside those of the codes."""
    codes, n = _given_codes(seed), 20_000
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        z, again = (result_of(answer, (codes, n)) for _ in range(2))
    if not z.isfinite().all():
        raise NotFiniteError
    if z.shape != (n, codes.shape[1]):
        raise WrongShapeError(tuple(z.shape))
    codes = codes.double()
    return _shared(z, again, codes) or [*_of_mean(z, codes), *(_of_covariance(z, codes) or _of_tails(z))]


def _shared(z: Codes, again: Codes, codes: Given) -> list[Finding]:
    if torch.equal(z, again):
        says = "every call draws the same: a seed is set inside. Leave the seed to the caller"
        return [Finding(Relation("same draw", "calls"), says)]
    different = len(z.unique(dim=0))
    old = torch.isin(z[:, 0], codes[:, 0]).double().mean()
    if old > 0.5:
        says = "these are old codes drawn again: the decoder can then only repeat reconstructions. Draw new ones"
        return [Finding(Relation("old codes", "result"), says)]
    if different < 0.99 * len(z):
        says = f"only {different:,} of {len(z):,} draws differ from each other: each row needs noise of its own"
        return [Finding(Relation("same draw", "rows", str(different)), says)]
    return []


def _of_mean(z: Codes, codes: Given) -> list[Finding]:
    wanted, root = codes.mean(0), torch.linalg.cholesky(torch.cov(codes.T))
    known = {
        "ignored": (0 * wanted, "the draws sit around 0: the mean of the codes is not added"),
        "one number": (wanted.mean().expand(3), "one mean of all numbers is added: each dimension has its own"),
        "rand": (wanted + root.sum(1) / 2, "the noise has mean ½, as that of rand has: use randn"),
    }
    return _told("mean", z.mean(0), wanted, codes.std(0), known)


def _of_covariance(z: Codes, codes: Given) -> list[Finding]:
    found, wanted, sigma = torch.cov(z.T), torch.cov(codes.T), codes.std(0)
    one, root = torch.eye(len(sigma), dtype=torch.float64), torch.linalg.cholesky(wanted)
    factor = (found.diag() / wanted.diag()).mean()
    line = "one ε serves all dimensions, and so all codes lie on a line: draw randn(n, d)"
    known = {
        "ignored": (one, "the draws have spread 1 and no covariance, as N(0, I): they know nothing of the codes'"),
        "diagonal": (one * wanted, "each spread is right, the dimensions are drawn apart: use the *full* covariance"),
        "variances": (one * wanted**2, "variances stand where spreads belong, and the dimensions are drawn apart"),
        "own root": (wanted @ wanted, "the covariance is taken as its own root, so that the draws have covariance S²"),
        "transposed": (root.T @ root, "the root stands the wrong way round: the rows of ε Lᵀ have covariance L Lᵀ"),
        "correlation": (wanted / sigma / sigma[:, None], "the draws have the codes' correlation, and not their spread"),
        "not centred": (codes.T @ codes / len(codes), "the second moment stands for the covariance: subtract the mean"),
        "rand": (wanted / 12, "the noise has variance 1/12, as that of rand: codes lie too close. Use randn"),
        "one noise": (root.sum(1)[:, None] * root.sum(1), line),
        "one noise, apart": (sigma[:, None] * sigma, line),
        "factor": (factor * wanted, f"the covariance is {factor:.2g} times what it should be"),
    }
    return _told("covariance", found, wanted, sigma[:, None] * sigma, known)


def _told(what: str, found: Numbers, wanted: Numbers, scale: Numbers, known: dict[str, tuple]) -> list[Finding]:
    """Nothing where a moment is as wanted; else which known one it is, or the number that is farthest off."""
    for kind, (value, says) in {"right": (wanted, ""), **known}.items():
        if ((found - value).abs() < CLOSE * (scale + value.abs())).all():
            return [Finding(Relation(what, "draws", kind), says)] if says else []
    k = ((found - wanted) / scale).abs().argmax()
    place = " and ".join(str(int(i) + 1) for i in torch.unravel_index(k, wanted.shape))
    says = f"the {what} of {place} is {found.flatten()[k]:.2f} where {wanted.flatten()[k]:.2f} is right"
    return [Finding(Relation(what, "draws", "other"), says)]


def _of_tails(z: Codes) -> list[Finding]:
    """Fourth powers of the draws, made independent: 3 in a Gaussian, 1.8 where the noise is uniform."""
    root = torch.linalg.cholesky(torch.cov(z.T))
    fourth = torch.linalg.solve_triangular(root, (z - z.mean(0)).T, upper=False).pow(4).mean(1)
    k = (fourth - 3).abs().argmax()
    if abs(fourth[k] - 3) < 0.4:
        return []
    far = "no code lies far out, as with rand, which is uniform" if fourth[k] < 3 else "too many codes lie far out"
    says = f"mean and covariance are right, the shape is not: {far} (fourth power {fourth[k]:.2f}, a Gaussian's 3)"
    return [Finding(Relation("tails", "draws", f"{fourth[k]:.1f}"), says)]


GAUSSIAN_CODES = Exercise(
    id="gaussian-codes",
    expects="n new codes (n, d) with the mean and the full covariance of the given ones",
    reference=_gaussian_like,
    findings=_findings_of_codes,
)
