"""A refinement of q, watched: what the optimizer holds, each step's values and gradients, and what is returned."""

from dataclasses import dataclass, field

from vae_helpers.exercises.engine import Answer, NotAttemptedError
from vae_helpers.exercises.nb06.watched_vae import Seen, WatchedVAE, encoder, grey_images

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_pre_hook

STEPS, LR = 60, 0.05
Rows = Float[Tensor, "n d"]
Held = Float[Tensor, "..."]


@dataclass
class Refined:
    """One call of my_refined_q. steps: for each, the values and the gradients of what the optimizer holds."""

    seen: Seen
    model: WatchedVAE
    x_bin: Float[Tensor, "n 1 28 28"]
    start: tuple[Rows, Rows]
    steps: list[list[tuple[Held, Held | None]]] = field(default_factory=list)
    held: set[int] = field(default_factory=set)
    moved: bool = False

    @property
    def every_step(self) -> list[tuple[Rows, Rows | None, Rows, Rows | None]]:
        """(μ, its gradient, log σ², its gradient) of each step, where the optimizer holds those two and no more."""
        if any(len(step) != 2 or any(t.shape != self.start[0].shape for t, _ in step) for step in self.steps):
            return []
        first = (self.steps[0][0][0] - self.start[0]).abs().sum() if self.steps else 0
        turned = bool(self.steps) and first > (self.steps[0][1][0] - self.start[0]).abs().sum()
        return [(*step[turned], *step[not turned]) for step in self.steps]


def watch(answer: Answer, seed: int) -> Refined:
    """One call of my_refined_q. Raises NotAttemptedError, and what the answer raises."""
    seen = Seen()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.enable_grad():
        torch.manual_seed(0)
        model = WatchedVAE(seen, seed)
        x_bin = grey_images(seed).round()
        run = Refined(seen, model, x_bin, encoder(Seen(), seed)(x_bin))
        weights = [w.detach().clone() for w in model.parameters()]
        torch.manual_seed(seed + 1)
        hook = register_optimizer_step_pre_hook(lambda optimizer, *_: _note(run, optimizer))
        try:
            seen.result = answer(model, encoder(seen, seed), x_bin.clone(), STEPS, LR)
        finally:
            hook.remove()
        run.moved = any(not torch.equal(w, old) for w, old in zip(model.parameters(), weights, strict=True))
    untouched = not (seen.decoded or seen.shown or seen.others_encoder)
    if untouched and (seen.result is None or seen.result is Ellipsis):
        raise NotAttemptedError
    return run


def _note(run: Refined, optimizer: torch.optim.Optimizer) -> None:
    held = [p for group in optimizer.param_groups for p in group["params"]]
    run.held |= {id(p) for p in held}
    ours = {id(p) for p in run.model.parameters()}
    own = [p for p in held if id(p) not in ours]
    run.steps.append([(p.detach().clone(), None if p.grad is None else p.grad.detach().clone()) for p in own])
