"""One training loop for every model of the course: ``fit``. The loss is the caller's, and so stays visible."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil, isfinite

import torch
from torch import Tensor, nn

from vae_helpers import checks
from vae_helpers.data import to_float
from vae_helpers.history import History, NotFiniteError, RunningLoss
from vae_helpers.losses import Loss
from vae_helpers.precision import autocast
from vae_helpers.progress import Progress

LossFunction = Callable[[nn.Module, Tensor, Tensor | None], Loss]


def fit(
    model: nn.Module,
    x: Tensor,
    loss: LossFunction,
    y: Tensor | None = None,
    *,
    epochs: int = 8,
    batch_size: int = 256,
    lr: float = 4e-3,
    x_val: Tensor | None = None,
    y_val: Tensor | None = None,
    seed: int = 0,
    precision: str = "auto",
    progress: bool = True,
    after_epoch: Callable[[int], None] | None = None,
) -> History:
    """Train ``model`` in place with Adam and a one-cycle schedule; returns its ``History``.

    x: images (n, 1, 28, 28), uint8 or float in [0, 1]; y: labels int64 (n,); loss(model, x, y) → Loss, nats per image.
    lr: the schedule's peak. precision: "float32", "bf16", or "auto" (bf16 where the hardware computes in it).
    The same seed gives the same shuffles and the same noise; the global random state is left as it was.
    after_epoch(k): called after epoch k = 1, 2, …, in evaluation mode; its draws leave training alone, errors end it.
    Ctrl-C (Stop) keeps what has been learned. Where a loss or weight is not finite, training ends with that epoch and
    NotFiniteError, the weights of its start restored. TypeError or ValueError: arguments that can't be trained on.
    """
    _check(model, epochs, lr, batch_size, x, y, x_val, y_val)
    x, y = _on_device_of(model, x, y)
    run = _Run(model, loss, epochs, ceil(len(x) / batch_size), lr, autocast(x.device, precision), progress, after_epoch)
    model.train()
    try:
        with _random_state_of_its_own(seed):
            for _ in range(epochs):
                train = run.epoch(x, y)
                val = None if x_val is None else mean_loss(model, x_val, loss, y_val, seed=seed)
                run.record(train, val)
    except KeyboardInterrupt:
        run.interrupted()
    finally:
        run.close()
    return run.history


@torch.no_grad()
def mean_loss(
    model: nn.Module,
    x: Tensor,
    loss: LossFunction,
    y: Tensor | None = None,
    *,
    batch_size: int = 1000,
    seed: int = 0,
) -> Loss:
    """A loss averaged over all images (n, 1, 28, 28), as floats, in nats per image; seeded, in float32, in batches."""
    checks.positive_int(batch_size, "batch_size")
    _check_images(x, y)
    x, y = _on_device_of(model, x, y)
    was_training, mean = model.training, RunningLoss()
    model.eval()
    try:
        with _random_state_of_its_own(seed):
            for i in range(0, len(x), batch_size):
                batch = to_float(x[i : i + batch_size])
                mean.add(_checked(loss(model, batch, None if y is None else y[i : i + batch_size])), len(batch))
    finally:
        model.train(was_training)
    return mean.mean()


def _check(
    model: nn.Module,
    epochs: int,
    lr: float,
    batch_size: int,
    x: Tensor,
    y: Tensor | None,
    x_val: Tensor | None,
    y_val: Tensor | None,
) -> None:
    checks.positive_int(epochs, "epochs")
    checks.positive_int(batch_size, "batch_size")
    if not (isinstance(lr, (int, float)) and isfinite(lr) and lr > 0):
        raise ValueError(f"lr must be a positive number, got {lr!r}.")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(f"{type(model).__name__} has no weight to train: every requires_grad is False.")
    _check_images(x, y)
    if x_val is not None:
        _check_images(x_val, y_val, "x_val", "y_val")


def _check_images(x: Tensor, y: Tensor | None, x_name: str = "x", y_name: str = "y") -> None:
    checks.image_tensor(x, x_name)
    checks.image_values(x, x_name)
    if y is not None:
        checks.label_tensor(y, len(x), y_name)


def _checked(part: object) -> Loss:
    if not isinstance(part, Loss):
        raise TypeError(f"loss must return a losses.Loss, got {type(part).__name__}: return Loss(reconstruction, kl).")
    if any(isinstance(p, Tensor) and p.ndim for p in part):
        raise ValueError("The parts of a Loss must be single numbers: average them over the batch with .mean().")
    return part


def _on_device_of(model: nn.Module, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
    device = next(model.parameters()).device
    return x.to(device), None if y is None else y.to(device)


@contextmanager
def _random_state_of_its_own(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


class _Run:
    """One call of ``fit``: optimizer, schedule, progress line and history, and what an epoch does with them."""

    def __init__(
        self,
        model: nn.Module,
        loss: LossFunction,
        epochs: int,
        n_batches: int,
        lr: float,
        cast: torch.autocast,
        visible: bool,
        after_epoch: Callable[[int], None] | None,
    ) -> None:
        self.model, self.loss, self.epochs, self.n_batches, self.cast = model, loss, epochs, n_batches, cast
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
        # OneCycleLR divides by zero at four steps, and hardly moves in fewer: shorter runs get the start of five
        steps = max(epochs * n_batches, 5)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=lr, total_steps=steps, pct_start=0.25, cycle_momentum=False
        )
        self.history, self.line, self.start = History(), Progress(epochs * n_batches, visible), time.perf_counter()
        self.kept, self.after_epoch = {}, after_epoch

    def epoch(self, x: Tensor, y: Tensor | None) -> Loss:
        """Train on every image once; where that ends in NaN or infinity, undo it and raise."""
        number = len(self.history.train) + 1
        self.line.title = f"epoch {number}/{self.epochs}"
        self.kept = {name: value.clone() for name, value in self.model.state_dict().items()}
        sums = RunningLoss()
        for index in torch.randperm(len(x)).to(x.device).tensor_split(self.n_batches):
            batch = to_float(x[index])
            sums.add(self._step(batch, None if y is None else y[index]), len(batch))
            self.line.step()
        mean = sums.mean()
        if not (isfinite(mean.total) and _all_finite(self.model)):
            self.model.load_state_dict(self.kept)
            raise NotFiniteError(number, self.history)
        return mean

    def _step(self, x: Tensor, y: Tensor | None) -> Loss:
        with self.cast:
            part = _checked(self.loss(self.model, x, y))
        self.optimizer.zero_grad()
        part.total.backward()
        self.optimizer.step()
        self.schedule.step()
        return part

    def record(self, train: Loss, val: Loss | None) -> None:
        """Add a finished epoch to the history, write it on the progress line, and let the caller look."""
        self.history.train.append(train)
        self.history.val += [] if val is None else [val]
        self.history.seconds.append(time.perf_counter() - self.start)
        self.line.note = self.history.note()
        if self.after_epoch is not None:
            self.model.eval()
            with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
                self.after_epoch(len(self.history.train))
            self.model.train()

    def interrupted(self) -> None:
        """Say that the learner stopped it; keep what was learned, unless it has gone to infinity."""
        self.history.stopped = f"stopped by you in epoch {len(self.history.train) + 1} of {self.epochs}"
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


def _all_finite(model: nn.Module) -> bool:
    return bool(torch.stack([p.isfinite().all() for p in model.parameters()]).all())
