"""Draws layer by layer: denoiser and posterior are watched, and what was handed to them compared."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from vae_helpers.exercises.engine import Answer, Exercise, WrongShapeError, result_of
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from torch import Tensor

N, STEPS = 400, 5
SAYS = {
    "never guessed": "denoise was never called: nothing says where data is.",
    "no posterior": "posterior was never called: each step should draw z_s from q(z_s∣z_t, x̂).",
    "number": "it takes {} steps where {} are asked.",
    "upwards": "the walk goes from t = 0 to 1: begin at t = 1, where z is noise, and come down to 0.",
    "exchanged": "s and t are exchanged: s is the time that the step arrives at, the smaller one.",
    "times": "a step's times are wrong: the first leads from t = 1 to 1 − 1/steps, the last from 1/steps to 0.",
    "not told": "the denoiser isn't told the step's t, the time of the z that it gets: it takes strong noise for weak.",
    "one t for all": "the denoiser wants one time per row, (n,): t.expand(len(z)).",
    "not the guess": "posterior was not given the denoiser's x̂ of this step.",
    "order": "posterior's first two arguments are z_t and then x̂.",
    "from the start": "every step begins at the first z again: go on from what the last step drew.",
    "no noise": "no noise is drawn: each step takes the posterior's mean, and the walk ends too near to the middle.",
    "same noise": "every step adds the same ε: draw a new one for each.",
    "shared noise": "one ε serves all rows: draw one for each number in z.",
    "variance": "the variance multiplies ε where its root, the deviation, must.",
    "scale": "what a step adds to the mean has a deviation of {:.2f} times the posterior's.",
    "not centred": "what a step adds to the mean is not centred on 0: randn draws such noise.",
    "noise at the end": "z_0 itself is returned, with its last noise on it: the denoiser has the last word, at t = 0.",
    "one step early": "what is returned is the last step's guess or mean: draw z_0, then ask the denoiser at t = 0.",
    "last time": "the last guess is asked for at another time than t = 0.",
    "other": "the steps are right, what is returned is not: the denoiser's x̂ of the last z, at t = 0.",
}


def _layer_by_layer(denoise: Callable, posterior: Callable, z: Tensor, steps: int) -> Tensor:
    for i in range(steps, 0, -1):
        s, t = z.new_tensor([i - 1, i]) / steps
        x_hat = denoise(z, t.expand(len(z)))
        mean, variance = posterior(z, x_hat, s, t)
        z = mean + variance.sqrt() * torch.randn_like(z)
    return denoise(z, z.new_zeros(len(z)))


class Guess(NamedTuple):
    """A call of the denoiser."""

    z: Tensor
    t: Tensor
    x_hat: Tensor


class Step(NamedTuple):
    """A call of the posterior."""

    z: Tensor
    x_hat: Tensor
    s: Tensor
    t: Tensor
    mean: Tensor
    variance: Tensor


def _watched(guesses: list[Guess], steps: list[Step]) -> tuple[Callable, Callable]:
    def denoise(z: Tensor, t: Tensor) -> Tensor:
        """A known bend, another at each time."""
        t = torch.as_tensor(t, dtype=z.dtype)
        x_hat = torch.tanh(z + (t[:, None] if t.dim() == 1 else t)) + 0.1 * z
        guesses.append(Guess(z.clone(), t.clone(), x_hat.clone()))
        return x_hat

    def posterior(z: Tensor, x_hat: Tensor, s: Tensor, t: Tensor) -> Tensor:
        """A known Gaussian."""
        s, t = (torch.as_tensor(part, dtype=z.dtype).flatten()[0] for part in (s, t))
        mean = 0.7 * z + 0.4 * x_hat + 0.2 * s - 0.1 * t
        variance = (0.05 + 0.2 * s).expand_as(mean)
        steps.append(Step(z.clone(), x_hat.clone(), s, t, mean.clone(), variance.clone()))
        return torch.stack([mean, variance])

    return denoise, posterior


def _of_steps(guesses: list[Guess], steps: list[Step]) -> Iterator[tuple]:
    if not guesses or not steps:
        yield ("no posterior",) if guesses else ("never guessed",)
        return
    if len(steps) != STEPS:
        yield "number", len(steps), STEPS
        return
    s, t = (torch.stack([step[k] for step in steps]).double() for k in (2, 3))
    down = torch.arange(STEPS, -1, -1).double() / STEPS
    if not (torch.allclose(s, down[1:], atol=1e-5) and torch.allclose(t, down[:-1], atol=1e-5)):
        if torch.allclose(s, down[:-1], atol=1e-5) and torch.allclose(t, down[1:], atol=1e-5):
            yield ("exchanged",)
        yield ("upwards",) if t[-1] > t[0] else ("times",)
    if torch.equal(steps[1].z, steps[0].z):
        yield ("from the start",)
    yield from _of_guesses(guesses, steps)


def _of_guesses(guesses: list[Guess], steps: list[Step]) -> Iterator[tuple]:
    for step in steps:
        mine = [g for g in guesses if torch.equal(g.x_hat, step.x_hat)]
        if not mine:
            swapped = any(torch.equal(g.x_hat, step.z) for g in guesses)
            yield ("order",) if swapped else ("not the guess",)
        elif mine[0].t.dim() != 1 or len(mine[0].t) != N:
            yield ("one t for all",)
        elif not torch.allclose(mine[0].t, step.t, atol=1e-5):
            yield ("not told",)


def _of_noise(steps: list[Step], guesses: list[Guess]) -> Iterator[tuple]:
    arrived = [step.z for step in steps[1:]]
    if len(guesses) > STEPS:
        arrived.append(guesses[-1].z)
    added = [z - step.mean for z, step in zip(arrived, steps, strict=False)]
    eps = [a / step.variance.sqrt() for a, step in zip(added, steps, strict=False)]
    scales = torch.stack([e.std() for e in eps])
    if scales.max() < 1e-3:
        yield ("no noise",)
        return
    if any(e.std(0).max() < 1e-3 for e in eps):
        yield ("shared noise",)
    if torch.allclose(eps[0] / scales[0], eps[1] / scales[1], atol=1e-3):
        yield ("same noise",)
    if torch.stack([e.mean().abs() for e in eps]).max() > 0.2:
        yield ("not centred",)
    as_variance = torch.stack([(a / step.variance).std() for a, step in zip(added, steps, strict=False)])
    if (as_variance - 1).abs().max() < 0.15:
        yield ("variance",)
    if (scales - 1).abs().max() > 0.15:
        yield "scale", scales.mean().item()


def _of_result(result: Tensor, steps: list[Step], guesses: list[Guess]) -> Iterator[tuple]:
    last = guesses[-1]
    if len(guesses) > STEPS and torch.allclose(result, last.x_hat.double(), atol=1e-6):
        if last.t.abs().max() > 1e-6:
            yield ("last time",)
        return
    early = [g.x_hat for g in guesses] + [step.mean for step in steps]
    if any(torch.allclose(result, e.double(), atol=1e-6) for e in early):
        yield ("one step early",)
    eps = (result - steps[-1].mean) / steps[-1].variance.sqrt()
    yield ("noise at the end",) if 0.5 < eps.std() < 2 else ("other",)


def _sampler_findings(answer: Answer, seed: int) -> list[Finding]:
    guesses, steps = [], []
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed + 1121)
        z = torch.randn(N, 3)
        result = result_of(answer, (*_watched(guesses, steps), z, STEPS))
    if not result.isfinite().all():
        raise NotFiniteError
    found = list(_of_steps(guesses, steps))
    if result.shape != z.shape and not (found and guesses):
        raise WrongShapeError(tuple(result.shape))
    found = found[:1] or [*list(_of_noise(steps, guesses))[:1], *list(_of_result(result, steps, guesses))[:1]]
    found = [of for of in found if of == found[0] or of[0] != "other"]  # whose steps are right
    return [Finding(Relation("sampler", "steps", kind), SAYS[kind].format(*given)) for kind, *given in found]


def _probes(seed: int = 0) -> list[tuple]:
    z = torch.randn(5, 3, generator=torch.Generator().manual_seed(1121 + seed))
    return [(*_watched([], []), z, 4)]


LAYER_BY_LAYER = Exercise(
    id="layer-by-layer",
    expects="one sample per row, (n, d): the denoiser's last word",
    reference=_layer_by_layer,
    probes=_probes,
    findings=_sampler_findings,
)
