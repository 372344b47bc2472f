"""What is in a code: its KL per dimension, its active units, how much it says of the image, which factor it follows.

Written out in notebook 07: a test compares the definitions.
"""

import functools
from collections.abc import Callable
from math import log, pi

from vae_helpers.validation import objects, tensors, validate

import torch
from torch import Tensor


def _takes_clouds(function: Callable) -> Callable:
    """Decorate a function of codes z (n, d) and clouds mu, logvar (m, d): one d for all."""

    @functools.wraps(function)
    def checked(z: Tensor, mu: Tensor, logvar: Tensor, *args: object, **kwargs: object) -> Tensor:
        for t, name in ((mu, "mu"), (logvar, "logvar"), (z, "z")):
            tensors.table(t, name)
        if logvar.shape != mu.shape:
            raise ValueError(f"mu and logvar must have one shape, got {tuple(mu.shape)} and {tuple(logvar.shape)}.")
        tensors.code_tensor(z, mu.shape[1], "z")
        return function(z, mu, logvar, *args, **kwargs)

    return checked


def _of_one_length(function: Callable) -> Callable:
    @functools.wraps(function)
    def checked(codes: Tensor, factors: Tensor) -> Tensor:
        if len(codes) != len(factors):
            raise ValueError(f"codes and factors must be of the same images, got {len(codes)} and {len(factors)} rows.")
        return function(codes, factors)

    return checked


def _with_a_second_best(function: Callable) -> Callable:
    @functools.wraps(function)
    def checked(r2: Tensor) -> Tensor:
        if len(r2) < 2:
            raise ValueError("r2 must have at least two rows, one per latent dimension: else there is no second best.")
        return function(r2)

    return checked


@validate.arguments(mu=tensors.table, logvar=tensors.table)
@validate.alike
def kl_per_dimension(mu: Tensor, logvar: Tensor) -> Tensor:
    """Mean KL of each latent dimension, (d,), in nats, from the clouds of n images, mu and logvar (n, d)."""
    # mean over images of ½ (μ² + σ² − log σ² − 1)
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1).mean(dim=0)


@validate.arguments(mu=tensors.table, threshold=objects.not_negative)
def active_units(mu: Tensor, threshold: float = 0.01) -> Tensor:
    """Which dimensions move with the image: var of μ over the data > threshold, (d,) bool, from mu (n, d).

    Burda et al. 2016, section 5.2.
    """
    return mu.var(dim=0, correction=0) > threshold


@_takes_clouds
def log_clouds(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """log q(z_i|x_j), (n, m), of codes z (n, d) under the clouds mu, logvar (m, d); holds n · m · d numbers at once."""
    # Σ over dimensions of −½ ((z − μ)²/σ² + log σ² + log 2π)
    squares = (z[:, None] - mu).square() / logvar.exp()
    return -0.5 * (squares + logvar + log(2 * pi)).sum(dim=2)


@validate.arguments(batch_size=objects.positive_int)
@_takes_clouds
def log_aggregate(z: Tensor, mu: Tensor, logvar: Tensor, batch_size: int = 200) -> Tensor:
    """log q(z) of the aggregate posterior, the mixture of all clouds mu, logvar (m, d), at codes z (n, d): (n,)."""
    # log (1/m) Σ_j q(z|x_j)
    parts = [log_clouds(part, mu, logvar).logsumexp(dim=1) for part in z.split(batch_size)]
    return torch.cat(parts) - log(len(mu))


@_takes_clouds
@validate.of_one_shape("z", "mu")
def mutual_information(z: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    """Estimate I(x; z) = E[log q(z|x) − log q(z)] from one draw z (n, d) of each of n clouds: a scalar, in nats.

    q(z) is the mixture of these n clouds, so that the estimate can't exceed log n. Hoffman & Johnson 2016.
    """
    # the cloud that z was drawn from, less the mixture of all
    squares = (z - mu).square() / logvar.exp()
    log_own = -0.5 * (squares + logvar + log(2 * pi)).sum(dim=1)
    return (log_own - log_aggregate(z, mu, logvar)).mean()


@validate.arguments(codes=tensors.table, factors=tensors.table)
@_of_one_length
def r_squared(codes: Tensor, factors: Tensor) -> Tensor:
    """Squared correlation of each latent dimension with each factor, (d, k), from codes (n, d) and factors (n, k).

    The R² of a regression of the factor on that dimension alone. 0 where one of the two doesn't vary; where neither
    does, it is rounding and means nothing.
    """
    codes, factors = (t - t.mean(dim=0) for t in (codes, factors))
    spread = codes.norm(dim=0)[:, None] * factors.norm(dim=0)
    return ((codes.T @ factors) / spread.clamp(min=1e-12)).square()


@validate.arguments(r2=tensors.table)
@_with_a_second_best
def separation(r2: Tensor) -> Tensor:
    """How much each factor has a dimension to itself, (k,): its best R² less its second best, from r2 (d, k), d ≥ 2.

    Kumar et al. 2018, "separated attribute predictability" (there for the mean over factors).
    """
    best, second = r2.topk(2, dim=0).values
    return best - second
