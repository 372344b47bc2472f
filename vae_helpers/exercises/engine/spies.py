"""Spies on a training loop: what it handed to the loss, in which order, with which gradients and in which mode."""

from collections.abc import Callable
from dataclasses import dataclass, field

from vae_helpers.exercises.engine.exercise import Answer
from vae_helpers.exercises.engine.probes import NotAttemptedError

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

BATCH_SIZE = 4
NOT_OURS = -1  # the number of a row that is none of the data's


@dataclass(frozen=True)
class LossCall:
    """rows: which of the data were handed to the loss. scale: "", "bytes", or "up to 255". gradient: the right one."""

    rows: tuple[int, ...]
    scale: str
    training: bool
    value: float
    gradient: Float[Tensor, " weights"]


@dataclass(frozen=True)
class Step:
    """A step of the optimizer: its gradient, None where there is none; how often backward had been called since."""

    gradient: Float[Tensor, " weights"] | None
    backwards: int


@dataclass
class Pass:
    """One pass over the data, as the spies saw it. calls[k]: the calls of the loss before step k, the rest last."""

    n: int
    result: object = None
    calls: list[list[LossCall]] = field(default_factory=lambda: [[]])
    steps: list[Step] = field(default_factory=list)
    backwards: int = 0

    @property
    def every_call(self) -> list[LossCall]:
        """All calls of the loss, whatever the step."""
        return [call for calls in self.calls for call in calls]

    @property
    def wanted(self) -> list[Float[Tensor, " weights"]]:
        """The gradients that the steps should have taken: of the last loss computed before each."""
        return [calls[-1].gradient for calls in self.calls[: len(self.steps)] if calls]


class WatchedSGD(torch.optim.SGD):
    """Gradient descent that tells of every step before it takes it."""

    def __init__(self, model: nn.Module, before_step: Callable[[], None]) -> None:
        super().__init__(model.parameters(), lr=0.05)
        self.before_step = before_step

    def step(self, closure: Callable | None = None) -> None:
        """Tell, then step."""
        self.before_step()
        super().step(closure)


def watch(answer: Answer, data: Shaped[Tensor, "n ..."], seed: int, training: bool = True) -> Pass:
    """Call answer(model, loss, data, optimizer, batch_size) on a tiny model; what happened.

    training: the mode that the model is handed over in. Raises NotAttemptedError, and what the answer raises.
    """
    seen = Pass(len(data))
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(data[0].numel(), 3), nn.Tanh(), nn.Linear(3, data[0].numel()))
        model.train(training)
        next(model.parameters()).register_post_accumulate_grad_hook(lambda _: _count(seen))
        optimizer = WatchedSGD(model, lambda: _step(seen, model))
        torch.manual_seed(seed)
        seen.result = answer(model, _spying_loss(seen, data), data.clone(), optimizer, BATCH_SIZE)
    if seen.result in (None, ...) and not seen.every_call:
        raise NotAttemptedError
    return seen


def _count(seen: Pass) -> None:
    seen.backwards += 1


def _step(seen: Pass, model: nn.Module) -> None:
    gradients = [p.grad for p in model.parameters()]
    gradient = None if any(g is None for g in gradients) else torch.cat([g.flatten().clone() for g in gradients])
    if gradient is not None and not gradient.any():
        gradient = None
    seen.steps.append(Step(gradient, seen.backwards))
    seen.calls.append([])
    seen.backwards = 0


def _spying_loss(seen: Pass, data: Tensor) -> Callable[[nn.Module, Tensor], Tensor]:
    rows = _floats(data).flatten(1)

    def loss(model: nn.Module, x: Shaped[Tensor, "batch ..."]) -> Float[Tensor, ""]:
        """Squared error per image of what is read as floats up to 1; its call is noted."""
        scale = "" if x.is_floating_point() else "bytes"
        if data.dtype == torch.uint8 and x.is_floating_point() and x.max() > 1.5:
            scale = "up to 255"
        flat = (x.float() / 255 if scale else x).flatten(1)
        with torch.enable_grad():
            apart = (model(flat) - flat).square().sum(dim=1).mean()
            gradient = torch.cat([g.flatten() for g in torch.autograd.grad(apart, list(model.parameters()))])
        which = tuple(_row(one, rows) for one in flat)
        seen.calls[-1].append(LossCall(which, scale, model.training, apart.item(), gradient))
        return (model(flat) - flat).square().sum(dim=1).mean()

    return loss


def _floats(data: Tensor) -> Tensor:
    return data.float() / 255 if data.dtype == torch.uint8 else data


def _row(one: Tensor, rows: Tensor) -> int:
    apart = (rows - one).abs().amax(dim=1)
    return int(apart.argmin()) if apart.min() < 1e-5 else NOT_OURS
