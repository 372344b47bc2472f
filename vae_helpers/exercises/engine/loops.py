"""A training loop, watched on three tiny batches: its images, its gradients, the model's mode, and what it returns."""

from collections import Counter
from collections.abc import Callable, Iterator

from vae_helpers.exercises.engine.exercise import Answer
from vae_helpers.exercises.engine.outputs import named_factor, ratio
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.exercises.engine.spies import BATCH_SIZE, NOT_OURS, Pass, watch

import torch
from torch import Tensor

N = 11  # images: two full batches and one of three
TOLERANCE = 1e-4


def training_pass(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with my_epoch(model, loss, images, optimizer, batch_size): one pass over byte images, shuffled.

    Right: each image once in floats up to 1; for every batch one step with that batch's gradient; returned: the mean
    loss per image, a number.
    """
    g = torch.Generator().manual_seed(20_221 + seed)
    return _findings(answer, torch.randint(0, 256, (N, 1, 28, 28), dtype=torch.uint8, generator=g), seed)


def pass_over_points(answer: Answer, seed: int) -> list[Finding]:
    """The same for points in the plane, floats (n, 2)."""
    return _findings(answer, torch.randn(N, 2, generator=torch.Generator().manual_seed(20_223 + seed)), seed)


def _findings(answer: Answer, data: Tensor, seed: int) -> list[Finding]:
    first, second = (watch(answer, data, 2 * seed + k) for k in (1, 2))
    if not first.every_call:
        return [_finding("never called", "loss", "the loss is never computed, and so nothing can be learned")]
    groups: list[Callable[[Pass, Pass], Iterator[Finding]]] = [_of_images, _of_gradients, _of_mode, _of_result]
    return [found for group in groups for found in [next(group(first, second), None)] if found]


def _finding(kind: str, place: str, says: str, factor: str = "") -> Finding:
    return Finding(Relation(kind, place, factor), says)


def _of_images(seen: Pass, again: Pass) -> Iterator[Finding]:
    calls = seen.every_call
    if any(call.scale == "bytes" for call in calls):
        yield _finding(
            "type", "images", "the images go in as whole numbers up to 255: floats from 0 to 1 are asked for"
        )
    if any(call.scale == "up to 255" for call in calls):
        says = "the images go in as floats up to 255: the net learns to paint values that no picture has"
        yield _finding("factor", "images", says, "255")
    rows = [row for call in calls for row in call.rows]
    if NOT_OURS in rows:
        yield _finding("other", "images", "what goes into the loss are not the images that were handed over")
    yield from _of_counts(seen, Counter(rows))
    sizes = {len(call.rows) for call in calls[:-1]}
    if sizes and sizes != {BATCH_SIZE}:
        says = f"the batches hold {_listed(sorted(sizes))} images where batch_size is {BATCH_SIZE}"
        yield _finding("size", "batches", says)
    in_order = [tuple(range(k, min(k + BATCH_SIZE, seen.n))) for k in range(0, seen.n, BATCH_SIZE)]
    batches = [tuple(sorted(call.rows)) for call in calls]
    if batches == in_order:
        says = "nothing is shuffled: the images come as they are stored, and the same ones always share a batch"
        yield _finding("not shuffled", "images", says)
    if sorted(batches) == sorted(in_order):
        says = "the batches are shuffled and the images are not: the same images always share a batch"
        yield _finding("not shuffled", "images within batches", says)
    if [call.rows for call in calls] == [call.rows for call in again.every_call]:
        says = "every pass has the same order: a seed is set inside, or the order is drawn once and kept"
        yield _finding("same draw", "images", says)


def _of_counts(seen: Pass, times: Counter) -> Iterator[Finding]:
    missing, most = seen.n - len(times), max(times.values())
    if missing and most > 1:
        says = (
            f"some images come {most} times in a pass and {missing} not at all: an order without repetition is wanted"
        )
        yield _finding("repeated", "images", says)
    if missing == seen.n % BATCH_SIZE:
        says = "the last batch is left out because it is smaller: in every pass some images are never seen"
        yield _finding("missing", "last batch", says)
    if missing:
        yield _finding("missing", "images", f"{missing} of {seen.n} images are never seen in a pass")
    if most > 1 and len(set(times.values())) == 1:
        yield _finding("repeated", "images", f"every image comes {most} times where one pass is asked for")
    if most > 1:
        yield _finding("repeated", "images", f"some images come {most} times in a pass")


def _of_gradients(seen: Pass, _: Pass) -> Iterator[Finding]:
    steps = seen.steps
    if not steps:
        kind = "no weight moves: the optimizer never steps"
        yield _finding("never called", "step", kind if seen.backwards else "nothing is learned: no gradient, no step")
        return
    if not any(step.backwards for step in steps):
        says = "no gradient is computed before the steps: backward is never called, or called after the last of them"
        yield _finding("never called", "backward", says)
        return
    if len(steps) < len(seen.every_call) == -(-seen.n // BATCH_SIZE):
        counted = f"{len(steps)} step{'s' * (len(steps) > 1)} in a pass of {len(seen.every_call)} batches"
        says = f"{counted}: every batch deserves one of its own"
        yield _finding("outside the loop", "step", says)
    yield from _of_each_gradient(seen)


def _of_each_gradient(seen: Pass) -> Iterator[Finding]:
    taken, wanted = [step.gradient for step in seen.steps], seen.wanted
    if len(wanted) < len(taken):
        yield _finding("repeated", "step", "some steps have no loss of their own before them: one step for every batch")
        return
    if all(g is None for g in taken) and seen.steps[0].backwards:
        says = "the gradients are cleared between backward and step: the step finds none, and no weight ever moves"
        yield _finding("order", "zero_grad", says)
        return
    piled = [torch.stack(wanted[: k + 1]).sum(dim=0) for k in range(len(wanted))]
    if taken[0] is None:
        says = "the optimizer steps before this batch's gradient is there: each step goes along an older one"
        yield _finding("order", "step", says)
    elif all(_same(a, b) for a, b in zip(taken, wanted, strict=True)):
        return
    elif all(_same(a, b) for a, b in zip(taken, piled, strict=True)):
        says = "gradients of earlier batches are never cleared: they pile up, and each step goes along their sum"
        yield _finding("never called", "zero_grad", says)
    else:
        yield _of_a_factor(taken, wanted)


def _of_a_factor(taken: list[Tensor | None], wanted: list[Tensor]) -> Finding:
    pairs = [(a, b) for a, b in zip(taken, wanted, strict=True) if a is not None]
    found = [ratio(a.double(), b.double(), 1e-3) for a, b in pairs]
    named = None if None in found else named_factor(found, [{"n": float(BATCH_SIZE)}] * len(found), any_number=True)
    if named:
        says = f"the gradient that the steps take is another loss's: {named[1].replace('the result is ', '')}"
        return _finding("factor", "gradient", says, named[0])
    return _finding("other", "gradient", "the steps do not take the gradient of the loss on their own batch")


def _same(a: Tensor | None, b: Tensor) -> bool:
    return a is not None and torch.allclose(a, b, rtol=1e-3, atol=1e-5 * float(b.abs().max()))


def _of_mode(seen: Pass, _: Pass) -> Iterator[Finding]:
    if not all(call.training for call in seen.every_call):
        says = "the model is in evaluation mode while it trains: dropout and batch statistics are switched off"
        yield _finding("mode", "model", says)


def _of_result(seen: Pass, _: Pass) -> Iterator[Finding]:
    values = torch.tensor([call.value for call in seen.every_call])
    sizes = torch.tensor([float(len(call.rows)) for call in seen.every_call])
    right = float((values * sizes).sum() / sizes.sum())
    if seen.result in (None, ...):
        yield _finding("nothing", "result", "it returns nothing: return the pass's mean loss per image")
        return
    try:
        result = torch.as_tensor(seen.result).double()
    except (TypeError, ValueError, RuntimeError):
        yield _finding("type", "result", f"it returns {type(seen.result).__name__}: one number is asked for")
        return
    if result.numel() != 1:
        says = f"it returns {result.numel()} numbers: their mean is asked for, each image weighing the same"
        yield _finding("form", "result", says)
    elif result.requires_grad:
        says = "what it returns still holds the graph of every step, which fills the memory: return a plain number"
        yield _finding("type", "result", says)
    elif not any(abs(result.item() - r) <= TOLERANCE * abs(r) for r in (right, right * float(sizes.sum()) / seen.n)):
        yield _of_number(result.item(), right, values, sizes)


def _of_number(result: float, right: float, values: Tensor, sizes: Tensor) -> Finding:
    known = {
        "each batch weighs the same in the mean, though the last one is smaller: weigh it by its images": values.mean(),
        "it returns the last batch's loss: one batch says little of a pass": values[-1],
        "it returns the first batch's loss: one batch says little of a pass": values[0],
        "it returns the sum over batches, which grows with their number: a mean per image is asked for": values.sum(),
        "it returns the sum over images, which grows with their number: a mean is asked for": right * sizes.sum(),
    }
    for says, number in known.items():
        if abs(result - float(number)) < TOLERANCE * abs(right):
            return _finding("other", "result", says)
    named = named_factor([result / right], [{"n": float(sizes.sum())}], any_number=False)
    if named:
        return _finding("factor", "result", named[1], named[0])
    return _finding("other", "result", f"it returns {result:.4f} where the mean loss per image is {right:.4f}")


def _listed(numbers: list[int]) -> str:
    return " and ".join(str(n) for n in numbers)
