"""One loop that trains every model of the course, can be stopped, resumed and shared, and keeps what was learned."""

from vae_helpers.training import checkpoint
from vae_helpers.training.best import best_mixture_vae, best_vae
from vae_helpers.training.checkpoint import CheckpointError
from vae_helpers.training.history import History, NotFiniteError
from vae_helpers.training.judge import trained_judge
from vae_helpers.training.loop import fit, mean_loss
from vae_helpers.training.optimizers import without_compiler
from vae_helpers.training.plan import Plan
from vae_helpers.training.timed import fit_for

__all__ = [
    "CheckpointError",
    "History",
    "NotFiniteError",
    "Plan",
    "best_mixture_vae",
    "best_vae",
    "checkpoint",
    "fit",
    "fit_for",
    "mean_loss",
    "trained_judge",
]

without_compiler()
