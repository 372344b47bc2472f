"""What training leaves behind: its history, its running sums, and the error of a run that went to infinity."""

from dataclasses import dataclass, field

from vae_helpers.losses import Loss
from vae_helpers.training import processes

import torch
from jaxtyping import Float, Float64
from torch import Tensor


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
    """The mean of a loss's parts over batches; they stay on the device, and are asked for once, by ``mean``."""

    def __init__(self) -> None:
        self.parts: dict[str, list[Float[Tensor, ""] | float]] = {"reconstruction": [], "kl": []}
        self.sizes: list[int] = []
        self.betas: list[float] = []

    def add(self, part: Loss, n: int) -> None:
        """Add the mean loss of a batch of n images."""
        for name, values in self.parts.items():
            value = getattr(part, name)
            values.append(value.detach() if isinstance(value, Tensor) else value)
        self.sizes.append(n)
        self.betas.append(part.beta)

    def mean(self, everywhere: bool = False) -> Loss:
        """The mean loss per image, as floats; where beta changed, the one that gives the mean total.

        everywhere: over the batches of all processes of a parallel run; all of them must ask.
        """
        sizes, betas = (torch.tensor(values, dtype=torch.float64, device="cpu") for values in (self.sizes, self.betas))
        reconstruction, kl = (_numbers(values) for values in self.parts.values())
        sums = torch.stack([(sizes * v).sum() for v in (reconstruction, kl, betas * kl, torch.ones_like(sizes))])
        if everywhere:
            sums = torch.tensor(processes.gathered(sums.tolist()), dtype=torch.float64, device="cpu").sum(0)
        reconstruction, kl, weighted = (sums[:3] / sums[3]).tolist()
        beta = self.betas[0] if len(set(self.betas)) == 1 else (weighted / kl if kl else 1.0)
        return Loss(reconstruction, kl, beta)


def _numbers(values: list[Float[Tensor, ""] | float]) -> Float64[Tensor, " batches"]:
    if all(isinstance(value, Tensor) for value in values):
        return torch.stack(values).cpu().double()
    return torch.tensor([float(value) for value in values], dtype=torch.float64, device="cpu")
