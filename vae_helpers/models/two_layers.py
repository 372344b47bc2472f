"""A second layer of codes, z₁ ← z₂: a small VAE whose data are the codes of another."""

from vae_helpers.models.networks import Codes, mlp
from vae_helpers.validation import PositiveInt, Widths, validated

import torch
from jaxtyping import Float
from torch import Tensor, nn

UpperCodes = Float[Tensor, " batch {self.upper_dim}"]


class SecondLayer(nn.Module):
    """p(z₂) = N(0, I), p(z₁|z₂) and q(z₂|z₁), both diagonal Gaussians: a prior of z₁ that can be drawn from.

    As ``model.prior`` it makes a VAE one of two layers (``losses.bottom_up_loss``, ``losses.top_down_loss``). Of log
    p(z₁) it has a bound only (``losses.second_layer_loss``), so that there is no ``log_prob``.
    """

    @validated
    def __init__(self, latent_dim: PositiveInt, upper_dim: PositiveInt, hidden: Widths = (256, 256)) -> None:
        super().__init__()
        self.latent_dim, self.upper_dim = latent_dim, upper_dim
        self.encoder = mlp(latent_dim, *hidden, 2 * upper_dim, activation=nn.SiLU)
        self.decoder = mlp(upper_dim, *reversed(hidden), 2 * latent_dim, activation=nn.SiLU)

    @validated
    def encode(self, z: Codes) -> tuple[UpperCodes, UpperCodes]:
        """Codes z₁ → (mu, logvar) of q(z₂|z₁)."""
        mu, logvar = self.encoder(z).chunk(2, dim=1)
        return mu, logvar.clamp(-30, 20)

    @validated
    def decode(self, z: UpperCodes) -> tuple[Codes, Codes]:
        """Codes z₂ → (mu, logvar) of p(z₁|z₂)."""
        mu, logvar = self.decoder(z).chunk(2, dim=1)
        return mu, logvar.clamp(-30, 20)

    @validated
    @torch.no_grad()
    def sample(self, n: PositiveInt, generator: torch.Generator | None = None) -> Float[Tensor, " n {self.latent_dim}"]:
        """Codes z₁ drawn from it: first z₂ from N(0, I), then z₁ from p(z₁|z₂)."""
        device = next(self.parameters()).device
        z_2 = torch.randn(n, self.upper_dim, generator=generator, device=device)
        mu, logvar = self.decode(z_2)
        return mu + torch.exp(0.5 * logvar) * torch.randn(mu.shape, generator=generator, device=device)
