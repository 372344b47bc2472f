"""One training loop for every model of the course: ``fit``. The loss is the caller's, and so stays visible."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil, isfinite

import torch
from torch import Tensor, nn

from vae_helpers import checks
from vae_helpers.data import to_float
from vae_helpers.losses import Loss
from vae_helpers.precision import autocast
from vae_helpers.progress import Progress

LossFunction = Callable[[nn.Module, Tensor, Tensor | None], Loss]


@dataclass
class History:
    """What ``fit`` saw, one entry per finished epoch.

    train: mean Loss over the epoch's batches (weights still moving). val: Loss on validation images after it, if any.
    seconds: time since the start. stopped: why training ended early, or "".
    """

    train: list[Loss] = field(default_factory=list)
    val: list[Loss] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stopped: str = ""

    def __repr__(self) -> str:
        if not self.train:
            return f"History: no finished epoch{'; ' + self.stopped if self.stopped else ''}"
        last = f"last training loss {self.train[-1].total:.2f} nats per image"
        return f"History: {len(self.train)} epochs in {self.seconds[-1]:.1f} s, {last}" + (
            f"; {self.stopped}" if self.stopped else ""
        )


class NotFiniteError(ArithmeticError):
    """A loss or a weight became NaN or infinite; ``history`` holds the epochs before."""

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message)
        self.history = history


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
) -> History:
    """Train ``model`` in place with Adam and a one-cycle schedule; returns its ``History``.

    x: images (n, 1, 28, 28), uint8 or float in [0, 1]; y: labels int64 (n,), handed to ``loss`` with each batch.
    loss(model, x, y) → Loss, in nats per image. lr: the schedule's peak. A batch larger than the data is one batch.
    precision: "float32", "bf16", or "auto" (bf16 where the processor computes in it).
    The same seed gives the same shuffles and the same noise; the global random state is left as it was.
    Ctrl-C (Stop) keeps what has been learned. Where a loss or weight is not finite, training ends with that epoch and
    NotFiniteError, the weights of its start restored. TypeError or ValueError: arguments that can't be trained on.
    """
    _check(model, x, y, epochs, batch_size, lr)
    x, y = _on_device_of(model, x, y)
    run = _Run(model, loss, epochs, ceil(len(x) / batch_size), lr, autocast(x.device, precision), progress)
    model.train()
    try:
        with _random_state_of_its_own(seed, x.device):
            for _ in range(epochs):
                run.epoch(x, y)
                if x_val is not None:
                    run.history.val.append(mean_loss(model, x_val, loss, y_val, seed=seed))
                run.tell()
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
    checks.image_tensor(x)
    checks.image_values(x)
    x, y = _on_device_of(model, x, y)
    was_training = model.training
    model.eval()
    sums = _Sums()
    with _random_state_of_its_own(seed, x.device):
        for i in range(0, len(x), batch_size):
            batch = to_float(x[i : i + batch_size])
            part = loss(model, batch, None if y is None else y[i : i + batch_size])
            sums.add(part, len(batch))
    model.train(was_training)
    return sums.mean()


def _check(model: nn.Module, x: Tensor, y: Tensor | None, epochs: int, batch_size: int, lr: float) -> None:
    checks.positive_int(epochs, "epochs")
    checks.positive_int(batch_size, "batch_size")
    if not (isinstance(lr, (int, float)) and isfinite(lr) and lr > 0):
        raise ValueError(f"lr must be a positive number, got {lr!r}.")
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(f"{type(model).__name__} has no weight to train: every requires_grad is False.")
    checks.image_tensor(x)
    checks.image_values(x)
    if y is not None:
        checks.label_tensor(y, len(x))


def _on_device_of(model: nn.Module, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
    device = next(model.parameters()).device
    return x.to(device), None if y is None else y.to(device)


@contextmanager
def _random_state_of_its_own(seed: int, device: torch.device) -> Iterator[None]:
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
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
    ) -> None:
        self.model, self.loss, self.epochs, self.n_batches, self.cast = model, loss, epochs, n_batches, cast
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
        # OneCycleLR ends at a rate of zero: in a run of a single step that would be the only rate, hence two
        steps = max(epochs * n_batches, 2)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=lr, total_steps=steps, pct_start=0.25, cycle_momentum=False
        )
        self.history, self.line, self.start = History(), Progress(epochs * n_batches, visible), time.perf_counter()

    def epoch(self, x: Tensor, y: Tensor | None) -> None:
        """Train on every image once; where that ends in NaN or infinity, undo it and raise."""
        number = len(self.history.train) + 1
        self.line.title = f"epoch {number}/{self.epochs}"
        kept = {name: value.clone() for name, value in self.model.state_dict().items()}
        sums = _Sums()
        for index in torch.randperm(len(x)).to(x.device).tensor_split(self.n_batches):
            batch = to_float(x[index])
            sums.add(self._step(batch, None if y is None else y[index]), len(batch))
            self.line.step()
        mean = sums.mean()
        if not (isfinite(mean.total) and _all_finite(self.model)):
            self.model.load_state_dict(kept)
            raise _not_finite(number, self.history)
        self.history.train.append(mean)

    def _step(self, x: Tensor, y: Tensor | None) -> Loss:
        with self.cast:
            part = self.loss(self.model, x, y)
        self.optimizer.zero_grad()
        part.total.backward()
        self.optimizer.step()
        self.schedule.step()
        return part

    def tell(self) -> None:
        """Note the time, and write the last losses on the progress line."""
        self.history.seconds.append(time.perf_counter() - self.start)
        self.line.note = _note(self.history)

    def interrupted(self) -> None:
        """Say that the learner stopped it, and that nothing is lost."""
        self.history.stopped = f"stopped by you in epoch {len(self.history.train) + 1} of {self.epochs}"
        self.line.note = f"{self.history.stopped}; the model keeps what it has learned"

    def close(self) -> None:
        """Leave the model without gradients, ready for use."""
        self.optimizer.zero_grad()
        self.model.eval()
        self.line.close()


class _Sums:
    """Running sums of a loss's parts, kept on the device: their values are asked for once, by ``mean``."""

    def __init__(self) -> None:
        self.reconstruction, self.kl, self.beta, self.n = 0.0, 0.0, 1.0, 0

    def add(self, part: Loss, n: int) -> None:
        """Add the mean loss of a batch of n images."""
        self.reconstruction = self.reconstruction + n * _detached(part.reconstruction)
        self.kl = self.kl + n * _detached(part.kl)
        self.beta, self.n = part.beta, self.n + n

    def mean(self) -> Loss:
        """The mean loss per image, as floats."""
        return Loss(float(self.reconstruction) / self.n, float(self.kl) / self.n, self.beta)


def _detached(value: Tensor | float) -> Tensor | float:
    return value.detach().double() if isinstance(value, Tensor) else value


def _all_finite(model: nn.Module) -> bool:
    return bool(torch.stack([p.isfinite().all() for p in model.parameters()]).all())


def _not_finite(epoch: int, history: History) -> NotFiniteError:
    return NotFiniteError(
        f"The loss or a weight became NaN or infinite in epoch {epoch}. "
        "The model has the weights of that epoch's start again. "
        "Usual causes: a learning rate too high (halve lr), the log of zero, the exp of a large log σ² (clamp it).",
        history,
    )


def _note(history: History) -> str:
    train = history.train[-1]
    text = f"loss {train}" if train.kl else f"loss {train.total:.2f} nats per image"
    return text + (f", held out {history.val[-1].total:.2f}" if history.val else "")
