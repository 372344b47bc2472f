"""From pure noise to data, step by step: by a denoiser's layers (with fresh noise or without), or along a velocity.

``denoise(z_t, t)`` gives x̂, for z_t = α_t x + σ_t ε as in ``losses.diffusion``; ``velocity(z_t, t)`` gives dz/dt, for
flow matching's straight path z_t = (1 − t) x + t ε. t: one time per row, from 1 down to 0. Each of these gives the
whole path, noise first, so that a picture can show it; its last entry is the sample.
"""

from collections.abc import Callable
from typing import Annotated

from vae_helpers.losses import alpha_and_sigma, eps_from_x, step_posterior, step_variance
from vae_helpers.losses.diffusion import Denoise, Variance, beside
from vae_helpers.validation import PositiveInt, objects, validated

import torch
from jaxtyping import Float
from torch import Tensor

Noise = Float[Tensor, " batch d *rest"]
Path = Float[Tensor, " times batch d *rest"]
Velocity = Callable[[Tensor, Tensor], Tensor]
Generator = torch.Generator | None  # on the noise's device; None: torch's global random numbers
METHODS = ("euler", "heun")


@validated
@torch.no_grad()
def ancestral_path(
    denoise: Denoise, noise: Noise, steps: PositiveInt, variance: Variance = "posterior", generator: Generator = None
) -> Path:
    """z_1 … z_0, drawn layer by layer from p(z_s|z_t), and last x̂ of z_0: (steps + 2, batch, …). Ho et al. 2020.

    variance: of p, as of ``losses.step_kl``.
    """
    path = [noise]
    for s, t in _steps(noise, steps):
        z_t = path[-1]
        mean, spread = step_posterior(z_t, denoise(z_t, t), s, t)
        spread = step_variance(s, t) if variance == "beta" else spread
        eps = torch.randn(z_t.shape, generator=generator, device=z_t.device, dtype=z_t.dtype)
        path.append(mean + beside(spread.sqrt(), z_t) * eps)
    return torch.stack([*path, denoise(path[-1], s)])


@validated
@torch.no_grad()
def deterministic_path(denoise: Denoise, noise: Noise, steps: PositiveInt) -> Path:
    """z_1 … z_0 without fresh noise, and last x̂ of z_0: (steps + 2, batch, …). Song et al. 2021 (DDIM).

    Each step keeps the noise that the denoiser sees, ε̂, and mixes it anew with x̂: z_s = α_s x̂ + σ_s ε̂.
    """
    path = [noise]
    for s, t in _steps(noise, steps):
        x_hat = denoise(path[-1], t)
        alpha, sigma = (beside(part, noise) for part in alpha_and_sigma(s))
        path.append(alpha * x_hat + sigma * eps_from_x(path[-1], x_hat, t))
    return torch.stack([*path, denoise(path[-1], s)])


@validated
@torch.no_grad()
def flow_path(
    velocity: Velocity,
    noise: Noise,
    steps: PositiveInt,
    method: Annotated[str, objects.one_of(METHODS)] = "euler",
) -> Path:
    """z_1 … z_0 along dz/dt = v(z, t), from t = 1 to 0, in equal steps: (steps + 1, batch, …). Lipman et al. 2023.

    method: "euler", one look a step, or "heun", two of them averaged.
    """
    path = [noise]
    for s, t in _steps(noise, steps):
        z_t, length = path[-1], 1 / steps
        v = velocity(z_t, t)
        if method == "heun":
            v = 0.5 * (v + velocity(z_t - length * v, s))
        path.append(z_t - length * v)
    return torch.stack(path)


def _steps(noise: Noise, steps: int) -> list[tuple[Tensor, Tensor]]:
    """(s, t) of each step, one time per row, from t = 1 down to s = 0."""
    times = [noise.new_full((len(noise),), k / steps) for k in range(steps, -1, -1)]
    return list(zip(times[1:], times[:-1], strict=True))
