"""One pass of training a denoiser of points, watched: what the network is shown, and the gradients of each step.

The optimizer's rate is 0, so that the right gradient of each step follows from what the network was shown.
"""

from dataclasses import dataclass, field

from vae_helpers.exercises.engine import Answer

import torch
from jaxtyping import Float
from torch import Tensor, nn

SPACING, N, BATCH_SIZE, SIGMA = 8.0, 43, 10, 0.5  # the last batch holds 3


@dataclass
class Pass:
    """What happened in one pass. events: in their order; shown, noisy points; gradients: at each step."""

    points: Float[Tensor, " n 2"]
    events: list[str] = field(default_factory=list)
    shown: list[Float[Tensor, " b 2"]] = field(default_factory=list)
    gradients: list[Float[Tensor, " parameters"]] = field(default_factory=list)
    result: object = None


class WatchedDenoiser(nn.Module):
    """An affine map of the plane that takes down what it is shown."""

    def __init__(self, seen: Pass, seed: int) -> None:
        super().__init__()
        self.seen, self.map = seen, nn.Linear(2, 2)
        g = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            self.map.weight.copy_(torch.randn(2, 2, generator=g))
        self.map.weight.register_hook(lambda _: seen.events.append("backward"))

    def forward(self, x_noisy: Float[Tensor, " b 2"]) -> Float[Tensor, " b 2"]:
        """Map, and take down what was shown."""
        self.seen.events.append("forward")
        self.seen.shown.append(x_noisy.detach().clone())
        return self.map(x_noisy)


class WatchedOptimizer(torch.optim.SGD):
    """Takes down the gradients of each step, and leaves the weights as they are."""

    def __init__(self, model: WatchedDenoiser) -> None:
        super().__init__(model.parameters(), lr=0.0)
        self.model = model

    def step(self, closure: object = None) -> None:
        """Take down the gradients."""
        self.model.seen.events.append("step")
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.model.parameters()]
        self.model.seen.gradients.append(torch.cat([p.flatten() for p in parts]).clone())


def points_on_a_grid() -> Float[Tensor, " n 2"]:
    """So far apart that noise of SIGMA never makes one look like another."""
    return SPACING * torch.cartesian_prod(torch.arange(7.0), torch.arange(7.0))[:N]


def watched_pass(answer: Answer, seed: int) -> tuple[Pass, WatchedDenoiser]:
    """A learner's pass over the points, and the network that it was given."""
    seen = Pass(points_on_a_grid())
    model = WatchedDenoiser(seen, 5)
    torch.manual_seed(70 + seed)
    seen.result = answer(model, seen.points.clone(), SIGMA, WatchedOptimizer(model), BATCH_SIZE)
    return seen, model
