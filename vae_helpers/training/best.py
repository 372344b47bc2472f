"""The course's best models of digits, trained on images binarized at random: notebook 06's, and the one that closes 10.

Dynamic binarization: the coins are tossed anew each time an image is met. Burda et al. 2016, section 5.1.
"""

from math import ceil

from vae_helpers.data import Dataset
from vae_helpers.losses import WarmUp, binarized_loss
from vae_helpers.models import MixtureVAE, SmoothVAE, start_at_mean
from vae_helpers.training.checkpoint import remembered
from vae_helpers.training.history import History
from vae_helpers.training.loop import fit
from vae_helpers.training.plan import Plan
from vae_helpers.training.timed import fit_for
from vae_helpers.validation import Pixels, Seed, validated

import torch
from torch import Tensor

HELD_OUT = 5000
EPOCHS, WARM_UP, LR, BATCH = 35, 8, 3e-3, 256
SECONDS, PLAN = 180.0, Plan(warm_up=0.4, draws=5, draws_from=0.6)


@validated
def best_vae(dataset: Dataset) -> tuple[SmoothVAE, History]:
    """The model that notebook 06 calls its best, from an earlier run on this machine or trained now: 2 to 3 minutes.

    The last 5,000 training images, on which its sizes were chosen, stay out.
    """
    x = _without_held_out(dataset)
    torch.manual_seed(0)
    model = SmoothVAE().to(x.device)

    def train() -> History:
        """From the mean image on, with the warm-up."""
        start_at_mean(model, x)
        loss = WarmUp(binarized_loss, WARM_UP * ceil(len(x) / BATCH))
        return fit(model, x, loss, epochs=EPOCHS, lr=LR, batch_size=BATCH)

    told = {"loss": "binarized_loss", "epochs": EPOCHS, "warm_up": WARM_UP, "lr": LR, "seed": 0, "held_out": HELD_OUT}
    return model, remembered(model, dataset.name, train, **told)


@validated
def best_mixture_vae(dataset: Dataset, seed: Seed = 0) -> tuple[MixtureVAE, History]:
    """The best model of figures/leaderboard.md, from an earlier run on this machine or trained now, for three minutes.

    Time, and not passes, is fixed: on a slower machine, or beside other programs, it comes out worse. The last 5,000
    training images, on which its sizes were chosen, stay out.
    """
    x = _without_held_out(dataset)
    torch.manual_seed(seed)
    model = MixtureVAE().to(x.device)

    def train() -> History:
        """From the mean image on, by the plan."""
        start_at_mean(model, x)
        return fit_for(model, x, SECONDS, PLAN, seed)

    return model, remembered(model, dataset.name, train, **settings(seed))


@validated
def settings(seed: Seed) -> dict[str, object]:
    """All that the weights of ``best_mixture_vae`` depend on, but the machine's speed."""
    return {"plan": vars(PLAN), "seconds": SECONDS, "seed": seed, "held_out": HELD_OUT}


def _without_held_out(dataset: Dataset) -> Pixels[Tensor, " n 1 28 28"]:
    if len(dataset.x) <= HELD_OUT:
        raise ValueError(f"dataset must hold more than {HELD_OUT} training images, got {len(dataset.x)}.")
    return dataset.x[:-HELD_OUT]
