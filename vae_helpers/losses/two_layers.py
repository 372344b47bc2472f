"""−ELBO of two layers of codes, x ← z₁ ← z₂: a VAE whose prior is itself one, ``model.prior``, a ``SecondLayer``.

Two ways to share out q(z₁, z₂|x). Bottom-up, q(z₁|x) q(z₂|z₁), has no closed KL for z₁. Top-down, q(z₂|x) q(z₁|z₂, x),
has one for each layer (Sønderby et al. 2016), the form that diffusion uses as well.
"""

from typing import Annotated

from vae_helpers.losses.bounds import reparameterize
from vae_helpers.losses.gaussians import gaussian_log_prob, product_of_gaussians
from vae_helpers.losses.kl import kl_diagonal, kl_to_standard_normal
from vae_helpers.losses.loss import Classes, Images, Loss, Rows
from vae_helpers.validation import Condition, NotNegative, has, validated

from torch import nn

SecondLayerLike = Annotated[nn.Module, has("encode", "decode", "latent_dim", "upper_dim")]


@Condition
def _two_layers(value: nn.Module, name: str) -> None:
    has("encode", "decode", "likelihood", "prior")(value, name)
    has("encode", "decode", "upper_dim")(value.prior, f"{name}.prior")


TwoLayerVAE = Annotated[nn.Module, _two_layers]


@validated
def second_layer_loss(second: SecondLayerLike, z: Rows, beta: NotNegative = 1.0) -> Loss:
    """A bound on −log p(z₁) of codes z, *drawn* ones: −E log p(z₁|z₂) and KL(q(z₂|z₁) ‖ N(0, I)), one z₂ per code.

    The first part is negative where the density exceeds 1.
    """
    mu, logvar = second.encode(z)
    z_2 = reparameterize(mu, logvar)
    reconstruction = -gaussian_log_prob(z, *second.decode(z_2))
    kl = kl_to_standard_normal(mu, logvar)
    return Loss(reconstruction.mean(), kl.mean(), beta)


@validated
def bottom_up_loss(model: TwoLayerVAE, x: Images, y: Classes | None = None, beta: NotNegative = 1.0) -> Loss:
    """−ELBO with q(z₁|x) q(z₂|z₁), one draw of each per image; z₁'s term sampled, z₂'s in closed form."""
    mu, logvar = model.encode(x)
    z_1 = reparameterize(mu, logvar)
    mu_2, logvar_2 = model.prior.encode(z_1)
    z_2 = reparameterize(mu_2, logvar_2)
    reconstruction = model.likelihood.nll(model.decode(z_1), x)
    # log q(z₁|x) − log p(z₁|z₂) at this z₁: z₂ was drawn from it, so that averaging over z₁ alone would be wrong
    kl_1 = gaussian_log_prob(z_1, mu, logvar) - gaussian_log_prob(z_1, *model.prior.decode(z_2))
    kl_2 = kl_to_standard_normal(mu_2, logvar_2)
    return Loss(reconstruction.mean(), (kl_1 + kl_2).mean(), beta)


@validated
def top_down_loss(model: TwoLayerVAE, x: Images, y: Classes | None = None, beta: NotNegative = 1.0) -> Loss:
    """−ELBO with q(z₂|x) q(z₁|z₂, x), one draw of each per image; both KLs in closed form.

    q(z₂|x): the second layer's encoder at μ of the first. q(z₁|z₂, x): the product of the first layer's cloud, what x
    says, and p(z₁|z₂), what z₂ says.
    """
    seen = model.encode(x)
    mu_2, logvar_2 = model.prior.encode(seen[0])
    z_2 = reparameterize(mu_2, logvar_2)
    expected = model.prior.decode(z_2)
    mu_1, logvar_1 = product_of_gaussians(*seen, *expected)
    z_1 = reparameterize(mu_1, logvar_1)
    reconstruction = model.likelihood.nll(model.decode(z_1), x)
    kl = kl_diagonal(mu_1, logvar_1, *expected) + kl_to_standard_normal(mu_2, logvar_2)
    return Loss(reconstruction.mean(), kl.mean(), beta)
