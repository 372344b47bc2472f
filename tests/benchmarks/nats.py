"""Nats in three minutes: train a model for 180 seconds on the machine at hand, score it, and print its row.

    python tests/benchmarks/nats.py best                   (the course's own, by name: --help lists them)
    python tests/benchmarks/nats.py my_module:MyVAE        (yours, from my_module.py in this folder)
    python tests/benchmarks/nats.py my_module:MyVAE --held-out --draws 500      (to choose between versions of it)

A class is called without arguments and must have ``encode(x) → (mu, logvar)``, ``decode(z) → x_logits`` and
``likelihood = Bernoulli()``, as ``vae_helpers.models.VAE`` has. A ``prior`` of its own with ``log_prob(z)`` is used; a
``plan = Plan(…)`` (vae_helpers.training) says how its seconds are spent. With another kind of q, give it a method
``log_weights(x_bin, k)``, log p(x, z) / q(z|x) of k draws, (k, n): it is then trained and scored on those.

The setting: MNIST, the last 5,000 training images left out (choose on those, never on the test images); 180 seconds by
the clock, in float32; training images binarized anew at each step, test images once, seeded. NLL = −ELBO of all test
images, 20 draws each, less the mean gap of the same 500 of them, 5,000 draws of the encoder's q each. ± is the standard
error of that gap, the images being the same for all. On a machine that has other things to do, OMP_NUM_THREADS=1 and
``--processor`` give each model 180 seconds of one core, whatever else runs.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from vae_helpers import data
from vae_helpers.evaluation import mean_and_error
from vae_helpers.losses import log_mean_exp
from vae_helpers.models import MixtureVAE, SmoothVAE, copy_of, n_parameters, start_at_mean
from vae_helpers.training import History, Plan, checkpoint, fit_for
from vae_helpers.training.best import HELD_OUT, PLAN, SECONDS, settings

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))

import likelihood
import machine

Clock = Callable[[], float]
HEAD = "| model | passes | weights | −ELBO | NLL | seed | GFLOP/s |\n|---|---|---|---|---|---|---|"


class Entry(NamedTuple):
    """A model of the leaderboard: how it is made, how its time is spent, and what it changes of the one before."""

    build: Callable[[], nn.Module]
    plan: Plan
    said: str


COURSE = {  # each is the one before with one change
    "smooth": Entry(SmoothVAE, Plan(), "06's best, 784-400-400-50, N(0, I)"),
    "mixture": Entry(partial(MixtureVAE, 50), Plan(), "+ a mixture of 500 Gaussians as prior, learned along"),
    "narrow": Entry(MixtureVAE, Plan(), "+ a code of 30 dimensions instead of 50"),
    "warm": Entry(MixtureVAE, Plan(warm_up=PLAN.warm_up), "+ the KL warms up for two fifths of the time, not one"),
    "best": Entry(MixtureVAE, PLAN, "+ then the bound of 5 draws: **the best**"),
}


def entry_of(name: str) -> Entry:
    """One of the course's own, or ``module:Class`` from the folder where this is started. Raises ValueError."""
    if name in COURSE:
        return COURSE[name]
    module, _, kind = name.partition(":")
    if not kind:
        raise ValueError(f"model must be one of {', '.join(COURSE)}, or module:Class, got {name!r}.")
    sys.path.insert(0, str(Path.cwd()))
    try:
        build = getattr(importlib.import_module(module), kind)
    except (ModuleNotFoundError, AttributeError) as error:
        raise ValueError(f"model: {error}. module:Class is looked for in {Path.cwd()}.") from error
    return Entry(build, getattr(build, "plan", Plan()), name)


class Score(NamedTuple):
    """What a model is worth on some images, in nats per image; ``error`` is that of the gap between both."""

    elbo: float
    nll: float
    error: float


@torch.inference_mode()
def score(model: nn.Module, x_bin: Tensor, n_images: int = 500, n_draws: int = 5000) -> Score:
    """−ELBO of all images, and their NLL by the gap of ``n_images`` of them, the same in every call."""
    random = torch.Generator(x_bin.device).manual_seed(1)
    order = torch.randperm(len(x_bin), generator=random, device=x_bin.device)[:n_images]
    if hasattr(model, "log_weights"):
        draw = model.log_weights
    else:
        draw = lambda x, k: likelihood.log_weights(model, x, k, random)  # noqa: E731
    bound = torch.cat([draw(part, 20).mean(dim=0) for part in x_bin.split(100)])
    log_p = [
        log_mean_exp(torch.cat([draw(x_bin[part], 100) for _ in range(-(-n_draws // 100))])[:n_draws])
        for part in order.split(20)
    ]
    gap, error = mean_and_error(torch.cat(log_p) - bound[order])
    return Score(-bound.mean().item(), -bound.mean().item() - gap, error)


def trained(entry: Entry, x: Tensor, seconds: float, seed: int, clock: Clock) -> tuple[nn.Module, History]:
    """The entry's model after so many seconds on grey images, begun at their mean where it ends in a Linear layer."""
    torch.manual_seed(seed)
    model = entry.build().to(x.device)
    if hasattr(model, "decoder") and isinstance(list(model.decoder.modules())[-1], nn.Linear):
        start_at_mean(model, x)
    warm_up = min(2.0, seconds)  # what is slow at first: memory, threads
    fit_for(copy_of(model), x[:5000], warm_up, entry.plan, seed, progress=False)
    return model, fit_for(model, x, seconds, entry.plan, seed, clock=clock)


def row(entry: Entry, model: nn.Module, history: History, found: Score, seed: int, speed: float) -> str:
    """A line of the leaderboard."""
    nll = f"**{found.nll:.2f}** ± {found.error:.2f}"
    weights = f"{n_parameters(model) / 1e6:.2f} M"
    return f"| {entry.said} | {len(history.train)} | {weights} | {found.elbo:.2f} | {nll} | {seed} | {speed:.0f} |"


def main(arguments: list[str] | None = None) -> None:
    """Train, score, print a row, and the machine it was measured on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help=f"{', '.join(COURSE)}, or module:Class")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=500, help="of which the gap is measured (500)")
    parser.add_argument("--draws", type=int, default=5000, help="for each of them (5,000)")
    parser.add_argument("--processor", action="store_true", help="count the processor's seconds: for a busy machine")
    parser.add_argument("--held-out", action="store_true", help="score the held-out training images, to choose by")
    asked = parser.parse_args(arguments)
    try:
        entry = entry_of(asked.model)
    except ValueError as error:
        parser.error(str(error))
    images = data.load("mnist")
    if images.name != "mnist":
        parser.error("MNIST could not be had: without it there is no row.")
    speed = machine.gigaflops()
    print(f"{images!r}\n{machine.in_words(speed)}", flush=True)
    clock = time.process_time if asked.processor else time.perf_counter
    model, history = trained(entry, images.x[:-HELD_OUT], asked.seconds, asked.seed, clock)
    if entry is COURSE["best"] and asked.seconds == SECONDS:
        checkpoint.keep(model, history, images.name, **settings(asked.seed))
    scored = images.x[-HELD_OUT:] if asked.held_out else images.x_test
    x_bin = torch.bernoulli(data.to_float(scored), generator=torch.Generator(scored.device).manual_seed(1))
    found = score(model, x_bin, asked.images, asked.draws)
    print(f"{history}\n\n{HEAD}\n{row(entry, model, history, found, asked.seed, speed)}", flush=True)


if __name__ == "__main__":
    main()
