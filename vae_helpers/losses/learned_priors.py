"""−ELBO under a prior that is no N(0, I), the model's own ``model.prior``: the KL is sampled, with no closed form.

``*_loss`` functions give a ``Loss``, averaged over the batch. Both logarithms of the KL are taken at the z that is
decoded: at two draws their difference would be noise, and at μ no KL.
"""

from typing import Annotated

from vae_helpers.losses.bounds import prior_with_density, reparameterize
from vae_helpers.losses.gaussians import gaussian_log_prob
from vae_helpers.losses.loss import Classes, Images, Loss
from vae_helpers.losses.reconstruction import bernoulli_nll
from vae_helpers.validation import LabelsInAStep, NotNegative, has, validated

from torch import Tensor, nn


@validated
def prior_loss(
    model: Annotated[nn.Module, has("encode", "decode", "likelihood", "prior"), prior_with_density],
    x: Images,
    y: Classes | None = None,
    beta: NotNegative = 1.0,
) -> Loss:
    """−ELBO of a VAE under ``model.prior``, one sample of z per image. x in [0, 1]; its KL may be negative for a batch.

    y: labels, for a prior p(z|y); encoder and decoder don't see them, and the bound is one on −log p(x|y) then.
    """
    mu, logvar = model.encode(x)
    z = reparameterize(mu, logvar)
    reconstruction = model.likelihood.nll(model.decode(z, y), x)
    # E log q(z|x) − log p(z), both at this z
    kl = gaussian_log_prob(z, mu, logvar) - model.prior.log_prob(z, y)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@validated
def conditional_prior_loss(
    model: Annotated[nn.Module, has("encode", "decode", "n_classes", "prior"), prior_with_density],
    x: Images,
    y: LabelsInAStep[Tensor, " batch"],
    beta: NotNegative = 1.0,
) -> Loss:
    """Conditional −ELBO of a ConditionalVAE under ``model.prior``, p(z|y) or p(z): a bound on −log p(x|y)."""
    mu, logvar = model.encode(x, y)
    z = reparameterize(mu, logvar)
    reconstruction = bernoulli_nll(model.decode(z, y), x)
    # E log q(z|x, y) − log p(z|y), both at this z
    kl = gaussian_log_prob(z, mu, logvar) - model.prior.log_prob(z, y)
    return Loss(reconstruction.mean(), kl.mean(), beta)
