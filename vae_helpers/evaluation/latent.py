"""What is in a code: its KL per dimension, its active units, how much it says of the image, which factor it follows.

Written out in notebook 07: a test compares the definitions.
"""

from math import log, pi
from typing import Annotated

from vae_helpers.validation import Finite, NotNegative, PositiveInt, tensors, validated

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Codes = Finite[Tensor, " n d"]
Clouds = Finite[Tensor, " m d"]


@validated
def kl_per_dimension(mu: Codes, logvar: Codes) -> Float[Tensor, " d"]:
    """Mean KL of each latent dimension from N(0, 1), in nats, from the clouds of n images.

    Of a model with a prior of its own it is no part of the ELBO: that KL is sampled, and doesn't split by dimension.
    """
    # mean over images of ½ (μ² + σ² − log σ² − 1)
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1).mean(dim=0)


@validated
def active_units(mu: Codes, threshold: NotNegative = 0.01) -> Bool[Tensor, " d"]:
    """Which dimensions move with the image: var of μ over the data > threshold.

    Burda et al. 2016, section 5.2.
    """
    return mu.var(dim=0, correction=0) > threshold


@validated
def log_clouds(z: Codes, mu: Clouds, logvar: Clouds) -> Float[Tensor, " n m"]:
    """log q(z_i|x_j) of n codes under m clouds; holds n · m · d numbers at once."""
    # Σ over dimensions of −½ ((z − μ)²/σ² + log σ² + log 2π)
    squares = (z[:, None] - mu).square() / logvar.exp()
    return -0.5 * (squares + logvar + log(2 * pi)).sum(dim=2)


@validated
def log_aggregate(z: Codes, mu: Clouds, logvar: Clouds, batch_size: PositiveInt = 200) -> Float[Tensor, " n"]:
    """log q(z) of the aggregate posterior, the mixture of all clouds, at codes z."""
    # log (1/m) Σ_j q(z|x_j)
    parts = [log_clouds(part, mu, logvar).logsumexp(dim=1) for part in z.split(batch_size)]
    return torch.cat(parts) - log(len(mu))


@validated
def mutual_information(z: Codes, mu: Codes, logvar: Codes) -> Float[Tensor, ""]:
    """Estimate I(x; z) = E[log q(z|x) − log q(z)] from one draw z of each of n clouds, in nats.

    q(z) is the mixture of these n clouds, so that the estimate can't exceed log n. Hoffman & Johnson 2016.
    """
    # the cloud that z was drawn from, less the mixture of all
    squares = (z - mu).square() / logvar.exp()
    log_own = -0.5 * (squares + logvar + log(2 * pi)).sum(dim=1)
    return (log_own - log_aggregate(z, mu, logvar)).mean()


@validated
def r_squared(codes: Codes, factors: Finite[Tensor, " n k"]) -> Float[Tensor, " d k"]:
    """Squared correlation of each latent dimension with each factor.

    The R² of a regression of the factor on that dimension alone. 0 where one of the two doesn't vary; where neither
    does, it is rounding and means nothing.
    """
    codes, factors = (t - t.mean(dim=0) for t in (codes, factors))
    spread = codes.norm(dim=0)[:, None] * factors.norm(dim=0)
    return ((codes.T @ factors) / spread.clamp(min=1e-12)).square()


@validated
def separation(r2: Annotated[Finite[Tensor, " d k"], tensors.at_least_two]) -> Float[Tensor, " k"]:
    """How much each factor has a dimension to itself: its best R² less its second best, of at least two dimensions.

    Kumar et al. 2018, "separated attribute predictability" (there for the mean over factors).
    """
    best, second = r2.topk(2, dim=0).values
    return best - second
