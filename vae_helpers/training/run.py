"""One training under way: its optimizer and schedule, what an epoch does, and the checkpoint it can go on from."""

import time
import warnings
from collections.abc import Callable
from functools import cached_property
from math import isfinite
from pathlib import Path

from vae_helpers.data import in_float64
from vae_helpers.losses import Loss, LossFunction
from vae_helpers.training import checkpoint, processes
from vae_helpers.training.batches import Batches
from vae_helpers.training.history import History, NotFiniteError, RunningLoss
from vae_helpers.training.precision import autocast, in_our_words
from vae_helpers.training.progress import Progress
from vae_helpers.training.randomness import own_random_state, random_state, restore_random_state
from vae_helpers.validation import looks

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

Images = Float[Tensor, " batch 1 28 28"]
Classes = Int64[Tensor, " batch"] | None


class TrainingRun:
    """The state of one call of ``training.fit``.

    settings: what a checkpoint must have been begun with to be resumed here: epochs, lr, precision and more.
    """

    def __init__(self, model: nn.Module, loss: LossFunction, batches: Batches, settings: dict, visible: bool) -> None:
        self.model, self.loss, self.batches, self.settings = model, loss, batches, settings
        self.epochs, self.history = settings["epochs"], History()
        self.part = processes.shared(_Part(model, loss))
        self.cast = autocast(batches.device, settings["precision"])
        self.optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"], fused=True)
        # OneCycleLR divides by zero at four steps, and hardly moves in fewer: shorter runs get the start of five
        steps = max(self.epochs * batches.n_batches, 5)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=settings["lr"], total_steps=steps, pct_start=0.25, cycle_momentum=False
        )
        self.line = Progress(self.epochs * batches.n_batches, visible and processes.rank() == 0)
        self.start, self.kept = time.perf_counter(), {}

    @cached_property
    def _identity(self) -> dict:
        parts = self.batches.x.split(2000)  # a sum in float64 makes a copy eight times as large as bytes are
        pixels = sum(in_float64(part).sum().item() for part in parts)
        data = {"images": len(self.batches), "sum of all pixels": pixels}
        return self.settings | data | {"processes": processes.count()}

    @property
    def done(self) -> int:
        """How many epochs are finished."""
        return len(self.history.train)

    def epoch(self, look: Callable[[], None]) -> Loss:
        """Train on every image once, calling ``look`` before each step; where that ends in NaN, undo it and raise."""
        self.line.title = f"epoch {self.done + 1}/{self.epochs}"
        self.kept = {name: value.clone() for name, value in self.model.state_dict().items()}
        sums = RunningLoss()
        for x, y in self.batches.epoch():
            look()
            sums.add(self._step(x, y), len(x))
            self.line.step()
        mean = sums.mean(everywhere=True)
        if not (isfinite(mean.total) and _all_finite(self.model)):
            self.model.load_state_dict(self.kept)
            raise NotFiniteError(self.done + 1, self.history)
        return mean

    def _step(self, x: Images, y: Classes) -> Loss:
        with in_our_words(), self.cast, looks.looked_at():
            part = self.part(x, y)
        total = part.total
        if not (isinstance(total, Tensor) and total.requires_grad):
            raise TypeError("loss has no gradient: hand its tensors to Loss as they are, without .item() or .detach().")
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        self.schedule.step()
        return part

    def record(self, train: Loss, val: Loss | None, after_epoch: Callable[[int], None] | None) -> None:
        """Add a finished epoch to the history, write it on the progress line, and let the caller look."""
        self.history.train.append(train)
        self.history.val += [] if val is None else [val]
        self.history.seconds.append(time.perf_counter() - self.start)
        self.line.note = self.history.note()
        if after_epoch is not None:
            self.model.eval()
            with own_random_state():
                after_epoch(self.done)
            self.model.train()

    def save(self, path: Path) -> None:
        """Write the checkpoint of a finished epoch; where that fails, say so and train on: the one before survives."""
        training = {"settings": self._identity, "random": processes.gathered(random_state(self.batches.device))}
        training |= {"optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict()}
        training |= {"counted_by_loss": _counters(self.loss)}
        if processes.rank() > 0:
            return
        try:
            checkpoint.save(path, self.model, self.history, training)
        except OSError as error:
            warnings.warn(
                f"Epoch {self.done} could not be saved as {path.name} ({error.strerror}). Training goes on; the file "
                "keeps the epoch saved last. Make room, or give a folder that can be written to.",
                stacklevel=4,
            )

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint: after it, all is as it was when that epoch ended. Raises as ``load_training``."""
        self.history, training = checkpoint.load_training(path, self.model, self._identity)
        self.model.train()
        self.optimizer.load_state_dict(training["optimizer"])
        self.schedule.load_state_dict(training["schedule"])
        if training["counted_by_loss"]:  # a function has none, and may not let itself be written to
            vars(self.loss).update(training["counted_by_loss"])
        restore_random_state(training["random"][processes.rank()], self.batches.device)
        self.start -= self.history.seconds[-1]
        self.line.done = self.done * self.batches.n_batches
        self.line.note = self.history.note()

    def interrupted(self) -> None:
        """Say that the learner stopped it; keep what was learned, unless it has gone to infinity."""
        self.history.stopped = f"stopped by you in epoch {self.done + 1} of {self.epochs}"
        if _all_finite(self.model):
            self.line.note = f"{self.history.stopped}; the model keeps what it has learned"
        else:
            self.model.load_state_dict(self.kept)
            self.line.note = f"{self.history.stopped}; a weight was not finite: back to that epoch's start"

    def close(self) -> None:
        """Leave the model without gradients, ready for use."""
        self.optimizer.zero_grad()
        self.model.eval()
        self.line.close()


class _Part(nn.Module):
    """The caller's loss of a model as a module, so that one that averages gradients can be wrapped around it."""

    def __init__(self, model: nn.Module, loss: LossFunction) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, x: Images, y: Classes) -> Loss:
        """The loss of a batch, its kind checked."""
        return checked(self.loss(self.model, x, y))


def checked(part: object) -> Loss:
    """What a loss function returned. Raises TypeError or ValueError unless it is a Loss of single numbers."""
    if not isinstance(part, Loss):
        raise TypeError(f"loss must return a losses.Loss, got {type(part).__name__}: return Loss(reconstruction, kl).")
    if any(isinstance(p, Tensor) and p.ndim for p in part):
        raise ValueError("The parts of a Loss must be single numbers: average them over the batch with .mean().")
    return part


def _counters(loss: LossFunction) -> dict[str, float]:
    """The numbers that a loss keeps itself, as ``losses.WarmUp`` does its steps."""
    return {name: value for name, value in getattr(loss, "__dict__", {}).items() if isinstance(value, (int, float))}


def _all_finite(model: nn.Module) -> bool:
    return bool(torch.stack([p.isfinite().all() for p in model.parameters()]).all())
