"""What all networks share: layers, a start at the mean image, their size, the device they lie on, copies."""

import copy
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated

from vae_helpers.data import mean_image
from vae_helpers.validation import Condition, NoisyPixelsInAStep, Pixels, PositiveInt, has, tensors, validated

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

# what a model's methods take and give
Images = Annotated[NoisyPixelsInAStep[Tensor, " batch 1 28 28"], tensors.suits_the_model]
Codes = Annotated[Float[Tensor, " batch {self.latent_dim}"], tensors.suits_the_model]
Pictures = Float[Tensor, " batch 1 28 28"]
Unused = Int64[Tensor, " batch"] | None  # labels, for a model that knows no classes


@Condition
def _two_or_more(size: int, name: str, given: Mapping[str, object]) -> None:
    if len(given[name]) < 2:
        raise ValueError(f"{name} must be at least two, the first layer's inputs and outputs, got {size}.")


@validated
def mlp(*sizes: Annotated[PositiveInt, _two_or_more], activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of the given sizes with an activation between them, none after the last."""
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), activation()]
    return nn.Sequential(*layers[:-1])


@validated
@torch.no_grad()
def start_at_mean(model: Annotated[nn.Module, has("decoder")], x: Pixels[Tensor, " n 1 28 28"]) -> None:
    """Set the decoder's last bias to logit(mean image of x), so that an untrained model already draws the mean image.

    The mean is kept in [0.001, 0.999], so that the logit stays finite. Outputs beyond the first 784 (a σ_x per pixel)
    keep their bias.
    """
    last = list(model.decoder.modules())[-1]
    if not isinstance(last, nn.Linear) or last.bias is None:
        raise TypeError(f"The decoder of model must end in a Linear layer with a bias, got {last}.")
    bias = last.bias[:784]
    bias.copy_(torch.logit(mean_image(x).flatten().clamp(1e-3, 1 - 1e-3)).to(bias))


@validated
def n_parameters(model: nn.Module) -> int:
    """How many numbers training may change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@validated
def device_of(model: nn.Module) -> torch.device:
    """Where a model's weights lie. Raises ValueError for a model that has none."""
    first = next(model.parameters(), None)
    if first is None:
        raise ValueError(f"model must have weights, and {type(model).__name__} has none.")
    return first.device


@validated
def copy_of(model: nn.Module) -> nn.Module:
    """A copy of a model. Tensors that it keeps of its last pass are cut from their graph, which can't be copied."""
    kept = [t for part in model.modules() for t in _tensors_in(list(vars(part).values())) if not t.is_leaf]
    return copy.deepcopy(model, {id(t): t.detach().clone() for t in kept})


def _tensors_in(values: list | tuple) -> Iterator[Shaped[Tensor, "..."]]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors_in(value)
