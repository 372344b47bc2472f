"""What is wrong with one pass of training a denoiser of points: order, noise, gradients, what is returned."""

from collections.abc import Iterator
from math import ceil

from vae_helpers.exercises.engine import Answer, NotATensorError, NotAttemptedError, WrongShapeError
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation
from vae_helpers.exercises.nb02.watched_epoch import BATCH_SIZE, SIGMA, Pass, WatchedDenoiser, watched_pass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

SAYS = {
    "few steps": "there are fewer steps than batches: a step belongs to each.",
    "graph": "what is returned still hangs on the whole graph: .item() makes a plain number of each batch's loss.",
    "noise shared by coordinates": "both coordinates of a point are shifted alike: draw noise in the shape of x.",
    "summed and piled up": "the loss is summed over the batch, and the gradients pile up: average, and zero them.",
    "no step": "the optimizer never takes a step, so that nothing is learned.",
    "no forward": "the network is never asked: its answer to the noisy points belongs into the loss.",
    "step first": "the step comes before backward(): it takes the gradients of the batch before, the first step none.",
    "no backward": "backward() is never called: there are no gradients, and the steps do nothing.",
    "no zero_grad": "gradients pile up from batch to batch: zero them before each backward().",
    "not spoiled": "the network is shown the clean points: it would learn to do nothing. Spoil them first.",
    "noise squared": "the noise has the standard deviation σ², it should have σ.",
    "noise size": "the noise has the standard deviation {noise:.2f} where {sigma:.2f} is asked.",
    "noise not centred": "the noise has the mean {mean:+.2f}: randn is centred, rand is not.",
    "noise reused": "one draw of noise serves all batches: the network sees the same few shifts again and again. "
    "Draw anew in each batch.",
    "noise shared": "all points of a batch are shifted alike: each needs noise of its own, in the shape of the batch.",
    "same noise twice": "two passes draw the same noise: a seed is set inside. Leave it to the caller.",
    "not shuffled": "the points come in their own order. Draw a new order for each pass: torch.randperm.",
    "same order": "two passes have the same order. Draw a new one for each.",
    "left out": "{missing} of {n} points are never shown. Don't forget the last batch, the one that is not full.",
    "repeated": "some points are shown twice and others not at all in one pass. Draw an order, not each index.",
    "one batch": "all points go into one batch: split the order into pieces of batch_size.",
    "batches": "the batches have another size than batch_size.",
    "noisy target": "the target is the noisy point, so that the best answer is to copy. Compare with the clean one.",
    "other noise": "the target is spoiled too, by noise of its own. Compare with the clean point.",
    "summed": "the loss is summed over the batch: the step grows with the batch. Average over its points.",
    "averaged": "the squares are averaged over the two coordinates. Sum them, average over the points alone.",
    "factor": "the gradients are {factor:.3g} times what they should be: sum over coordinates, mean over points.",
    "gradient": "the gradients are not those of the squared error between denoise(x̃) and the clean x.",
    "returns nothing": "it trains, and returns nothing. The mean loss per point of the pass is wanted.",
    "last batch": "what is returned is the loss of the last batch only.",
    "unweighted": "the last batch is smaller and counts like the rest: weigh each batch's loss by its points.",
    "total": "what is returned is the sum over all points: divide by their number.",
    "sum of means": "the batches' means are added up: weigh each by its points, and divide by the number of points.",
    "returned": "the mean loss of the pass is {right:.2f} per point, {got:.2f} is returned.",
}

Found = Iterator[tuple[str, dict[str, float]]]  # keys of SAYS, and the numbers in their sentences


def epoch_findings(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with one pass over the points, the gravest first."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        first, model = watched_pass(answer, seed)
        if not first.events and (first.result is None or first.result is ...):
            raise NotAttemptedError
        got = _number(first.result)
        second, _ = watched_pass(answer, seed + 1)
    kinds = list(_of_events(first.events)) or [*_of_batches(first, second), *_of_noise(first, second)]
    kinds += [] if kinds else _of_gradients(first, model)
    kinds += [] if kinds else _of_result(first, model, got)
    return [Finding(Relation("loop", "pass", kind), SAYS[kind].format(**numbers)) for kind, numbers in kinds]


def _number(result: object) -> float | None:
    """What a pass returned, as a number; None where it returned nothing."""
    if result is None or result is ...:
        return None
    try:
        number = torch.as_tensor(result).detach().double()
    except (TypeError, ValueError, RuntimeError):
        raise NotATensorError(f"something of the type {type(result).__name__}") from None
    if number.numel() != 1:
        raise WrongShapeError(tuple(number.shape))
    if not number.isfinite():
        raise NotFiniteError
    return number.item()


def _of_events(events: list[str]) -> Found:
    rounds = [e for e in events if e in ("forward", "backward", "step")]
    for event, kind in (("forward", "no forward"), ("step", "no step"), ("backward", "no backward")):
        if event not in rounds:
            yield kind, {}
            return
    if rounds[:3] == ["forward", "step", "backward"] or rounds[0] == "step":
        yield "step first", {}
    elif rounds.count("step") < rounds.count("backward"):
        yield "few steps", {}


def _index(seen: Pass) -> Int64[Tensor, " shown"]:
    """Which points were shown, in their order."""
    return torch.cdist(torch.cat(seen.shown), seen.points).argmin(1)


def _noise(seen: Pass) -> Float[Tensor, "shown 2"]:
    return torch.cat(seen.shown) - seen.points[_index(seen)]


def _of_batches(first: Pass, second: Pass) -> Found:
    order, n, sizes = _index(first), len(first.points), [len(s) for s in first.shown]
    counts = order.bincount(minlength=n)
    if counts.max() > 1:
        yield "repeated", {}
    elif counts.min() == 0:
        yield "left out", {"missing": int((counts == 0).sum()), "n": n}
    elif sizes == [n]:
        yield "one batch", {}
    elif len(sizes) != ceil(n / BATCH_SIZE) or max(sizes) > BATCH_SIZE:
        yield "batches", {}
    elif torch.equal(order, torch.arange(n)):
        yield "not shuffled", {}
    elif torch.equal(order, _index(second)):
        yield "same order", {}


def _of_noise(first: Pass, second: Pass) -> Found:
    noise, size = _noise(first), first.shown[-1].shape[0]
    batches = noise.split([len(s) for s in first.shown])
    if not noise.any():
        yield "not spoiled", {}
    elif len(noise) == len(second.points) == len(_noise(second)) and torch.allclose(noise, _noise(second), atol=1e-4):
        yield "same noise twice", {}
    elif all(torch.allclose(b, b[:1].expand_as(b), atol=1e-4) for b in batches):
        yield "noise shared", {}
    elif len(batches) > 1 and all(torch.allclose(b[:size], batches[0][:size], atol=1e-4) for b in batches):
        yield "noise reused", {}
    elif torch.allclose(noise[:, 0], noise[:, 1], atol=1e-4):
        yield "noise shared by coordinates", {}
    elif noise.mean().abs() > 0.4 * SIGMA:
        yield "noise not centred", {"mean": noise.mean().item()}
    elif not 0.75 < noise.std() / SIGMA < 1.3:
        squared = 0.75 < noise.std() / SIGMA**2 < 1.3
        yield "noise squared" if squared else "noise size", {"noise": noise.std().item(), "sigma": SIGMA}


def _loss(model: WatchedDenoiser, shown: Float[Tensor, " b 2"], target: Float[Tensor, " b 2"]) -> Float[Tensor, ""]:
    return (model.map(shown) - target).square().sum(1).mean()


def _clean(seen: Pass) -> list[Float[Tensor, "_ 2"]]:
    return list(seen.points[_index(seen)].split([len(s) for s in seen.shown]))


def _gradients(
    model: WatchedDenoiser, seen: Pass, targets: list[Float[Tensor, "_ 2"]]
) -> Float[Tensor, "steps parameters"]:
    """Those of the squared error to the targets, batch by batch."""
    losses = [_loss(model, shown, target) for shown, target in zip(seen.shown, targets, strict=True)]
    each = [torch.autograd.grad(loss, list(model.parameters())) for loss in losses]
    return torch.stack([torch.cat([g.flatten() for g in gradients]) for gradients in each])


def _of_gradients(seen: Pass, model: WatchedDenoiser) -> Found:
    clean, found = _clean(seen), torch.stack(seen.gradients)
    right, copied = _gradients(model, seen, clean), _gradients(model, seen, seen.shown)
    sizes = torch.tensor([float(len(s)) for s in seen.shown])[:, None]
    if found.shape != right.shape:
        yield "few steps", {}
        return
    candidates = {
        "": right,
        "no zero_grad": right.cumsum(0),
        "noisy target": copied,
        "summed": right * sizes,
        "averaged": right / 2,
        "summed and piled up": (right * sizes).cumsum(0),
    }
    same = [kind for kind, g in candidates.items() if torch.allclose(found, g, rtol=1e-3, atol=1e-2)]
    factor = ((found * right).sum() / right.square().sum()).item()
    shift = (found - right)[:, -2:].abs().max() / 2  # of the targets' mean, by the bias's gradient
    if not same:
        other = torch.allclose(found, factor * right, rtol=1e-3, atol=1e-2)
        near = "other noise" if shift < 3 * SIGMA else "gradient"
        yield ("factor", {"factor": factor}) if other else (near, {})
    elif same[0]:
        yield same[0], {}


def _of_result(seen: Pass, model: WatchedDenoiser, got: float | None) -> Found:
    if got is None:
        yield "returns nothing", {}
        return
    with torch.no_grad():
        pairs = zip(seen.shown, _clean(seen), strict=True)
        means = torch.stack([_loss(model, shown, target) for shown, target in pairs])
    sizes = torch.tensor([float(len(s)) for s in seen.shown])
    right = ((means * sizes).sum() / sizes.sum()).item()
    forms = {
        "": right,
        "last batch": means[-1].item(),
        "unweighted": means.mean().item(),
        "sum of means": means.sum().item(),
        "total": (means * sizes).sum().item(),
    }
    same = [kind for kind, value in forms.items() if abs(got - value) < 1e-3 * abs(value)]
    if not same or same[0]:
        yield same[0] if same else "returned", {"right": right, "got": got}
    elif isinstance(seen.result, Tensor) and seen.result.requires_grad:
        yield "graph", {}
