"""The walk that spoils and denoises in turn: both functions are watched, and what was handed to them compared."""

from collections.abc import Iterator

from vae_helpers.exercises.engine import Answer, Exercise, WrongShapeError, result_of
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from jaxtyping import Float, Float64
from torch import Tensor

SAYS = {
    "never spoiled": "corrupt was never called: without fresh noise the walk creeps to one spot and stays there.",
    "never denoised": "denoise was never called: the noise piles up, and the points drift away from all data.",
    "order": "it denoises first and spoils then, so that what you keep is noisy. Spoil, then denoise.",
    "number": "it takes {} steps where {} are asked. A step is one spoiling and one denoising.",
    "from the start": "every step begins at the first x again: these are many first steps, and no walk. "
    "Spoil what the last step gave.",
    "noise piles up": "what is spoiled is the noisy point of the step before, so that the noise piles up. "
    "Spoil the denoised one.",
    "same noise": "corrupt was called once, and its result denoised again and again. Spoil anew in each step.",
    "not the noisy": "denoise was not given what corrupt returned: the noise has no say.",
    "end only": "only the end of the walk is returned. Keep the start and the end of each step, and stack them.",
    "no start": "the start is missing: the first of the steps + 1 entries is x itself.",
    "no end": "the last step is missing: the last of the steps + 1 entries is what that step gave.",
    "noisy kept": "the noisy points are returned where the denoised ones belong.",
    "order of result": "the right points in another order: first the start, then the end of each step.",
    "joined": "the steps are joined along the first axis: torch.stack gives them an axis of their own.",
    "other": "the walk is right, what is returned is not: x, then the end of each step, stacked.",
}
Call = tuple[str, Float[Tensor, "..."], Float[Tensor, "..."]]  # which function, what it got, what it gave


def _walk(denoise: Answer, corrupt: Answer, x: Float[Tensor, "..."], steps: int) -> Float[Tensor, "..."]:
    path = [x]
    for _ in range(steps):
        path.append(denoise(corrupt(path[-1])))
    return torch.stack(path)


def _watched(calls: list[Call]) -> tuple[Answer, Answer]:
    """A denoiser and a corruption that write down their calls."""

    def denoise(x_noisy: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """A known map, half way to 2."""
        x_hat = 0.5 * x_noisy + 1
        calls.append(("denoise", x_noisy.clone(), x_hat.clone()))
        return x_hat

    def corrupt(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Noise of deviation 1."""
        x_noisy = x + torch.randn(x.shape)
        calls.append(("corrupt", x.clone(), x_noisy.clone()))
        return x_noisy

    return denoise, corrupt


def _of_calls(calls: list[Call], x: Float[Tensor, "..."], steps: int) -> Iterator[str]:
    names = [name for name, *_ in calls]
    spoiled, denoised = ([c for c in calls if c[0] == name] for name in ("corrupt", "denoise"))
    if not spoiled or not denoised:
        yield "never denoised" if spoiled else "never spoiled"
    elif len(spoiled) == 1 < len(denoised):
        yield "same noise"
    elif names[:2] == ["denoise", "corrupt"]:
        yield "order"
    elif any(not torch.equal(d[1], s[2]) for s, d in zip(spoiled, denoised, strict=False)):
        yield "not the noisy"
    elif len(spoiled) > 1 and torch.equal(spoiled[1][1], x):
        yield "from the start"
    elif len(spoiled) > 1 and torch.equal(spoiled[1][1], spoiled[0][2]):
        yield "noise piles up"
    elif len(denoised) != steps:
        yield "number"


def _of_result(result: Float64[Tensor, "..."], calls: list[Call], x: Float[Tensor, "..."], steps: int) -> Iterator[str]:
    """What is wrong with what a right walk returns."""
    start, ends = x.double()[None], torch.stack([c[2] for c in calls if c[0] == "denoise"]).double()
    noisy = torch.stack([c[2] for c in calls if c[0] == "corrupt"]).double()
    right = torch.cat([start, ends])
    forms = {
        "end only": [ends[-1], ends[-1:]],
        "no start": [ends],
        "no end": [right[:-1]],
        "noisy kept": [torch.cat([start, noisy]), noisy],
        "order of result": [right.flip(0), right.roll(-1, 0), right.transpose(0, 1)],
        "joined": [right.flatten(0, 1)],
    }
    if result.shape == right.shape and torch.allclose(result, right):
        return
    same = [k for k, fs in forms.items() if any(f.shape == result.shape and torch.allclose(f, result) for f in fs)]
    if not same and result.shape != right.shape:
        raise WrongShapeError(tuple(result.shape))
    yield same[0] if same else "other"


def _walk_findings(answer: Answer, seed: int) -> list[Finding]:
    kinds = {}
    for k, (shape, steps) in enumerate((((5, 2), 4), ((3, 1, 28, 28), 3))):
        calls: list[Call] = []
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(100 * seed + k)
            x = torch.randn(shape)
            result = result_of(answer, (*_watched(calls), x, steps))
        if not result.isfinite().all():
            raise NotFiniteError
        if not calls and result.shape != (steps + 1, *x.shape):
            raise WrongShapeError(tuple(result.shape))
        found = list(_of_calls(calls, x, steps)) or list(_of_result(result, calls, x, steps))
        taken = sum(name == "denoise" for name, *_ in calls)
        kinds |= {kind: SAYS[kind].format(taken, steps) for kind in found if kind not in kinds}
    return [Finding(Relation("walk", "steps", kind), says) for kind, says in kinds.items()]


SPOIL_AND_DENOISE = Exercise(
    id="spoil-and-denoise",
    expects="one tensor (steps + 1, …): the start x, and where each step ended",
    reference=_walk,
    findings=_walk_findings,
)
