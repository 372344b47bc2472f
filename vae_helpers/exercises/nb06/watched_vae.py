"""A small VAE that takes down what its encoder is shown and what its decoder is given, and the encoder beside it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from vae_helpers.models import VAE

import torch
from jaxtyping import Float
from torch import Tensor

N_IMAGES, LATENT_DIM = 5, 3


@dataclass
class Seen:
    """What happened in one call. shown: to ``encode``; decoded: the codes; slopes: of the loss in each of those.

    others_encoder: how often the model's own encoder was asked, where another one was handed over.
    """

    shown: list[Float[Tensor, "n 1 28 28"]] = field(default_factory=list)
    decoded: list[Float[Tensor, "n d"]] = field(default_factory=list)
    slopes: dict[int, Float[Tensor, "n d"]] = field(default_factory=dict)
    others_encoder: int = 0
    result: object = None


class WatchedVAE(VAE):
    """Takes down the codes it decodes, and the slope of whatever loss is computed from each."""

    def __init__(self, seen: Seen, seed: int) -> None:
        super().__init__(LATENT_DIM, hidden=(6,))
        self.seen = seen
        g = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(torch.randn(weight.shape, generator=g) * (0.6 if weight.ndim == 2 else 0.2))
        self.encoder.requires_grad_(False)

    def encode(self, x: Float[Tensor, "n 1 28 28"]) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
        """As a VAE does; counted, for another encoder is handed over."""
        self.seen.others_encoder += 1
        return super().encode(x)

    def decode(self, z: Float[Tensor, "n d"], y: None = None) -> Float[Tensor, "n 1 28 28"]:
        """As a VAE does; z is taken down."""
        k = len(self.seen.decoded)
        self.seen.decoded.append(z.detach().clone())
        if z.requires_grad:
            z.register_hook(lambda slope: self.seen.slopes.setdefault(k, slope.detach().clone()))
        return super().decode(z, y)

    def unseen(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n 1 28 28"]:
        """Decode, without a note of it."""
        return super().decode(z)


def encoder(seen: Seen, seed: int) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """Another encoder than the model's own: every log σ² differs, and what it is shown is taken down."""
    g = torch.Generator().manual_seed(seed + 77)
    weight = 0.15 * torch.randn(784, LATENT_DIM, generator=g)
    logvar = 1.2 * torch.randn(N_IMAGES, LATENT_DIM, generator=g) - 1

    def encode(x: Tensor) -> tuple[Tensor, Tensor]:
        """(mu, logvar) of each image."""
        seen.shown.append(x.detach().clone())
        return x.flatten(1).float() @ weight, logvar[: len(x)].clone()

    return encode


def grey_images(seed: int) -> Float[Tensor, "n 1 28 28"]:
    """As many as the encoder has clouds for."""
    return torch.rand(N_IMAGES, 1, 28, 28, generator=torch.Generator().manual_seed(seed + 66))
