"""A denoiser for every noise level at once: from z_t, the time t and perhaps a label, one number per dimension.

What those numbers are, v, x, ε or a velocity, is the loss's affair: each makes the others.
"""

from collections.abc import Mapping
from math import log
from typing import Annotated

from vae_helpers.validation import Condition, PositiveInt, tensors, validated
from vae_helpers.validation.looks import may_look

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

FREQUENCIES, FASTEST = 32, 1000.0


@Condition
def _of_a_class_or_none(y: Tensor | None, name: str, given: Mapping[str, object]) -> None:
    n_classes = given["self"].n_classes
    if y is None or y.numel() == 0 or not may_look(y.device):
        return
    low, high = y.min().item(), y.max().item()
    if low < 0 or high > n_classes:
        raise ValueError(
            f"{name} must hold labels from 0 to {n_classes - 1}, or {n_classes} for none, got {low}–{high}."
        )


Noisy = Annotated[Float[Tensor, " batch {self.dim}"], tensors.suits_the_model]
Times = Annotated[Float[Tensor, " batch"], tensors.suits_the_model]
LabelsOrNone = Annotated[Int64[Tensor, " batch"] | None, _of_a_class_or_none]


class ResidualDenoiser(nn.Module):
    """z_t (batch, dim) → (batch, dim), told the time in [0, 1] and, where wanted, a label.

    ``n_blocks`` times h + W SiLU(LayerNorm(h) + c), where c is the embedding of time (sines and cosines) and of the
    label. The label ``n_classes`` stands for none: hide some in training, and one network learns both. Before training
    it gives 0. Raises TypeError or ValueError for sizes that are not positive whole numbers and for unknown labels.
    """

    @validated
    def __init__(
        self, dim: PositiveInt, width: PositiveInt = 256, n_blocks: PositiveInt = 3, n_classes: PositiveInt = 10
    ) -> None:
        super().__init__()
        self.dim, self.n_classes = dim, n_classes
        self.register_buffer("frequencies", torch.linspace(0, log(FASTEST), FREQUENCIES).exp())
        self.of_time, self.of_label = nn.Linear(2 * FREQUENCIES, width), nn.Embedding(n_classes + 1, width)
        self.start, self.end = nn.Linear(dim, width), nn.Linear(width, dim)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(n_blocks))
        self.blocks = nn.ModuleList(nn.Linear(width, width) for _ in range(n_blocks))
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)

    @validated
    def forward(self, z: Noisy, t: Times, y: LabelsOrNone = None) -> Float[Tensor, " batch {self.dim}"]:
        """What the network says of z_t at time t; y: labels, ``n_classes`` or None for none."""
        y = torch.full_like(t, self.n_classes, dtype=torch.int64) if y is None else y
        angles = t[:, None] * self.frequencies
        told = self.of_time(torch.cat([angles.sin(), angles.cos()], dim=1)) + self.of_label(y)
        h = self.start(z)
        for norm, block in zip(self.norms, self.blocks, strict=True):
            h = h + block(F.silu(norm(h) + told))
        return self.end(h)
