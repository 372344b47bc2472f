"""Euler's walk along a velocity, watched: where and when the velocity is asked, and what becomes of its answers."""

from collections.abc import Iterator

from vae_helpers.exercises.engine import Answer, Exercise, WrongShapeError, result_of
from vae_helpers.exercises.engine.probes import NotFiniteError
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from jaxtyping import Float
from torch import Tensor

SAYS = {
    "never asked": "velocity was never called: nothing tells the noise where to go.",
    "one number": "t arrives as a single number. The network wants one time per row: torch.full((len(z),), t).",
    "number": "velocity is asked {} times where {} steps are wanted, one look each.",
    "from data": "the walk begins at t = 0 and goes up. Noise lies at t = 1: begin there and go down.",
    "one late": "velocity is asked where each step *ends*: the first look is below t = 1, the last at t = 0. Euler "
    "looks where it stands.",
    "to the end": "the times run from 1 to 0 with both ends: that makes one step too few between them. The last look "
    "is at t = 1/n.",
    "same time": "every look is at the same t: t must fall by 1/n with each step.",
    "times": "the looks are at t = {}, where t falls from 1 by 1/n a step.",
    "noise": "the first look is not at the noise that was handed over.",
    "from the noise": "every step begins at the noise again. Go on from where the last step ended.",
    "uphill": "the step goes *with* the velocity, which leads to noise. As t falls, z loses h v.",
    "no length": "each step is a whole velocity long: multiply it by the step's length, 1/n.",
    "t for h": "the velocity is multiplied by t, where the length of the step belongs, 1/n.",
    "drawn": "something is drawn on the way: this walk needs no noise but the one it starts from.",
    "step": "a step is {:.2f} velocities long, where −1/n = {:.2f} is right.",
    "last": "the last step is not taken: the look at t = 1/n still leads to t = 0.",
    "path": "all stations are returned: only the last, at t = 0, is asked for.",
    "other": "the steps are right, what is returned is not: the codes where the last step ends.",
}
Look = tuple[Float[Tensor, "n d"], Float[Tensor, " n"], Float[Tensor, "n d"]]  # where, when, and what was answered


class OneNumberError(Exception):
    """A time that is no tensor with one entry per row."""


def _euler(velocity: Answer, noise: Float[Tensor, "n d"], n_steps: int) -> Float[Tensor, "n d"]:
    z = noise
    for k in range(n_steps):
        t = z.new_full((len(z),), 1 - k / n_steps)
        z = z - velocity(z, t) / n_steps
    return z


def _watched(looks: list[Look]) -> Answer:
    def velocity(z: Float[Tensor, "n d"], t: object) -> Float[Tensor, "n d"]:
        """A known field that bends with z and with t."""
        if not isinstance(t, Tensor) or t.shape != (len(z),):
            raise OneNumberError
        v = torch.sin(2 * z) + (1 + t)[:, None]
        looks.append((z.detach().clone(), t.detach().clone(), v.clone()))
        return v

    return velocity


def _of_times(looks: list[Look], n: int) -> Iterator[tuple]:
    times = torch.stack([t[0] for _, t, _ in looks]).double()
    right = 1 - torch.arange(n).double() / n
    forms = {
        "from data": [1 - right, right.flip(0)],
        "one late": [right - 1 / n],
        "to the end": [torch.linspace(1, 0, n).double()],
        "same time": [times[:1].expand(n)],
    }
    if len(times) == n and torch.allclose(times, right, atol=1e-5):
        return
    fits = [k for k, fs in forms.items() for f in fs if f.shape == times.shape and torch.allclose(times, f, atol=1e-5)]
    if fits:
        yield (fits[0],)
    elif len(times) != n:
        yield "number", len(times), n
    else:
        yield "times", ", ".join(f"{t:.2f}" for t in times.tolist())


def _of_steps(looks: list[Look], again: list[Look], noise: Float[Tensor, "n d"], n: int) -> Iterator[tuple]:
    if not torch.allclose(looks[0][0], noise):
        yield ("noise",)
        return
    if not torch.allclose(looks[1][0], again[1][0]):
        yield ("drawn",)
        return
    (z, t, v), (next_z, *_) = looks[1], looks[2]
    moved = (next_z - z).double()
    length = ((moved * v).sum() / v.square().sum()).item()
    if torch.allclose(moved, torch.zeros_like(moved)):
        yield ("from the noise",)
    elif abs(length + 1 / n) > 1e-3:
        kinds = {"uphill": 1 / n, "no length": -1.0, "t for h": -t[0].item()}
        named = [kind for kind, value in kinds.items() if abs(length - value) < 1e-3]
        yield (named[0],) if named else ("step", length, -1 / n)


def _of_result(result: Float[Tensor, "..."], looks: list[Look], n: int) -> Iterator[tuple]:
    z, _, v = looks[-1]
    right = z - v / n
    if result.shape != right.shape:
        if result.dim() == 3:
            yield ("path",)
            return
        raise WrongShapeError(tuple(result.shape))
    if not torch.allclose(result.double(), right.double(), atol=1e-5):
        yield ("last",) if torch.allclose(result.double(), z.double()) else ("other",)


def _walked(answer: Answer, noise: Float[Tensor, "n d"], n: int) -> tuple[Tensor, list[Look]]:
    looks: list[Look] = []
    result = result_of(answer, (_watched(looks), noise.clone(), n))
    if not result.isfinite().all():
        raise NotFiniteError
    return result, looks


def euler_findings(answer: Answer, seed: int) -> list[Finding]:
    """What is wrong with my_euler(velocity, noise, n_steps) → codes (n, d) at t = 0; the gravest first."""
    kinds = {}
    for k, (shape, n) in enumerate((((5, 3), 4), ((6, 2), 5))):
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(100 * seed + k)
            noise = torch.randn(shape)
            try:
                (result, looks), (_, again) = (_walked(answer, noise, n) for _ in range(2))
            except OneNumberError:
                return [Finding(Relation("walk", "steps", "one number"), SAYS["one number"])]
        found = _found(result, looks, again, noise, n)
        kinds |= {kind: SAYS[kind].format(*told) for kind, *told in found if kind not in kinds}
    return [Finding(Relation("walk", "steps", kind), says) for kind, says in kinds.items()]


def _found(result: Tensor, looks: list[Look], again: list[Look], noise: Tensor, n: int) -> list[tuple]:
    if not looks:
        if result.shape != noise.shape:
            raise WrongShapeError(tuple(result.shape))
        return [("never asked",)]
    of_times = list(_of_times(looks, n))
    of_steps = list(_of_steps(looks, again, noise, n)) if len(looks) > 2 and len(again) > 2 else []
    if of_times:
        return of_times + [of for of in of_steps if of == ("uphill",)]
    return of_steps or list(_of_result(result, looks, n))


EULER = Exercise(
    id="euler-walk",
    expects="the codes at t = 0, (n, d), reached from noise at t = 1 in n_steps equal steps",
    reference=_euler,
    findings=euler_findings,
)
