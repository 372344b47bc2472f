"""The two-step recipe on a VAE: a mixture fitted to draws of the images' clouds, and new codes drawn from it."""

from collections.abc import Iterator

from vae_helpers.exercises.engine import Answer, Exercise, NotATensorError, NotAttemptedError, WrongShapeError
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from jaxtyping import Float, Float64
from torch import Tensor

ROWS, DRAWS = 3000, 6000
CLOSE = 0.08  # of a covariance, in units of both spreads: at least four standard errors


def _two_step(mu: Tensor, logvar: Tensor, k: int, n: int) -> Tensor:
    from sklearn.mixture import GaussianMixture  # slow to import, and nobody else here needs it

    codes = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
    mixture = GaussianMixture(k, max_iter=20, tol=1e-2, random_state=0)
    mixture.fit(codes.double().cpu().numpy())
    drawn, _ = mixture.sample(n)
    order = torch.randperm(n)
    return torch.from_numpy(drawn)[order].float().to(mu.device)


def _clouds(seed: int) -> tuple[Float[Tensor, "n 3"], Float[Tensor, "n 3"]]:
    """Of two groups of images, left and right; only in the left one the second and third dimension move together."""
    g = torch.Generator().manual_seed(20_241 + 1000 * seed)
    side = 2 * torch.randint(2, (ROWS, 1), generator=g) - 1
    e = torch.randn(ROWS, 3, generator=g) * torch.tensor([0.3, 1.0, 1.0])
    together = torch.stack([e[:, 0], e[:, 1], 0.95 * e[:, 1] + 0.3 * e[:, 2]], dim=1)
    mu = side * torch.tensor([3.0, 0.0, 0.0]) + torch.tensor([0.5, -1.0, 1.5]) + torch.where(side < 0, together, e)
    logvar = torch.tensor([-0.5, 0.7, -1.2]) + 0.5 * torch.randn(ROWS, 3, generator=g)
    return mu, logvar


def _findings(answer: Answer, seed: int) -> list[Finding]:
    """What 6,000 new codes share; their mean and covariance; whether they lie in two groups, or with k = 1 in one."""
    mu, logvar = _clouds(seed)
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(20_243 + seed)
        z, again = (_drawn(answer, mu, logvar, 2) for _ in range(2))
        found = next(_of_rows(z, again), None) or next(_of_moments(z.double(), mu.double(), logvar.double()), None)
        if found:
            return [found]
        middle = _in_the_middle(z)
        if middle > 0.1:
            says = f"{middle:.0%} of the codes lie between two groups where there are none: that is one Gaussian, not k"
            return [Finding(Relation("ignored", "k"), says)]
        left, right = (_moving_together(z[(z[:, 0] < 0.5) == side]) for side in (True, False))
        if abs(left - right) < 0.2:
            says = "the Gaussians share one covariance, but each group of codes has its own: take the full ones, the "
            return [Finding(Relation("shared", "covariance"), says + "default")]
        if _in_the_middle(_drawn(answer, mu, logvar, 1)) < 0.1:
            says = "k does not enter: with k = 1 there are still several Gaussians"
            return [Finding(Relation("ignored", "k", "1"), says)]
    return []


def _in_the_middle(z: Float[Tensor, "n 3"]) -> float:
    return ((z[:, 0] - 0.5).abs() < 1).double().mean().item()


def _moving_together(z: Float[Tensor, "n 3"]) -> float:
    """The correlation of the second and the third dimension."""
    return torch.corrcoef(z[:, 1:].T.double())[0, 1].item()


def _drawn(answer: Answer, mu: Tensor, logvar: Tensor, k: int) -> Tensor:
    z = answer(mu.clone(), logvar.clone(), k, DRAWS)
    if z is None or z is Ellipsis:
        raise NotAttemptedError
    if isinstance(z, tuple):
        raise NotATensorError("a tuple (a mixture's sample gives codes *and* the component of each)")
    if not isinstance(z, Tensor):
        raise NotATensorError(f"{type(z).__name__} (torch.from_numpy makes a tensor of an array)")
    if z.shape != (DRAWS, 3):
        raise WrongShapeError(tuple(z.shape))
    if not z.isfinite().all():
        raise NotFiniteError
    return z.detach()


def _of_rows(z: Tensor, again: Tensor) -> Iterator[Finding]:
    half = z[: DRAWS // 2, 0].mean() - z[DRAWS // 2 :, 0].mean()
    if z.dtype != torch.float32:
        says = f"the codes are {z.dtype}, as scikit-learn computes; the decoder's weights are not. Add .float()"
        yield Finding(Relation("type", "result"), says)
    elif torch.equal(z, again):
        says = "every call draws the same: a seed is set inside. Leave ε's seed to the caller"
        yield Finding(Relation("same draw", "calls"), says)
    elif len(z.unique(dim=0)) < 0.05 * DRAWS:
        says = f"only {len(z.unique(dim=0))} different codes come, as if a component's mean were its every draw. "
        yield Finding(Relation("not drawn", "result"), says + "Codes scatter around it: mixture.sample")
    elif len(z.unique(dim=0)) < 0.99 * DRAWS:
        says = "some codes come twice: old codes drawn again are reconstructions. New ones come from mixture.sample"
        yield Finding(Relation("old codes", "result"), says)
    elif abs(half) > 1:
        says = "the codes come group by group, as scikit-learn's sample sorts them: the first hundred would show one "
        yield Finding(Relation("sorted", "result"), says + "Gaussian only. Shuffle them: torch.randperm")


def _other_covariances(
    mu: Float64[Tensor, "m 3"], logvar: Float64[Tensor, "m 3"], wanted: Float64[Tensor, "3 3"]
) -> dict[str, tuple[Float64[Tensor, "3 3"], str]]:
    """What the new codes' covariance is where something else was fitted, and what that was."""
    of_mu, wide, sigma = torch.cov(mu.T), logvar.exp(), (0.5 * logvar).exp()
    diagonal = lambda squares: of_mu + torch.diag(squares.mean(0))  # noqa: E731
    alone = wanted * torch.eye(3, dtype=torch.float64)
    return {
        "not drawn": (
            of_mu,
            "the mixture is fitted to the means μ, as if clouds had no width: draw a code from each cloud first",
        ),
        "power": (
            diagonal(wide.square()),
            "ε is multiplied by σ², where σ belongs: the codes scatter by another width than the clouds'",
        ),
        "ignored": (
            of_mu + torch.eye(3, dtype=torch.float64),
            "ε is added as it is: σ, how wide each cloud is, does not enter",
        ),
        "logarithm": (
            diagonal(logvar.square()),
            "log σ² itself multiplies ε: its exponential, of half of it, is missing",
        ),
        "shared": (
            of_mu + sigma.T @ sigma / len(mu),
            "one ε serves all dimensions of a code, so that they move together: draw one for every entry",
        ),
        "diagonal": (
            alone,
            "each Gaussian has no covariances, so that dimensions are drawn apart: take the full ones, the default",
        ),
        "prior": (torch.eye(3, dtype=torch.float64), "the codes scatter as N(0, I): they know nothing of the images"),
    }


def _of_moments(
    z: Float64[Tensor, "n 3"], mu: Float64[Tensor, "m 3"], logvar: Float64[Tensor, "m 3"]
) -> Iterator[Finding]:
    """Mean and covariance beside those of the drawn codes, and of what else may have been fitted."""
    wanted = torch.cov(mu.T) + torch.diag(logvar.exp().mean(0))
    known = _other_covariances(mu, logvar, wanted)
    found, off = torch.cov(z.T), ((z.mean(0) - mu.mean(0)) / wanted.diag().sqrt()).abs().max()
    if off > CLOSE and _near(found, known["prior"][0], CLOSE):
        yield Finding(Relation("form", "codes", "prior"), known["prior"][1])
    elif off > CLOSE:
        says = "the new codes' mean is not that of the images' codes: is ε centred, and one for each row?"
        yield Finding(Relation("offset", "codes"), says)
    elif not _near(found, wanted, CLOSE):
        name = next((n for n, (c, _) in known.items() if _near(found, c, 2 * CLOSE)), "")
        k = int(((found - wanted).diag().abs() / wanted.diag()).argmax())
        says = f"in dimension {k} the new codes have variance {found[k, k]:.2f}, the drawn ones {wanted[k, k]:.2f}"
        yield Finding(Relation("form", "codes", name), known[name][1] if name else says)


def _near(found: Float64[Tensor, "3 3"], other: Float64[Tensor, "3 3"], tolerance: float) -> bool:
    spread = other.diag().sqrt()
    return bool(((found - other) / (spread[:, None] * spread)).abs().max() < tolerance)


TWO_STEP = Exercise(
    id="two-step",
    expects="n new codes (n, d), floats in no order, from k Gaussians fitted to one draw of each image's cloud",
    reference=_two_step,
    findings=_findings,
)
EXERCISES = (TWO_STEP,)
