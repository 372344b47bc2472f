"""One training loop for every model of the course: ``fit``. The loss is the caller's, and so stays visible."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import ceil, isfinite

import torch
from torch import Tensor, nn

from vae_helpers import checks
from vae_helpers.data import to_float
from vae_helpers.losses import Loss
from vae_helpers.progress import Progress

LossFunction = Callable[[nn.Module, Tensor, Tensor | None], Loss]


@dataclass
class History:
    """What ``fit`` saw, one entry per finished epoch.

    train: mean Loss over the epoch's batches (weights still moving). val: Loss on the validation images after it, if any.
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

    Ctrl-C (Stop) ends training and keeps what has been learned. Where a loss or weight is not finite, training ends
    with that epoch, the weights of its start are restored, and NotFiniteError says so. Raises TypeError or ValueError
    for arguments that can't be trained on.
    """
    _check(model, x, y, epochs, batch_size, lr)
    x, y = _on_device_of(model, x, y)
    n_batches = ceil(len(x) / batch_size)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    schedule = _one_cycle(optimizer, lr, epochs * n_batches)
    cast = _autocast(x.device, precision)
    history, line = History(), Progress(epochs * n_batches, progress)
    start = time.perf_counter()
    model.train()
    try:
        with torch.random.fork_rng(devices=[x.device] if x.is_cuda else []):
            torch.manual_seed(seed)
            for epoch in range(1, epochs + 1):
                line.title = f"epoch {epoch}/{epochs}"
                kept = _copy_of(model)
                mean = _epoch(model, loss, _batches(x, y, n_batches), optimizer, schedule, cast, line)
                if not (isfinite(mean.total) and _all_finite(model)):
                    model.load_state_dict(kept)
                    raise _not_finite(epoch, history)
                history.train.append(mean)
                if x_val is not None:
                    history.val.append(mean_loss(model, x_val, loss, y_val, seed=seed))
                history.seconds.append(time.perf_counter() - start)
                line.note = _note(history)
    except KeyboardInterrupt:
        history.stopped = f"stopped by you in epoch {len(history.train) + 1} of {epochs}"
        line.note = f"{history.stopped}; the model keeps what it has learned"
    finally:
        optimizer.zero_grad()
        model.eval()
        line.close()
    return history


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
    total = torch.zeros(2, dtype=torch.float64, device=x.device)
    with torch.random.fork_rng(devices=[x.device] if x.is_cuda else []):
        torch.manual_seed(seed)
        for i in range(0, len(x), batch_size):
            batch = to_float(x[i : i + batch_size])
            part = loss(model, batch, None if y is None else y[i : i + batch_size])
            total += _as_tensor(part, x.device) * len(batch)
    model.train(was_training)
    reconstruction, kl = (total / len(x)).tolist()
    return Loss(reconstruction, kl, part.beta)


def processor_has_bf16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 in hardware (elsewhere it is slower than float32)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    probes = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return device.type == "cpu" and any(probe() for probe in probes if probe is not None)


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


def _one_cycle(optimizer: torch.optim.Optimizer, lr: float, steps: int) -> torch.optim.lr_scheduler.OneCycleLR:
    # OneCycleLR ends at a rate of zero: in a run of a single step that would be the only rate.
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=lr, total_steps=max(steps, 2), pct_start=0.25, cycle_momentum=False
    )


def _autocast(device: torch.device, precision: str) -> torch.autocast:
    if precision not in ("auto", "float32", "bf16"):
        raise ValueError(f'precision must be "auto", "float32" or "bf16", got {precision!r}.')
    wanted = precision == "bf16" or (precision == "auto" and processor_has_bf16(device))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=wanted)


def _batches(x: Tensor, y: Tensor | None, n_batches: int) -> Iterator[tuple[Tensor, Tensor | None]]:
    order = torch.randperm(len(x)).to(x.device)
    for index in order.tensor_split(n_batches):
        yield to_float(x[index]), None if y is None else y[index]


def _epoch(
    model: nn.Module,
    loss: LossFunction,
    batches: Iterator[tuple[Tensor, Tensor | None]],
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    cast: torch.autocast,
    line: Progress,
) -> Loss:
    total, seen = 0.0, 0
    for x, y in batches:
        with cast:
            part = loss(model, x, y)
        optimizer.zero_grad()
        part.total.backward()
        optimizer.step()
        schedule.step()
        total, seen = total + _as_tensor(part, x.device) * len(x), seen + len(x)
        line.step()
    reconstruction, kl = (total / seen).tolist()
    return Loss(reconstruction, kl, part.beta)


def _as_tensor(part: Loss, device: torch.device) -> Tensor:
    parts = (torch.as_tensor(v, dtype=torch.float64, device=device) for v in (part.reconstruction, part.kl))
    return torch.stack(list(parts)).detach()


def _copy_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _all_finite(model: nn.Module) -> bool:
    return bool(torch.stack([p.isfinite().all() for p in model.parameters()]).all())


def _not_finite(epoch: int, history: History) -> NotFiniteError:
    return NotFiniteError(
        f"The loss or a weight became NaN or infinite in epoch {epoch}. The model has the weights of that epoch's start again. "
        "Usual causes: a learning rate too high (halve lr), the log of zero, the exp of a large log σ² (clamp it).",
        history,
    )


def _note(history: History) -> str:
    train = history.train[-1]
    text = f"loss {train}" if train.kl else f"loss {train.total:.2f} nats per image"
    return text + (f", held out {history.val[-1].total:.2f}" if history.val else "")
