"""The course's best model of digits, trained on images binarized at random, as notebook 06 does it.

Dynamic binarization: the coins are tossed anew each time an image is met. Burda et al. 2016, section 5.1.
"""

from math import ceil

from vae_helpers.data import Dataset
from vae_helpers.losses import WarmUp, binarized_loss
from vae_helpers.models import SmoothVAE, start_at_mean
from vae_helpers.training.checkpoint import remembered
from vae_helpers.training.history import History
from vae_helpers.training.loop import fit
from vae_helpers.validation import validated

import torch

HELD_OUT = 5000
EPOCHS, WARM_UP, LR, BATCH = 35, 8, 3e-3, 256


@validated
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
