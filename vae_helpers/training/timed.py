"""Training for so many seconds, whatever the machine: every schedule goes by the share of the time that is gone.

A slower machine takes fewer steps, and each schedule still runs from its start to its end.
"""

import time
from collections.abc import Callable
from math import isfinite
from typing import Annotated

from vae_helpers.losses import Loss, iwae_loss, log_mean_exp, prior_loss, vae_loss
from vae_helpers.models import device_of
from vae_helpers.training.batches import Batches
from vae_helpers.training.history import History, NotFiniteError, RunningLoss
from vae_helpers.training.plan import Plan, Share
from vae_helpers.training.progress import Progress
from vae_helpers.training.randomness import own_random_state
from vae_helpers.validation import BinaryInAStep, Pixels, Positive, Seed, has, objects, validated

import torch
from jaxtyping import Float
from torch import Tensor, nn

VAELike = Annotated[nn.Module, has("encode", "decode", "likelihood")]
IsPlan = Annotated[Plan, objects.instance(Plan)]


PLAIN = Plan()


@validated
def bound_at(model: VAELike, x_bin: BinaryInAStep[Tensor, " batch 1 28 28"], plan: IsPlan, share: Share) -> Loss:
    """What ``fit_for`` minimises: −ELBO under the model's own prior, later the bound of ``plan.draws`` draws.

    The KL is weighed while there is one draw; the bound of several has none to weigh. A model with a method
    ``log_weights(x_bin, k)``, log p(x, z) / q(z|x) of k draws, (k, batch), is trained on those.
    """
    k, beta = plan.draws_at(share), plan.beta_at(share)
    if hasattr(model, "log_weights"):
        return Loss(-log_mean_exp(model.log_weights(x_bin, k)).mean())
    if k > 1:
        return iwae_loss(model, x_bin, k=k)
    return (prior_loss if hasattr(model, "prior") else vae_loss)(model, x_bin, beta=beta)


@validated
def fit_for(
    model: VAELike,
    x: Pixels[Tensor, " n 1 28 28"],
    seconds: Positive = 180.0,
    plan: IsPlan = PLAIN,
    seed: Seed = 0,
    progress: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> History:
    """Train ``model`` in place for ``seconds`` on grey images, binarized anew at each step, in float32; its History.

    Adam, by the schedules of ``plan``. seed: of shuffles, coins and draws. clock: what tells the seconds. Where a loss
    or weight is not finite, training ends with that pass and NotFiniteError, the weights of its start restored.
    """
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(f"model has no weight to train: {type(model).__name__} has no requires_grad that is True.")
    was_training = model.training
    with own_random_state(seed):
        run = _TimedRun(model.train(), Batches(x, None, plan.batch_size, device_of(model)), plan, progress)
        run.go(seconds, clock)
    model.train(was_training)
    return run.history


class _TimedRun:
    def __init__(self, model: nn.Module, batches: Batches, plan: Plan, visible: bool) -> None:
        self.model, self.batches, self.plan, self.history = model, batches, plan, History()
        self.optimizer = torch.optim.Adam(model.parameters(), lr=plan.lr, fused=True)
        self.line = Progress(100, visible)

    def go(self, seconds: float, clock: Callable[[], float]) -> None:
        """Pass after pass over the images until the time is over."""
        start, share = clock(), 0.0
        try:
            while share < 1:
                kept = {name: value.clone() for name, value in self.model.state_dict().items()}
                sums = RunningLoss()
                for x, _ in self.batches.epoch():
                    sums.add(self._step(x, share), len(x))
                    share = (clock() - start) / seconds
                    self.line.done = min(100, round(100 * share))
                    self.line.step(0)
                    if share >= 1:
                        break
                self._end_of_pass(sums.mean(), kept, share * seconds)
        finally:
            self.line.close()

    def _step(self, x: Float[Tensor, " batch 1 28 28"], share: float) -> Loss:
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.lr_at(share)
        loss = bound_at(self.model, torch.bernoulli(x), self.plan, share)
        self.optimizer.zero_grad()
        loss.total.backward()
        self.optimizer.step()
        return loss

    def _end_of_pass(self, mean: Loss, kept: dict[str, Tensor], seconds: float) -> None:
        finite = all(torch.isfinite(p).all() for p in self.model.parameters())
        if not (isfinite(mean.total) and finite):
            self.model.load_state_dict(kept)
            raise NotFiniteError(len(self.history.train) + 1, self.history)
        self.history.train.append(mean)
        self.history.seconds.append(seconds)
        self.line.title, self.line.note = f"pass {len(self.history.train)}", self.history.note()
