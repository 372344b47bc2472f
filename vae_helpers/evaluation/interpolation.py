"""Interpolation between codes: straight, in the field lerp, and along the sphere, slerp."""

from typing import Annotated

from vae_helpers.validation import Finite, tensors, validated

import torch
from jaxtyping import Float
from torch import Tensor

Codes = Annotated[Finite[Tensor, " *n d"], tensors.one_row_or_more]
Places = float | Finite[Tensor, " _ 1"] | Finite[Tensor, ""]  # one for all, or one code per row
OnTheWay = Float[Tensor, " *rows d"]


@validated
def straight(z_a: Codes, z_b: Codes, t: Places) -> OnTheWay:
    """The code at t of the straight way (lerp) from z_a (t = 0) to z_b (t = 1).

    Half-way between two unrelated codes of N(0, I) the result is shorter than they are, by √2.
    """
    return (1 - t) * z_a + t * z_b


@validated
def spherical(z_a: Codes, z_b: Codes, t: Places) -> OnTheWay:
    """The code at t of the way along the great circle (slerp) from z_a (t = 0) to z_b (t = 1).

    Between codes of one length, all codes on the way have that length. Shoemake 1985; for latent codes, White 2016,
    arXiv:1609.04468. Codes of one direction are joined by the straight way, the formula's
    limit. Raises ValueError for a code of length 0, which has no direction, and for opposite codes, between which no
    great circle is the shortest.
    """
    lengths = torch.linalg.vector_norm(z_a, dim=-1, keepdim=True) * torch.linalg.vector_norm(z_b, dim=-1, keepdim=True)
    if (lengths == 0).any():
        raise ValueError("A code of length 0 has no direction (in z_a or z_b): take another, or the straight way.")
    cosine = (z_a * z_b).sum(dim=-1, keepdim=True) / lengths
    if (cosine < -1 + 1e-6).any():
        raise ValueError(
            "Opposite codes have no shortest way along the sphere (from z_a to z_b): take others, or the straight way."
        )
    # ω the angle between the codes, kept from 0, where both weights are 0/0 and their limits 1 − t and t
    omega = torch.arccos(cosine.clamp(max=1)).clamp(min=1e-3)
    # (sin((1 − t) ω) z_a + sin(t ω) z_b) / sin ω
    t = torch.as_tensor(t, dtype=z_a.dtype, device=z_a.device)
    return (torch.sin((1 - t) * omega) * z_a + torch.sin(t * omega) * z_b) / torch.sin(omega)


lerp, slerp = straight, spherical
