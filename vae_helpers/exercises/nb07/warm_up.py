"""Exercise of notebook 07: a loss whose β rises, watched over twelve training steps and two evaluations."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from vae_helpers.exercises.engine import Answer, Exercise, NotAttemptedError
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.losses import Loss, WarmUp

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

STEPS, CALLS = 5, 12
EVALUATED = {3, 7}  # after these training steps comes a call in evaluation mode

SAYS = {
    "no loss": "the loss that it was given, self.loss, is never called: nothing is trained.",
    "returns nothing": "it calls the loss and returns nothing: whoever trains gets None.",
    "returned": "what is returned is not what self.loss returned. Pass the loss on as it is: β acts inside it.",
    "no beta": "β never reaches the loss, which then takes its own, 1: no warm-up at all. Pass beta=….",
    "no beta in evaluation": "an evaluation hands no β on, and the loss takes its own, 1: the last step's is asked.",
    "image": "the loss gets other images than those that were handed over.",
    "labels": "y is not handed on: a conditional model would train without its labels.",
    "all count": "every call counts, evaluations too: each look at held-out images would make β rise. "
    "Count in training only.",
    "evaluations alone": "evaluations are counted, and training steps are not: `model.training` is True in training.",
    "stands": "β stays at {got:.3g}: the steps are not counted.",
    "above one": "β goes on beyond 1: after the warm-up the code would be dearer than the ELBO says. Stop at 1.",
    "late": "every β comes one step late: the first step has β = 0. Count first, then divide.",
    "at once": "β is 1 from the first step on: that is no warm-up. The smaller of 1 and the share of steps done is "
    "asked for: not the larger, and not 1 alone.",
    "jumps": "β is 0 and then jumps to 1: divide with /, not with //.",
    "falls": "β falls where it should rise: the code would be filled when it is dear, and emptied after.",
    "images counted": "images are counted, not steps: β rises {n} times too fast.",
    "evaluation": "in evaluation β is {got:.3g} where the last step's, {right:.3g}, is asked.",
    "shared": "a second loss goes on where the first one stopped: the count belongs to the object, self.done.",
    "other": "β in step {k} of {steps} is {got:.3g} where {right:.3g} is asked.",
}


@dataclass
class Watched:
    """A loss that takes down how it is called. betas: with each call's mode; result: what it returned last."""

    betas: list[tuple[bool, float | None]] = field(default_factory=list)
    images: list[Shaped[Tensor, "..."]] = field(default_factory=list)
    labels: list[Shaped[Tensor, "..."] | None] = field(default_factory=list)
    result: Loss | None = None

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor | None = None, beta: object = None) -> Loss:
        """A loss that no one else has, so that it is recognised."""
        self.betas.append((model.training, None if beta is None else float(beta)))
        self.images.append(x)
        self.labels.append(y)
        k = len(self.betas)
        self.result = Loss(torch.tensor(100.0 + k), torch.tensor(7.0 + k))
        return self.result


def _findings(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with my_loss(loss, steps)(model, x, y), the gravest first."""
    steps = STEPS + seed % 3
    first, returned = _watched(answer, steps)
    kind, numbers = next(_of_calls(first, returned), None) or next(_of_betas(first, steps), (None, {}))
    if kind is None and _watched(answer, steps)[0].betas != first.betas:
        kind = "shared"
    return [Finding(Relation("loop", "β", kind), SAYS[kind].format(**numbers))] if kind else []


def _watched(answer: Answer, steps: int) -> tuple[Watched, list[bool | None]]:
    """The calls of one training, and whether each returned what the loss had returned."""
    seen, returned = Watched(), []
    warm, model = answer(seen, steps), nn.Linear(1, 1)
    if warm is None or warm is Ellipsis:
        raise NotAttemptedError
    x, y = torch.rand(4, 1, 28, 28), torch.arange(4)
    for k in range(1, CALLS + 1):
        for training in (True, False) if k in EVALUATED else (True,):
            result = warm(model.train(training), x + k, y)
            if result is None or result is Ellipsis:
                if not seen.betas:
                    raise NotAttemptedError
                returned.append(None)
            else:
                returned.append(result is seen.result or result == seen.result)
    return seen, returned


def _of_calls(seen: Watched, returned: list[bool | None]) -> Iterator[tuple[str, dict]]:
    if len(seen.betas) < len(returned):
        yield "no loss", {}
    if None in returned:
        yield "returns nothing", {}
    if not all(returned):
        yield "returned", {}
    if any(beta is None for _, beta in seen.betas):
        yield (
            "no beta" if any(training and beta is None for training, beta in seen.betas) else "no beta in evaluation",
            {},
        )
    if any(images.shape != (4, 1, 28, 28) for images in seen.images) or seen.images[0].max() < 1:
        yield "image", {}
    if any(y is None or not torch.equal(y, torch.arange(4)) for y in seen.labels):
        yield "labels", {}


def _of_betas(seen: Watched, steps: int) -> Iterator[tuple[str, dict]]:
    """What the sequence of β amounts to; both modes in one list, as they were called."""
    right, all_count, only_evaluations, done = [], [], [], 0
    for calls, (training, _) in enumerate(seen.betas, 1):
        done += training
        right.append(min(1.0, done / steps))
        all_count.append(min(1.0, calls / steps))
        only_evaluations.append(min(1.0, (calls - done) / steps))
    got = [beta for _, beta in seen.betas]
    if _same(got, right):
        return
    yield from (pair for pair in _known(got, all_count, only_evaluations) if pair)
    train = [beta for training, beta in seen.betas if training]
    wanted = [min(1.0, k / steps) for k in range(1, CALLS + 1)]
    if _same(train, wanted):
        k = next(i for i in range(len(got)) if abs(got[i] - right[i]) > 1e-6)
        yield "evaluation", {"got": got[k], "right": right[k]}
    yield from _of_training(train, wanted, steps)


def _known(got: list[float], *kinds: list[float]) -> Iterator[tuple[str, dict] | None]:
    for name, betas in zip(("all count", "evaluations alone"), kinds, strict=True):
        yield (name, {}) if _same(got, betas) else None


def _of_training(train: list[float], wanted: list[float], steps: int) -> Iterator[tuple[str, dict]]:
    """β of training steps alone."""
    known = {
        "above one": [k / steps for k in range(1, CALLS + 1)],
        "late": [min(1.0, k / steps) for k in range(CALLS)],
        "at once": [1.0] * CALLS,
        "jumps": [float(k >= steps) for k in range(1, CALLS + 1)],
        "falls": [1 - beta for beta in wanted],
        "images counted": [min(1.0, 4 * k / steps) for k in range(1, CALLS + 1)],
    }
    for kind, betas in known.items():
        if _same(train, betas):
            yield kind, {"n": 4}
    if _same(train, [train[0]] * CALLS):
        yield "stands", {"got": train[0]}
    if max(train) > 1 + 1e-6:
        yield "above one", {}
    k = next(i for i in range(CALLS) if abs(train[i] - wanted[i]) > 1e-6)
    yield "other", {"k": k + 1, "steps": steps, "got": train[k], "right": wanted[k]}


def _same(a: list[float], b: list[float]) -> bool:
    return all(abs(x - y) < 1e-6 for x, y in zip(a, b, strict=True))


WARM_UP = Exercise(
    id="warm-up",
    expects="what self.loss(model, x, y, beta=β) returns, β being that of this step",
    reference=WarmUp,
    findings=_findings,
)

EXERCISES = (WARM_UP,)
