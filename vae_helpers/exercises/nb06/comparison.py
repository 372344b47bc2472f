"""Exercise of notebook 06: two models on the same images, with an error that covers images and draws."""

from math import sqrt

from vae_helpers.exercises.engine import Exercise, Mistake

import torch
from torch import Tensor


def _estimates_of_two(seed: int = 0) -> list[tuple]:
    """log p̂ of the same images by two models, from all draws and from half; images differ more than models do."""
    g = torch.Generator().manual_seed(26 + 1000 * seed)
    r = lambda n: torch.randn(n, generator=g, dtype=torch.float64)  # noqa: E731
    probes = []
    for n, gained in ((5, 0.7), (8, 1.1)):
        images = 25 * r(n) - 90
        a, b = images + 4 + r(n), images + r(n)
        probes.append((a, b, a - gained - 0.3 * r(n).abs(), b - 0.2 * r(n).abs()))
    return probes


def _paired_difference(log_p_a: Tensor, log_p_b: Tensor, half_a: Tensor, half_b: Tensor) -> Tensor:
    difference = log_p_a - log_p_b
    fewer = half_a - half_b
    over_images = difference.std() / sqrt(len(log_p_a))
    over_draws = difference.mean() - fewer.mean()
    error = (over_images**2 + over_draws**2).sqrt()
    return torch.stack([difference.mean(), error])


def _standard_error(values: Tensor) -> Tensor:
    return values.std() / len(values) ** 0.5


def _unpaired(a: Tensor, b: Tensor) -> Tensor:
    return torch.hypot(_standard_error(a), _standard_error(b))


def _and(difference: Tensor, error: Tensor) -> Tensor:
    return torch.stack([difference.mean(), error])


PAIRED = Exercise(
    id="paired-difference",
    expects="two numbers: the mean of log p̂_a − log p̂_b over the images, and its error from images and draws",
    reference=_paired_difference,
    probes=_estimates_of_two,
    words={
        "difference": "the difference per image",
        "fewer": "the difference from half of the draws",
        "over_images": "the images' share, the standard error",
        "over_draws": "the draws' share",
        "error": "the error",
    },
    mistakes=(
        Mistake(
            lambda a, b, c, d: _and(a - b, torch.hypot(_unpaired(a, b), (a - b - c + d).mean())),
            "the error is unpaired: each model's spread over images is the images' own, and drowns the difference. "
            "Subtract image by image first, and take the spread of that.",
        ),
        Mistake(
            lambda a, b, c, d: _and(a - b, _unpaired(a, b)),
            "the error is unpaired, and the draws' share is missing. Subtract image by image first; then add what half "
            "of the draws would have said.",
        ),
        Mistake(
            lambda a, b, c, d: _and(a - b, _standard_error(a - b)),
            "the error counts the images only. The draws' share is missing: how far the mean moved when their number "
            "was doubled.",
        ),
        Mistake(
            lambda a, b, c, d: _and(a - b, (a - b - c + d).mean().abs()),
            "the error counts the draws only. Other images would give another mean: add the spread over images, "
            "divided by √n.",
        ),
        Mistake(
            lambda a, b, c, d: _and(a - b, torch.hypot((a - b).std(), (a - b - c + d).mean())),
            "the spread over images is not divided by √n: that is how much one image differs, not how well their mean "
            "is known.",
        ),
        Mistake(
            lambda a, b, c, d: _and(a - b, torch.hypot((a - b).std() / len(a), (a - b - c + d).mean())),
            "the spread over images is divided by n: the error of a mean falls as 1/√n only. Four times the images, "
            "half the error.",
        ),
        Mistake(
            lambda a, b, c, d: _and(a - b, _standard_error(a - b) + (a - b - c + d).mean().abs()),
            "the two shares are added as they are. They have nothing to do with each other: add their squares, and "
            "take the root.",
        ),
        Mistake(
            lambda a, b, c, d: _and(a - b, torch.hypot(_standard_error(a - b), _standard_error(a - b - c + d))),
            "the draws' share is the spread of the changes. What is feared here is a *bias*, which all images share: "
            "take the mean change.",
        ),
        Mistake(
            lambda a, b, c, d: _and(a - b, torch.hypot(_standard_error(a - b), (a - b - c + d).square().mean().sqrt())),
            "the draws' share is taken image by image. What is asked is by how much the *mean* difference changed: "
            "average first, then square.",
        ),
        Mistake(
            lambda a, b, c, d: _and(c - d, torch.hypot(_standard_error(a - b), (a - b - c + d).mean())),
            "the mean is that from half of the draws. All of them tell more: use half only for the error.",
        ),
    ),
)

EXERCISES = (PAIRED,)
