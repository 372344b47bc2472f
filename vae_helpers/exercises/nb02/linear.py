"""The best linear denoiser, of one pixel and of many."""

from vae_helpers.exercises.engine import Answer, Exercise, Mistake, WrongShapeError, run
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.exercises.engine.verdict import judge

import torch
from jaxtyping import Float
from torch import Tensor

Vector, Matrix = Float[Tensor, " d"], Float[Tensor, "d d"]


def _one_pixel(x: Float[Tensor, " n"], x_noisy: Float[Tensor, " m"], sigma_noise: float) -> Float[Tensor, " m"]:
    mu = x.mean()
    variance = x.var(correction=0)
    a = variance / (variance + sigma_noise**2)
    b = (1 - a) * mu
    return a * x_noisy + b


def _line(x: Float[Tensor, " n"], x_noisy: Float[Tensor, " m"], noise: float) -> tuple[Tensor, Tensor, Tensor]:
    """a, b without its factor 1 − a, and a x̃; noise: the noise's variance."""
    a = x.var(correction=0) / (x.var(correction=0) + noise)
    return a, x.mean(), a * x_noisy


def _values_of_a_pixel(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(40 + 1000 * seed)
    sizes = ((5003, 4003, 0.7), (4001, 5001, 1.6))  # so many that n or n − 1 makes no difference
    return [
        (1 + 1.3 * torch.randn(n, generator=g), 2 * torch.randn(m, generator=g), s + 0.01 * (seed % 30))
        for n, m, s in sizes
    ]


ONE_PIXEL_DENOISER = Exercise(
    id="one-pixel-denoiser",
    expects="a x̃ + b for each of the noisy values (m,)",
    reference=_one_pixel,
    probes=_values_of_a_pixel,
    words={"mu": "μ", "variance": "the variance of x", "a": "a", "b": "b"},
    tolerance=1e-3,
    mistakes=(
        Mistake(
            lambda x, x_noisy, s: _line(x, x_noisy, s)[2] + (1 - _line(x, x_noisy, s)[0]) * x.mean(),
            "σ stands where the noise's variance belongs, σ²: where σ is below 1, noise is taken for larger than it "
            "is, and too much is taken off.",
        ),
        Mistake(
            lambda x, x_noisy, s: sum(_line(x, x_noisy, s**2)[1:]),
            "b is μ itself, without its factor 1 − a: even without any noise, where a = 1, every value would be "
            "lifted by μ.",
        ),
        Mistake(
            lambda x, x_noisy, s: _line(x, x_noisy, s**2)[2],
            "b is missing: a x̃ alone shrinks towards 0, whatever the mean of x is. The mean answer should be μ.",
        ),
        Mistake(
            lambda x, x_noisy, s: x_noisy + _line(x, x_noisy, s**2)[0] * (x.mean() - x_noisy),
            "a and 1 − a are exchanged: the more noise there is, the more x̃ would be trusted.",
        ),
        Mistake(
            lambda x, x_noisy, s: _one_pixel(x_noisy, x_noisy, s),
            "mean and variance are those of the noisy values: their variance has the noise in it already. "
            "Take them from the clean x.",
        ),
        Mistake(
            lambda x, x_noisy, s: x.mean() + (x_noisy - x.mean()) / (1 + s**2 / x.std(correction=0)),
            "the standard deviation of x stands where its variance belongs: both terms of the fraction are squares.",
        ),
    ),
)


def _best_linear(mean: Vector, noisy_mean: Vector, noisy_cov: Matrix, cross: Matrix) -> Float[Tensor, "d _"]:
    A = cross @ torch.linalg.inv(noisy_cov)
    b = mean - A @ noisy_mean
    return torch.cat([A, b[:, None]], dim=1)


def _with(A: Matrix, mean: Vector, noisy_mean: Vector) -> Float[Tensor, "d _"]:
    return torch.cat([A, (mean - A @ noisy_mean)[:, None]], dim=1)


def _moments(seed: int = 0) -> list[tuple]:
    g = torch.Generator().manual_seed(50 + 1000 * seed)
    probes = []
    for d in (3, 4):
        root = torch.randn(d, d, generator=g, dtype=torch.float64)
        cov = root @ root.T + 0.5 * torch.eye(d, dtype=torch.float64)
        mean, noisy_mean = torch.randn(2, d, generator=g, dtype=torch.float64)
        probes.append((mean, noisy_mean, cov, torch.randn(d, d, generator=g, dtype=torch.float64)))
    return probes


A_AND_B = Exercise(
    id="best-linear-denoiser",
    expects="A, b: a matrix (d, d) and a vector (d,)",
    reference=_best_linear,
    probes=_moments,
    words={"A": "A", "b": "b"},
    mistakes=(
        Mistake(
            lambda mean, noisy_mean, noisy_cov, cross: _best_linear(mean, noisy_mean, noisy_cov, cross.T),
            "Cov(x, x̃) is transposed: row i of it belongs to the clean number i, column j to the noisy one j. "
            "Under Gaussian noise nothing would show, where it is symmetric.",
        ),
        Mistake(
            lambda mean, noisy_mean, noisy_cov, cross: _with(noisy_cov.inverse() @ cross, mean, noisy_mean),
            "the inverse stands on the left of Cov(x, x̃), and matrices don't commute. It belongs on its right.",
        ),
        Mistake(
            lambda mean, noisy_mean, noisy_cov, cross: torch.cat(
                [(cross @ noisy_cov.inverse()).T, (mean - cross @ noisy_cov.inverse() @ noisy_mean)[:, None]], 1
            ),
            "A is transposed: it would multiply x̃ from the wrong side.",
            alike=(
                lambda mean, noisy_mean, *moments: _with(
                    _best_linear(mean, noisy_mean, *moments)[:, :-1].T, mean, noisy_mean
                ),
            ),
        ),
        Mistake(
            lambda mean, noisy_mean, noisy_cov, cross: _with(cross @ noisy_cov, mean, noisy_mean),
            "Cov(x̃) is not inverted: the more a number of x̃ varies by noise alone, the more it would count.",
        ),
        Mistake(
            lambda mean, noisy_mean, noisy_cov, cross: _with(cross / noisy_cov, mean, noisy_mean),
            "the matrices are divided entry by entry. A matrix is divided by multiplying with its inverse.",
        ),
        Mistake(
            lambda mean, noisy_mean, noisy_cov, cross: _with(cross, mean, noisy_mean),
            "Cov(x̃)⁻¹ is missing: A would have a unit, squared, and grow with the contrast of the images.",
        ),
        Mistake(
            lambda mean, noisy_mean, noisy_cov, cross: _with(cross @ noisy_cov.inverse(), mean, mean),
            "b sends the mean of x through the map, where the mean of x̃ belongs. For noise of mean zero they agree; "
            "masking takes ink away.",
        ),
        Mistake(
            lambda mean, noisy_mean, noisy_cov, cross: torch.cat(
                [cross @ noisy_cov.inverse(), (mean - noisy_mean)[:, None]], 1
            ),
            "A is missing in b: the mean of x̃ goes through the map too, so that b is μ − A E[x̃].",
        ),
    ),
)


def _joined(answer: Answer) -> Answer:
    """An answer whose A and b stand in one matrix, so that they can be compared at once."""

    def joined(*moments: Tensor) -> object:
        """A and b side by side, or whatever else was returned."""
        result = answer(*moments)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            return result
        try:
            A, b = (torch.as_tensor(part).double() for part in result)
        except (TypeError, ValueError, RuntimeError):
            return result
        return torch.cat([A, b.reshape(-1, 1)], dim=1) if A.ndim == 2 and len(A) == b.numel() else A

    return joined


def _linear_findings(answer: Answer, seed: int) -> list[Finding]:
    joined = _joined(answer)
    results = run(A_AND_B, joined, seed)
    if not all(r.isfinite().all() for r in results):
        raise NotFiniteError
    verdict = judge(A_AND_B, results, seed, lambda: run(A_AND_B, joined, seed + 1))
    if verdict.status == "wrong" and results[0].shape != (3, 4):
        raise WrongShapeError(tuple(results[0].shape))
    says = verdict.message.removeprefix(f"{A_AND_B.id}: ")
    relations = verdict.relations or (Relation("unexplained", "A, b"),)
    return [] if verdict.passed else [Finding(relations[0], says)]


def _matrix_and_shift(mean: Vector, noisy_mean: Vector, noisy_cov: Matrix, cross: Matrix) -> tuple[Matrix, Vector]:
    joined = _best_linear(mean, noisy_mean, noisy_cov, cross)
    return joined[:, :-1], joined[:, -1]


BEST_LINEAR_DENOISER = Exercise(
    id=A_AND_B.id, expects=A_AND_B.expects, reference=_matrix_and_shift, findings=_linear_findings
)
