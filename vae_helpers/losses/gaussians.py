"""Densities of diagonal Gaussians, and the product of two: what priors, draws and second layers are made of."""

from math import log, pi

from vae_helpers.losses.half_precision import in_float32
from vae_helpers.losses.loss import Rows
from vae_helpers.validation import validated

from jaxtyping import Float
from torch import Tensor

Broadcast = Float[Tensor, " *#n d"]  # a Gaussian for each row, or several


@validated
@in_float32
def gaussian_log_prob(z: Broadcast, mu: Broadcast, logvar: Broadcast) -> Float[Tensor, " *rows"]:
    """log N(z; μ, diag σ²), summed over the last axis, in nats; the other axes may broadcast.

    Of n codes under each of k Gaussians (k, d): hand over z[:, None], and get (n, k).
    """
    # −½ Σ ((z − μ)²/σ² + log σ² + log 2π)
    squares = (z - mu).square() / logvar.exp()
    return -0.5 * (squares + logvar + log(2 * pi)).sum(dim=-1)


@validated
@in_float32
def product_of_gaussians(mu_a: Rows, logvar_a: Rows, mu_b: Rows, logvar_b: Rows) -> tuple[Rows, Rows]:
    """(mu, logvar) of the Gaussian in proportion to N(μ_a, diag σ_a²) · N(μ_b, diag σ_b²).

    Precisions 1/σ² add up, and μ is the mean of both, weighted by them. Sønderby et al. 2016, equations 17 and 18.
    """
    precision_a, precision_b = (-logvar_a).exp(), (-logvar_b).exp()
    precision = precision_a + precision_b
    mu = (precision_a * mu_a + precision_b * mu_b) / precision
    return mu, -precision.log()
