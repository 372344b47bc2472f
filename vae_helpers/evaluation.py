"""Figures of merit. What scikit-learn has (PCA, mixtures, logistic regression) comes from there."""

import functools
import inspect
from collections.abc import Callable
from math import log, pi

import torch
from torch import Tensor, nn

from vae_helpers import checks, plain, takes
from vae_helpers.conditional import joint_log_prob
from vae_helpers.data import to_float

Batchwise = Callable[[Tensor], Tensor]
_ROWS = functools.partial(checks.floats, ndim=2)
_LABELLED = plain.model_with("encode", "decode", "place", "n_classes")


@takes.arguments(function=plain.function, x=checks.something, batch_size=plain.positive_int)
@torch.no_grad()
def in_batches(function: Batchwise, x: Tensor, batch_size: int = 2000) -> Tensor:
    """Apply a function of images or codes to all of ``x`` in batches, without gradients; uint8 images become floats."""
    results = [function(to_float(part)) for part in x.split(batch_size)]
    if not isinstance(results[0], Tensor) or results[0].ndim == 0:
        kind = type(results[0]).__name__
        raise TypeError(f"function must return a tensor (batch, …), got {kind}: for codes, use model.embed.")
    return torch.cat(results)


@takes.arguments(x_hat=checks.finite_images, x=checks.images)
def mse(x_hat: Tensor, x: Tensor) -> float:
    """Mean squared error *per pixel* of x_hat from x, both (n, 1, 28, 28), uint8 or floats; x floats in [0, 1]."""
    if x_hat.shape != x.shape:
        raise ValueError(f"x_hat and x must have one shape, got {tuple(x_hat.shape)} and {tuple(x.shape)}.")
    pairs = zip(x_hat.split(2000), x.split(2000), strict=True)
    return sum((to_float(a) - to_float(b)).square().sum(dtype=torch.float64).item() for a, b in pairs) / x.numel()


@takes.arguments(
    reconstruct=plain.function, x=checks.finite_images, target=checks.images, batch_size=plain.positive_int
)
@torch.no_grad()
def reconstruction_mse(
    reconstruct: Batchwise, x: Tensor, target: Tensor | None = None, batch_size: int = 2000
) -> float:
    """Mean squared error *per pixel* between reconstruct(x) and ``target`` (default x itself), in batches.

    x, target: images (n, 1, 28, 28), uint8 or floats in [0, 1]; reconstruct: floats (b, 1, 28, 28) → the same shape.
    """
    target = x if target is None else target
    if target.shape != x.shape:
        raise ValueError(f"target and x must have one shape, got {tuple(target.shape)} and {tuple(x.shape)}.")
    pairs = zip(x.split(batch_size), target.split(batch_size), strict=True)
    return sum(mse(reconstruct(to_float(a)), b) * len(a) for a, b in pairs) / len(x)


@takes.arguments(mean_squared_error=plain.positive)
def psnr(mean_squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of a (pooled) mean squared error, for images in [0, 1]: −10 log₁₀ MSE."""
    return -10 * torch.tensor(mean_squared_error, dtype=torch.float64).log10().item()


@takes.arguments(images=checks.finite_images, bank=checks.finite_images)
@torch.no_grad()
def mse_to_nearest(images: Tensor, bank: Tensor) -> Tensor:
    """For each image (n, 1, 28, 28), the MSE *per pixel* to the nearest in ``bank`` (m, 1, 28, 28): floats (n,).

    Both uint8 or floats in [0, 1]. The bank is taken in parts, so that bytes stay bytes; the images at once.
    """
    flat = to_float(images).flatten(1)
    nearest = [torch.cdist(flat, to_float(part).flatten(1)).amin(1) for part in bank.split(4000)]
    return torch.stack(nearest).amin(0).square() / 784


def frechet_distance(features: Tensor, reference: Tensor) -> float:
    """Squared Fréchet (2-Wasserstein) distance between Gaussians fitted to two sets of features (n, k), (m, k).

    ‖m − m'‖² + tr(S + S' − 2 (S S')^½). Dowson & Landau 1982; on features of a network, Heusel et al. 2017.
    Needs more rows than columns in both; fitted in float64.
    """
    features, reference = (
        checks.as_floats(t, name).double() for t, name in ((features, "features"), (reference, "reference"))
    )
    if features.ndim != 2 or reference.ndim != 2 or features.shape[1] != reference.shape[1]:
        raise ValueError(
            f"features and reference must be (n, k) and (m, k), "
            f"got {tuple(features.shape)} and {tuple(reference.shape)}."
        )
    if min(len(features), len(reference)) <= features.shape[1]:
        raise ValueError(f"features and reference each need more than {features.shape[1]} rows, to fit a covariance.")
    if not (features.isfinite().all() and reference.isfinite().all()):
        raise ValueError("features and reference must be finite, but hold NaN or infinity: look where they come from.")
    cov_a, cov_b = (torch.atleast_2d(torch.cov(t.T)) for t in (features, reference))
    # tr (S S')^½ is the sum of the roots of the eigenvalues of S S', which are real and ≥ 0
    root = torch.linalg.eigvals(cov_a @ cov_b).real.clamp(min=0).sqrt().sum()
    shift = features.mean(0) - reference.mean(0)
    return (shift.square().sum() + cov_a.trace() + cov_b.trace() - 2 * root).item()


@takes.arguments(log_joint=plain.function, mu=_ROWS)
@takes.of_one_shape("mu", "logvar", "eps")
def log_weight(log_joint: Batchwise, mu: Tensor, logvar: Tensor, eps: Tensor) -> Tensor:
    """log p(x, z) / q(z|x) of one draw z = μ + σ ε of each row, (n,), in nats; all three (n, d), ε from N(0, I).

    log_joint(z) → log p(x, z), (n,). Its mean over draws is the ELBO, the mean of its exponential p(x).
    """
    z = mu + torch.exp(0.5 * logvar) * eps
    # log N(z; μ, σ²)
    log_q = -0.5 * (eps.square() + logvar + log(2 * pi)).sum(dim=1)
    return log_joint(z) - log_q


@takes.arguments(log_weights=functools.partial(checks.floats, least_ndim=1))
def log_mean_exp(log_weights: Tensor) -> Tensor:
    """log (1/K) Σ_k exp(log w_k) of K rows (K, n): (n,). Safe where every weight underflows."""
    return log_weights.logsumexp(dim=0) - log(len(log_weights))


@takes.arguments(
    encode=plain.function,
    log_joint=plain.function,
    given=checks.something,
    n_samples=plain.positive_int,
    batch_size=plain.positive_int,
    seed=plain.whole_number,
)
@torch.no_grad()
def importance_sampled_log_p(
    encode: Callable[..., tuple[Tensor, Tensor]],
    log_joint: Callable[..., Tensor],
    *given: Tensor,
    n_samples: int = 100,
    batch_size: int = 200,
    seed: int = 0,
) -> Tensor:
    """Estimate log p(x) of each row of x as log (1/K) Σ p(x, z_k) / q(z_k|x), z_k ~ q: (n,), in nats.

    given: x (n, …), or x and labels y (n,) for log p(x|y). encode(x[, y]) → (mu, logvar) of q, any Gaussian as wide as
    the posterior or wider; log_joint(x, z[, y]) → log p(x, z[|y]), (n,), or (k, n) for k models at once. p(x) is met on
    average; its log reads low, the less so the more samples. Burda et al. 2016, equation 8. Its two parts are written
    out in notebook 06.
    """
    if len({len(a) for a in given}) != 1:
        raise ValueError(f"given must be x, or x and y, all of one length, got {[len(a) for a in given]}.")
    random = torch.Generator(given[0].device).manual_seed(seed)
    results = []
    for x, *y in zip(*(a.split(batch_size) for a in given), strict=True):
        mu, logvar = encode(x, *y)
        joint = lambda z, x=x, y=y: log_joint(x, z, *y)  # noqa: E731
        draws = (torch.randn(mu.shape, generator=random, dtype=mu.dtype, device=mu.device) for _ in range(n_samples))
        results.append(log_mean_exp(torch.stack([log_weight(joint, mu, logvar, eps) for eps in draws])))
    return torch.cat(results, dim=-1)


@takes.arguments(
    model=plain.model_with("encode", "decode"),
    x_bin=checks.image_tensor,
    n_samples=plain.positive_int,
    seed=plain.whole_number,
)
def sampled_log_p(
    model: nn.Module, x_bin: Tensor, y: Tensor | None = None, n_samples: int = 100, seed: int = 0
) -> Tensor:
    """Importance-sampled log p(x) of a VAE, or log p(x|y) of a conditional one, per image, (n,), in nats.

    x_bin: *binarized* images (n, 1, 28, 28), floats 0 or 1, which the encoder sees too; ValueError for grey ones, of
    which the log of an average means nothing. y: labels (n,), which a conditional model needs.
    """
    _check_binarized(x_bin)
    if y is not None:
        checks.label_tensor(y, len(x_bin), n_classes=getattr(model, "n_classes", None))
    encode = model.encode
    if y is not None and not _sees_labels(model):
        encode = lambda x, y: model.encode(x)  # noqa: E731
    joint = lambda x, z, y=None: joint_log_prob(model, x, z, y)  # noqa: E731
    given = (x_bin,) if y is None else (x_bin, y)
    return importance_sampled_log_p(encode, joint, *given, n_samples=n_samples, seed=seed)


@takes.arguments(model=_LABELLED, x_bin=checks.image_tensor, n_samples=plain.positive_int, seed=plain.whole_number)
def sampled_log_p_of_each_class(model: nn.Module, x_bin: Tensor, n_samples: int = 100, seed: int = 0) -> Tensor:
    """log p(x|y = k) of a conditional model for every class k, (n, n_classes), in nats: one run of sampling per class.

    Where encoder and decoder never see y, one run serves all classes, under ten priors. The logsumexp over the classes
    less log n_classes is log p(x) of the mixture of all classes, equally likely.
    """
    if not _sees_labels(model):
        _check_binarized(x_bin)
        joint = functools.partial(_log_joint_of_each_class, model)
        return importance_sampled_log_p(model.encode, joint, x_bin, n_samples=n_samples, seed=seed).T
    labels = (torch.full((len(x_bin),), k, device=x_bin.device) for k in range(model.n_classes))
    return torch.stack([sampled_log_p(model, x_bin, y, n_samples, seed) for y in labels], dim=1)


def _check_binarized(x_bin: Tensor) -> None:
    if not ((x_bin == 0) | (x_bin == 1)).all() or x_bin.dtype == torch.uint8:
        raise ValueError("x_bin must hold floats 0 and 1 only: draw it with torch.bernoulli(data.to_float(x)).")


def _sees_labels(model: nn.Module) -> bool:
    return "y" in inspect.signature(model.encode).parameters


def _log_joint_of_each_class(model: nn.Module, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z|y = k) of a model whose decoder never sees y, (n_classes, n): decoded once."""
    every = torch.arange(model.n_classes, device=z.device)
    means = model.place(torch.zeros(len(every), z.shape[1]).to(z), every)
    # log N(z; μ_k, I) + log p(x|z)
    log_prior = -0.5 * ((z - means[:, None]).square() + log(2 * pi)).sum(dim=2)
    return log_prior - model.likelihood.nll(model.decode(z), x)


@takes.arguments(values=checks.row)
def mean_and_error(values: Tensor) -> tuple[float, float]:
    """Mean of one value per image (n,), n ≥ 2, and its standard error, σ/√n. For two models: of their differences."""
    if len(values) < 2:
        raise ValueError(f"values must be a row of at least two, one per image, got shape {tuple(values.shape)}.")
    values = values.double()
    return values.mean().item(), values.std().item() / len(values) ** 0.5


@takes.arguments(classifier=plain.function, images=checks.finite_images)
def agreement(classifier: Batchwise, images: Tensor, y: Tensor) -> float:
    """Share of images (n, 1, 28, 28) whose label y (n,) has the largest of the scores classifier(images), (n, k)."""
    checks.label_tensor(y, len(images))
    return (in_batches(classifier, images).argmax(dim=1) == y).double().mean().item()


@takes.arguments(images=checks.finite_images)
def variance_within_classes(images: Tensor, y: Tensor) -> float:
    """Variance of each pixel within a class, summed over pixels, averaged over the classes present.

    images (n, 1, 28, 28), uint8 or floats; y (n,). 0 where a model draws one image per class.
    """
    checks.label_tensor(y, len(images))
    of_classes = (to_float(images[y == k]) for k in y.unique())
    variances = [of_class.var(dim=0, correction=0).sum() for of_class in of_classes]
    return torch.stack(variances).mean().item()
