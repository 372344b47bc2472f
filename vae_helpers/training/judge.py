"""The judge of samples, trained once on a machine and shared by the notebooks that score samples with it."""

from vae_helpers.data import Dataset
from vae_helpers.losses import Loss
from vae_helpers.models import Judge
from vae_helpers.training.checkpoint import remembered
from vae_helpers.training.history import History
from vae_helpers.training.loop import fit
from vae_helpers.validation import validated

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

EPOCHS, LR, BATCH, LEAST_STEPS = 4, 4e-3, 256, 500


def judge_loss(judge: Judge, x: Float[Tensor, " batch 1 28 28"], y: Int64[Tensor, " batch"]) -> Loss:
    """Cross-entropy of the true class, in nats per image."""
    return Loss(F.cross_entropy(judge(x), y))


@validated
def trained_judge(dataset: Dataset) -> tuple[Judge, History]:
    """A classifier of the data set, from an earlier run on this machine or trained now: half a minute on two cores.

    About 99 % of MNIST's test images are read rightly by it. Hand it to ``evaluation.SampleScorer``.
    """
    torch.manual_seed(0)
    judge = Judge().to(dataset.x.device)
    steps = -(-len(dataset.x) // BATCH)
    epochs = max(EPOCHS, -(-LEAST_STEPS // steps))

    def train() -> History:
        """On all training images."""
        return fit(judge, dataset.x, judge_loss, dataset.y, epochs=epochs, lr=LR, batch_size=BATCH)

    told = {"loss": "judge_loss", "epochs": epochs, "lr": LR, "batch_size": BATCH, "seed": 0}
    return judge, remembered(judge, dataset.name, train, **told)
