"""The course's best model of digits, on images binarized at random: its network, its loss, its training.

Written out in notebook 06: a test holds the definitions together. Dynamic binarization: the coins are tossed anew each
time an image is met. Burda et al. 2016, section 5.1.
"""

from math import ceil

import torch
from torch import Tensor, nn

from vae_helpers import checks, plain, takes
from vae_helpers.checkpoint import remembered
from vae_helpers.collapse import WarmUp
from vae_helpers.data import Dataset
from vae_helpers.history import History
from vae_helpers.losses import Loss, vae_loss
from vae_helpers.models import VAE, mlp, start_at_mean
from vae_helpers.training import fit

HELD_OUT = 5000
EPOCHS, WARM_UP, LR, BATCH = 35, 8, 3e-3, 256


class SmoothVAE(VAE):
    """VAE of two hidden layers on each side and a smooth activation, SiLU. Raises as ``VAE`` does."""

    @takes.sizes
    def __init__(self, latent_dim: int = 50, hidden: tuple[int, ...] = (400, 400)) -> None:
        super().__init__(latent_dim, hidden)
        self.encoder = mlp(784, *hidden, 2 * latent_dim, activation=nn.SiLU)
        self.decoder = mlp(latent_dim, *reversed(hidden), 784, activation=nn.SiLU)


@takes.arguments(x=checks.float_images)
def binarized_loss(model: nn.Module, x: Tensor, y: Tensor | None = None, beta: float = 1.0) -> Loss:
    """−ELBO of images binarized at random, anew at each call. x: grey images (batch, 1, 28, 28) in [0, 1]."""
    x_bin = torch.bernoulli(x)
    return vae_loss(model, x_bin, y, beta)


@takes.arguments(dataset=plain.an(Dataset))
def best_vae(dataset: Dataset) -> tuple[SmoothVAE, History]:
    """The model that notebook 06 calls its best, from an earlier run on this machine or trained now: 2 to 3 minutes.

    The last 5,000 training images, on which its sizes were chosen, stay out.
    """
    if len(dataset.x) <= HELD_OUT:
        raise ValueError(f"dataset must hold more than {HELD_OUT} training images, got {len(dataset.x)}.")
    x = dataset.x[:-HELD_OUT]
    torch.manual_seed(0)
    model = SmoothVAE().to(x.device)

    def train() -> History:
        """From the mean image on, with the warm-up."""
        start_at_mean(model, x)
        loss = WarmUp(binarized_loss, WARM_UP * ceil(len(x) / BATCH))
        return fit(model, x, loss, epochs=EPOCHS, lr=LR, batch_size=BATCH)

    told = {"loss": "binarized_loss", "epochs": EPOCHS, "warm_up": WARM_UP, "lr": LR, "seed": 0, "held_out": HELD_OUT}
    return model, remembered(model, dataset.name, train, **told)
