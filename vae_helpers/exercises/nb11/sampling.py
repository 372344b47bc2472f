"""Draws layer by layer: denoiser and posterior are watched, and what was handed to them compared."""

from collections.abc import Callable

from vae_helpers.exercises.engine import Exercise

import torch
from torch import Tensor


def _layer_by_layer(denoise: Callable, posterior: Callable, z: Tensor, steps: int) -> Tensor:
    for i in range(steps, 0, -1):
        s, t = z.new_tensor([i - 1, i]) / steps
        x_hat = denoise(z, t.expand(len(z)))
        mean, variance = posterior(z, x_hat, s, t)
        z = mean + variance.sqrt() * torch.randn_like(z)
    return denoise(z, z.new_zeros(len(z)))


LAYER_BY_LAYER = Exercise(
    id="layer-by-layer",
    expects="one sample per row, (n, d): the denoiser's last word",
    reference=_layer_by_layer,
    probes=lambda seed=0: [],
)
