"""A prior made of the encoder itself: the aggregate posterior of a few learned images."""

from collections.abc import Callable
from math import log

from vae_helpers.losses import gaussian_log_prob
from vae_helpers.models.networks import Codes, Unused
from vae_helpers.validation import Pixels, PositiveInt, validated

import torch
from jaxtyping import Float
from torch import Tensor, nn


class VampPrior(nn.Module):
    """The mean of q(z|u) over learned images u, the pseudo-inputs: the aggregate posterior of images nobody took.

    encode: the model's own, ``model.encode``, (mu, logvar) of q(z|u). The pseudo-inputs start as the mean image with
    noise on its logits, and are never training images. K of them cost K passes of the encoder at every step. Tomczak &
    Welling 2018. An encoder that sees labels has none to show here: TypeError.
    """

    @validated
    def __init__(
        self,
        encode: Callable[[Tensor], tuple[Tensor, Tensor]],
        mean_image: Pixels[Tensor, " 1 28 28"],
        n_pseudo_inputs: PositiveInt = 200,
    ) -> None:
        super().__init__()
        start = mean_image.clamp(1e-2, 1 - 1e-2).logit()
        self.logits = nn.Parameter(start + torch.randn(n_pseudo_inputs, *start.shape, device=start.device))
        self.encode, self.latent_dim = encode, encode(mean_image[None])[0].shape[1]

    def pseudo_inputs(self) -> Float[Tensor, " k 1 28 28"]:
        """The learned images, in [0, 1]."""
        return self.logits.sigmoid()

    @validated
    def log_prob(self, z: Codes, y: Unused = None) -> Float[Tensor, " batch"]:
        """log p(z) per code, in nats."""
        # log (1/K) Σ_k q(z|u_k)
        log_each = gaussian_log_prob(z[:, None], *self.encode(self.pseudo_inputs()))
        return log_each.logsumexp(dim=1) - log(len(self.logits))

    @validated
    @torch.no_grad()
    def sample(self, n: PositiveInt, generator: torch.Generator | None = None) -> Float[Tensor, " n {self.latent_dim}"]:
        """Codes drawn from it: first the pseudo-input, then a draw from its cloud."""
        device = self.logits.device
        k = torch.randint(len(self.logits), (n,), generator=generator, device=device)
        mu, logvar = self.encode(self.pseudo_inputs()[k])
        return mu + torch.exp(0.5 * logvar) * torch.randn(mu.shape, generator=generator, device=device)
