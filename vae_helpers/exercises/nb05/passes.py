"""Passes over all images, watched on three tiny batches: one that trains, and one that scores."""

from collections.abc import Callable

from vae_helpers.data import to_float
from vae_helpers.exercises.engine import Answer, Exercise, NotAttemptedError, loops
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.losses import Loss

import torch
from torch import Tensor, nn

SHARE = 0.7  # of the reconstruction in the loss that is watched; the KL has the rest
N, BATCH_SIZE = 11, 4  # images of the pass that scores


def _epoch(model: nn.Module, loss: Callable, images: Tensor, optimizer: torch.optim.Optimizer, batch_size: int) -> Loss:
    reconstruction, kl = 0.0, 0.0
    for index in torch.randperm(len(images), device=images.device).split(batch_size):
        batch = to_float(images[index])
        parts = loss(model, batch)
        optimizer.zero_grad()
        parts.total.backward()
        optimizer.step()
        reconstruction += parts.reconstruction.item() * len(batch)
        kl += parts.kl.item() * len(batch)
    return Loss(reconstruction / len(images), kl / len(images))


def _epoch_findings(answer: Answer, seed: int) -> list[Finding]:
    """What the spies on a loop see, whose loss is told in two parts; then how the result is shared out."""
    results: list[object] = []

    def watched(model: nn.Module, loss: Callable, *rest: object) -> object:
        """Call the answer with a loss in two parts; give the total of what it returns."""

        def in_parts(model: nn.Module, x: Tensor, y: None = None) -> Loss:
            """Share one number out to two parts."""
            total = loss(model, x)
            return Loss(SHARE * total, (1 - SHARE) * total)

        results.append(answer(model, in_parts, *rest))
        return _total(results[-1])

    try:
        found = loops.training_pass(watched, seed)
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
        says = "the optimizer steps between a loss and its backward, which needs the weights as they were"
        return [Finding(Relation("order", "step"), f"{says}: backward first")]
    return [_in_words_of_parts(f) for f in found] or _of_parts(results[0], SHARE)


def _total(result: object) -> object:
    return result.total if isinstance(result, Loss) else result


def _in_words_of_parts(found: Finding) -> Finding:
    relation = found.relation
    if (relation.kind, relation.place) != ("factor", "gradient"):
        return found
    known = {
        f"{SHARE:.4g}": "backward is called on the reconstruction alone: the KL is never trained, and nothing holds "
        "the clouds near the prior",
        f"{1 - SHARE:.4g}": "backward is called on the KL alone: every cloud becomes the prior, and the decoder learns "
        "nothing",
    }
    return Finding(relation, known.get(relation.factor, found.says))


def _of_parts(result: object, share: float) -> list[Finding]:
    """Whether the two parts of a right total are what was asked for."""
    if not isinstance(result, Loss):
        says = f"it returns {type(result).__name__}: return both parts, Loss(reconstruction, kl)"
        return [Finding(Relation("type", "result"), says)]
    if any(isinstance(part, Tensor) and part.requires_grad for part in result[:2]):
        says = "what it returns still holds the graph of every step, which fills the memory: return plain numbers"
        return [Finding(Relation("type", "result"), says)]
    of_reconstruction = float(result.reconstruction / result.total)
    if abs(of_reconstruction - share) < 1e-3:
        return []
    exchanged = abs(of_reconstruction - (1 - share)) < 1e-3
    says = "the two parts have changed places" if exchanged else "the sum is right, its two parts are not"
    return [Finding(Relation("exchanged" if exchanged else "other", "parts"), f"{says}: Loss(reconstruction, kl)")]


EPOCH = Exercise(
    id="vae-epoch",
    expects="Loss(reconstruction, kl), the means per image of one pass over all images",
    reference=_epoch,
    findings=_epoch_findings,
)


def _score(model: nn.Module, loss: Callable, images: Tensor, batch_size: int) -> Loss:
    reconstruction, kl = 0.0, 0.0
    with torch.no_grad():
        for batch in images.split(batch_size):
            parts = loss(model, to_float(batch))
            reconstruction += parts.reconstruction.item() * len(batch)
            kl += parts.kl.item() * len(batch)
    return Loss(reconstruction / len(images), kl / len(images))


def _score_findings(answer: Answer, seed: int) -> list[Finding]:
    """What was handed to the loss, with or without a graph, and the mean that came back."""
    g = torch.Generator().manual_seed(20_229 + seed)
    images = torch.randint(0, 256, (N, 1, 28, 28), dtype=torch.uint8, generator=g)
    weight = torch.nn.Parameter(torch.ones(()))
    model, calls = nn.Module(), []
    model.register_parameter("weight", weight)

    def loss(_: nn.Module, x: Tensor, y: None = None) -> Loss:
        """A weighted sum of pixels, by which every image differs; the call is noted."""
        value = weight * (x.float().flatten(1) * torch.arange(1.0, 785.0) / 784).sum(dim=1)
        calls.append((x, torch.is_grad_enabled(), value.detach()))
        return Loss(SHARE * value.mean(), (1 - SHARE) * value.mean())

    before = torch.is_grad_enabled()
    result = answer(model, loss, images.clone(), BATCH_SIZE)
    off = before and not torch.is_grad_enabled()
    torch.set_grad_enabled(before)
    if result in (None, ...) and not calls:
        raise NotAttemptedError
    if off:
        says = "gradients stay switched off when it is done: whoever trains next learns nothing. Use `with`"
        return [Finding(Relation("mode", "gradients"), says)]
    if not torch.equal(weight.detach(), torch.ones(())):
        return [
            Finding(Relation("changed in place", "model"), "the model is not the same afterwards: a score only looks")
        ]
    return _of_calls(calls, images) or _of_score(calls, result)


def _of_calls(calls: list[tuple], images: Tensor) -> list[Finding]:
    """The batches and whether a graph was kept."""
    if not calls:
        return [Finding(Relation("never called", "loss"), "the loss is never computed: there is nothing to average")]
    if not calls[0][0].is_floating_point():
        says = "the images go in as whole numbers up to 255: floats from 0 to 1 are asked for"
        return [Finding(Relation("type", "images"), says)]
    seen = torch.cat([x for x, *_ in calls])
    if seen.max() > 1.5:
        says = "the images go in as floats up to 255: the net never saw such pixels"
        return [Finding(Relation("factor", "images", "255"), says)]
    if len(seen) < N:
        last = " the last, smaller batch is left out" if len(seen) == N - N % BATCH_SIZE else ""
        says = f"{N - len(seen)} of {N} images are never scored:{last or ' go through all of them'}"
        return [Finding(Relation("missing", "images"), says)]
    if len(seen) > N:
        return [Finding(Relation("repeated", "images"), f"{len(seen)} images are scored where there are {N}")]
    sizes = {len(x) for x, *_ in calls[:-1]}
    if sizes != {BATCH_SIZE}:
        says = f"the batches do not hold batch_size = {BATCH_SIZE} images: all at once, a large set does not fit"
        return [Finding(Relation("size", "batches"), says)]
    if any(graph for _, graph, _ in calls):
        says = (
            "a graph is kept for gradients that nobody takes, which costs memory and time: score under torch.no_grad()"
        )
        return [Finding(Relation("mode", "gradients"), says)]
    return []


def _of_score(calls: list[tuple], result: object) -> list[Finding]:
    means = torch.stack([value.mean() for *_, value in calls])
    sizes = torch.tensor([float(len(value)) for *_, value in calls])
    right = float((means * sizes).sum() / N)
    known = {
        "each batch weighs the same in the mean, though the last one is smaller: weigh it by its images": means.mean(),
        "it returns the last batch's loss: weigh each batch by its images and sum": means[-1],
        "it returns the sum over batches, which grows with their number: a mean per image is asked for": means.sum(),
        "it returns the sum over images, which grows with their number: a mean is asked for": right * N,
        "it returns the sum of weighed batches divided by their number: divide by the images": right * N / len(calls),
        "the sum is divided by batches times batch_size, but the last batch holds fewer: divide by the images": right
        * N
        / (len(calls) * BATCH_SIZE),
        "the last batch is weighed as if it held batch_size images: weigh each by its own len": means.sum()
        * BATCH_SIZE
        / N,
        "the first part holds the KL already, as .total does: reconstruction and KL, each by itself": right
        * (2 - SHARE),
    }
    if result in (None, ...):
        return [Finding(Relation("nothing", "result"), "it returns nothing: return Loss(reconstruction, kl)")]
    total = float(_total(result)) if isinstance(result, Loss | Tensor | float) else right
    if abs(total - right) < 1e-4 * right:
        return _of_parts(result, SHARE)
    says = next((says for says, number in known.items() if abs(total - float(number)) < 1e-4 * right), "")
    says = says or f"it returns {total:.4f} where the mean per image is {right:.4f}"
    return [Finding(Relation("other", "result"), says)]


SCORE = Exercise(
    id="test-score",
    expects="Loss(reconstruction, kl), the means per image over all images, without gradients",
    reference=_score,
    findings=_score_findings,
)
EXERCISES = (EPOCH, SCORE)
