"""What training leaves behind: its history, its running sums, and the error of a run that went to infinity."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from vae_helpers import parallel
from vae_helpers.losses import Loss


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
        because = f"; {self.stopped}" if self.stopped else ""
        if not self.train:
            return f"History: no finished epoch{because}"
        last = f"last training loss {self.train[-1].total:.2f} nats per image"
        return f"History: {len(self.train)} epochs in {self.seconds[-1]:.1f} s, {last}{because}"

    def note(self) -> str:
        """The last epoch in a line."""
        train = self.train[-1]
        text = f"loss {train}" if train.kl else f"loss {train.total:.2f} nats per image"
        return text + (f", held out {self.val[-1].total:.2f}" if self.val else "")


class NotFiniteError(ArithmeticError):
    """A loss or a weight became NaN or infinite; ``history`` holds the epochs before."""

    def __init__(self, epoch: int, history: History) -> None:
        super().__init__(
            f"The loss or a weight became NaN or infinite in epoch {epoch}. "
            "The model has the weights of that epoch's start again. "
            "Usual causes: a learning rate too high (halve lr), the log of zero, the exp of a large log σ² (clamp it)."
        )
        self.history = history


class RunningLoss:
    """The mean of a loss's parts over batches, summed on the device: its value is asked for once, by ``mean``."""

    def __init__(self) -> None:
        self.reconstruction, self.kl, self.weighted_kl, self.n, self.betas = 0.0, 0.0, 0.0, 0, set()

    def add(self, part: Loss, n: int) -> None:
        """Add the mean loss of a batch of n images."""
        self.reconstruction = self.reconstruction + n * _detached(part.reconstruction)
        self.kl = self.kl + n * _detached(part.kl)
        self.weighted_kl = self.weighted_kl + n * part.beta * _detached(part.kl)
        self.n += n
        self.betas.add(part.beta)

    def over_processes(self) -> "RunningLoss":
        """Itself, after adding what the other processes of a parallel run have summed up."""
        if parallel.processes() > 1:
            device = next((s.device for s in (self.reconstruction, self.kl) if isinstance(s, Tensor)), None)
            mine = [self.reconstruction, self.kl, self.weighted_kl, self.n]
            everyones = parallel.summed(torch.stack([torch.as_tensor(s, device=device).double() for s in mine]))
            self.reconstruction, self.kl, self.weighted_kl, self.n = everyones
        return self

    def mean(self) -> Loss:
        """The mean loss per image, as floats; where beta changed, the one that gives the mean total."""
        reconstruction, kl, weighted = (float(s) / self.n for s in (self.reconstruction, self.kl, self.weighted_kl))
        beta = self.betas.pop() if len(self.betas) == 1 else (weighted / kl if kl else 1.0)
        return Loss(reconstruction, kl, beta)


def _detached(value: Tensor | float) -> Tensor | float:
    return value.detach().double() if isinstance(value, Tensor) else value
