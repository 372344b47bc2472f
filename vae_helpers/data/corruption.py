"""Corruptions M(x̃ | x): ways to spoil an image at random, so that a network has something to mend.

Notebook 02 writes them out. All take images as floats in [0, 1]. With a ``generator`` (on the images' device) a draw
can be repeated; without one the global random state is used. Raises TypeError or ValueError for other shapes, for
bytes, for amounts out of range, and on the CPU for NaN and images of another scale (a GPU would wait for that look at
every step). Vincent et al. 2008 (masking) and 2010, section 3.3 (all three).
"""

from typing import Annotated

from vae_helpers.validation import Condition, NoisyPixelsInAStep, NotNegative, validated

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Images = NoisyPixelsInAStep[Tensor, " n 1 28 28"]  # noise may be laid on noise
Noisy = Float[Tensor, " n 1 28 28"]


@Condition
def _a_share(value: float, name: str) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be a share of the pixels, from 0 to 1 (25 % is 0.25), got {value}.")


Share = Annotated[float, _a_share]


@validated
def choose_pixels(x: Images, proportion: Share, generator: torch.Generator | None = None) -> Bool[Tensor, " n 1 28 28"]:
    """A mask like x, True at the *same number* of pixels in every image, round(784 · proportion), drawn anew for each.

    Any set of so many pixels is equally likely: those with the largest of 784 random numbers.
    """
    count = round(proportion * x[0].numel())
    lots = torch.rand(x.flatten(1).shape, generator=generator, device=x.device)
    chosen = lots.topk(count, dim=1, sorted=False).indices
    mask = torch.zeros_like(lots, dtype=torch.bool).scatter(1, chosen, True)
    return mask.view_as(x)


@validated
def masking(x: Images, proportion: Share, generator: torch.Generator | None = None) -> Noisy:
    """A fixed proportion of each image's pixels forced to 0. Range: stays in [0, 1], and can only get darker.

    Vincent et al. 2008, section 2.3. No pixel is scaled up to make amends, unlike in dropout.
    """
    return x.masked_fill(choose_pixels(x, proportion, generator), 0.0)


@validated
def gaussian(
    x: Images, sigma_noise: NotNegative, generator: torch.Generator | None = None, clip: bool = False
) -> Noisy:
    """x + σ ε with ε ~ N(0, I). Range: all real numbers; with ``clip`` back to [0, 1], where its mean is no longer 0.

    Clipped noise lifts black paper and dims white: its mean depends on the pixel.
    """
    eps = torch.randn(x.shape, generator=generator, device=x.device)
    x_noisy = x + sigma_noise * eps
    return x_noisy.clamp(0, 1) if clip else x_noisy


@validated
def salt_and_pepper(x: Images, proportion: Share, generator: torch.Generator | None = None) -> Noisy:
    """A fixed proportion of each image's pixels set to 0 or 1 by a fair coin. Range: stays in [0, 1].

    Vincent et al. 2010, section 3.3. A pixel may by luck be set to what it was.
    """
    coins = torch.rand(x.shape, generator=generator, device=x.device).round()
    return torch.where(choose_pixels(x, proportion, generator), coins, x)
