"""A function of images or codes, applied to any number of them."""

from collections.abc import Callable
from typing import Annotated

from vae_helpers.data import to_float
from vae_helpers.validation import Grey, PositiveInt, tensors, validated

import torch
from jaxtyping import Shaped
from torch import Tensor

Batchwise = Callable[[Tensor], Tensor]


@validated
@torch.no_grad()
def in_batches(
    function: Batchwise, x: Annotated[Grey[Tensor, " n ..."], tensors.finite], batch_size: PositiveInt = 2000
) -> Shaped[Tensor, " n ..."]:
    """Apply a function of images or codes to all of ``x`` in batches, without gradients; uint8 images become floats."""
    results = [function(to_float(part)) for part in x.split(batch_size)]
    if not isinstance(results[0], Tensor) or results[0].ndim == 0:
        kind = type(results[0]).__name__
        raise TypeError(f"function must return a tensor (batch, …), got {kind}: for codes, use model.embed.")
    return torch.cat(results)
