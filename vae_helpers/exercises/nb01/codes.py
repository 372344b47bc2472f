"""Codes between two given ones, and codes drawn from a Gaussian that is fitted to given ones."""

from vae_helpers.exercises.engine import Answer, Exercise, Mistake, WrongShapeError, result_of
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
        (torch.tensor([1.0, -2.0, 0.5 + seed]), torch.tensor([0.0, 4.0, 3.0]), 5),
        (torch.tensor([2.0, 1.0 + seed]), torch.tensor([-1.0, 1.5]), 4),
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
Square = Float64[Tensor, " d d"]
CLOSE = 0.06  # of 20,000 draws: six standard errors and more


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
    if z.shape != (n, codes.shape[1]):
        raise WrongShapeError(tuple(z.shape))
    codes = codes.double()
    return _shared(z, again, codes) or [*_of_mean(z, codes), *(_of_covariance(z, codes) or _of_tails(z))]


def _shared(z: Codes, again: Codes, codes: Given) -> list[Finding]:
    if not z.isfinite().all():
        return [Finding(Relation("not finite", "result"), "it draws NaN or infinity: print the covariance")]
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
    found, wanted, sigma = z.mean(0), codes.mean(0), codes.std(0)
    root = torch.linalg.cholesky(torch.cov(codes.T))
    known = {
        "ignored": (0 * wanted, "the draws sit around 0: the mean of the codes is not added"),
        "one number": (
            wanted.mean().expand(3),
            "one mean of all numbers is added: each dimension has its own",
        ),
        "rand": (
            wanted + root.sum(1) / 2,
            "the noise has mean ½, as that of rand has: use randn",
        ),
    }
    if _near(found, wanted, sigma):
        return []
    for kind, (mean, says) in known.items():
        if _near(found, mean, sigma):
            return [Finding(Relation("mean", "draws", kind), says)]
    k = ((found - wanted) / sigma).abs().argmax()
    says = f"the mean of dimension {k + 1} is {found[k]:.2f} where {wanted[k]:.2f} is right"
    return [Finding(Relation("mean", "draws", "other"), says)]


def _near(a: Float64[Tensor, "..."], b: Float64[Tensor, "..."], scale: Float64[Tensor, "..."]) -> bool:
    return bool(((a - b).abs() < CLOSE * scale).all())


def _covariances(codes: Given) -> dict[str, tuple[Square, str]]:
    s, one = torch.cov(codes.T), torch.eye(codes.shape[1], dtype=torch.float64)
    root, sigma = torch.linalg.cholesky(s), codes.std(0)
    line = "one ε serves all dimensions, and so all codes lie on a line: draw randn(n, d)"
    return {
        "ignored": (one, "the draws have spread 1 and no covariance, as N(0, I): they know nothing of the codes'"),
        "diagonal": (one * s, "each spread is right, but the dimensions are drawn apart: use the *full* covariance"),
        "variances": (one * s**2, "variances stand where spreads belong, and the dimensions are drawn apart"),
        "own root": (s @ s, "the covariance is taken as its own root, so that the draws have covariance S²"),
        "transposed": (root.T @ root, "the root stands the wrong way round: the rows of ε Lᵀ have covariance L Lᵀ"),
        "correlation": (s / sigma / sigma[:, None], "the draws have the codes' correlation, and not their spread"),
        "not centred": (
            codes.T @ codes / len(codes),
            "the second moment stands for the covariance: the mean was not subtracted first",
        ),
        "rand": (s / 12, "the noise has variance 1/12, as that of rand: codes lie too close. Use randn"),
        "one noise": (root.sum(1)[:, None] * root.sum(1), line),
        "one noise, apart": (sigma[:, None] * sigma, line),
    }


def _of_covariance(z: Codes, codes: Given) -> list[Finding]:
    found, wanted, sigma = torch.cov(z.T), torch.cov(codes.T), codes.std(0)
    scale = lambda m: m.diag().sqrt()[:, None] * m.diag().sqrt()  # noqa: E731
    if _near(found, wanted, scale(wanted)):
        return []
    for kind, (covariance, says) in _covariances(codes).items():
        if _near(found, covariance, scale(covariance)):
            return [Finding(Relation("covariance", "draws", kind), says)]
    factor = (found.diag() / wanted.diag()).mean()
    if _near(found, factor * wanted, scale(factor * wanted)):
        says = f"the covariance is {factor:.3g} times what it should be"
        return [Finding(Relation("covariance", "draws", f"{factor:.3g}"), says)]
    i, j = divmod(int(((found - wanted).abs() / scale(wanted)).argmax()), len(sigma))
    says = f"the covariance of dimensions {i + 1} and {j + 1} is {found[i, j]:.2f} where {wanted[i, j]:.2f} is right"
    return [Finding(Relation("covariance", "draws", "other"), says)]


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
