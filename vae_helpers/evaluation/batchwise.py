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
    results = None
    for i in range(0, len(x), batch_size):
        images = to_float(x[i : i + batch_size])
        rows = function(images)
        _look_at(rows, len(images))
        if results is None:  # made once: pieces and their sum together would need twice the memory
            results = rows.new_empty((len(x), *rows.shape[1:]))
        results[i : i + batch_size] = rows
    return results


def _look_at(rows: object, n: int) -> None:
    if not isinstance(rows, Tensor) or rows.ndim == 0:
        kind = type(rows).__name__
        raise TypeError(f"function must return a tensor (batch, …), got {kind}: for codes, use model.embed.")
    if len(rows) != n:
        raise ValueError(f"function must return a row for each image: it was given {n} and returned {len(rows)}.")
