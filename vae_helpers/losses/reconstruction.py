"""How far a picture is from its original, in nats: summed over pixels; and the losses of models that have no KL.

``*_loss`` functions give a ``Loss``, averaged over the batch.
"""

from collections.abc import Callable
from math import log, pi
from typing import Annotated

from vae_helpers.losses.half_precision import in_float32
from vae_helpers.losses.loss import Classes, Images, Loss, PerImage
from vae_helpers.validation import PixelsInAStep, has, validated

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Batch = Float[Tensor, " batch d *more"]  # images, or rows
Coins = PixelsInAStep[Tensor, " batch d *more"]  # in [0, 1]: each the share of ink


@validated
@in_float32
def squared_error(x_hat: Batch, x: Batch) -> PerImage:
    """‖x − x̂‖² per image, in nats: up to a constant the −log-likelihood of a Gaussian with variance ½."""
    return (x_hat - x).square().flatten(1).sum(dim=1)


@validated
@in_float32
def bernoulli_nll(x_logits: Batch, x: Coins) -> PerImage:
    """−Σ x log p + (1 − x) log(1 − p) with p = sigmoid(x_logits), per image, in nats.

    For grey x this is the *expected* negative log-likelihood of the image binarized at random, b ~ Bernoulli(x).
    """
    nll = F.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    return nll.flatten(1).sum(dim=1)


@validated
def gaussian_nll(x_hat: Batch, x: Batch, logvar_x: Float[Tensor, ""]) -> PerImage:
    """−log N(x; x̂, σ_x² I) per image, in nats, negative where the density exceeds 1."""
    # ½ (‖x − x̂‖² / σ_x² + p log 2πσ_x²), p pixels
    constant = x[0].numel() * (log(2 * pi) + logvar_x)
    return 0.5 * (squared_error(x_hat, x) / logvar_x.exp() + constant)


@validated
def autoencoder_loss(
    model: Annotated[nn.Module, has("encode", "generate")],
    x: Images,
    y: Classes | None = None,
) -> Loss:
    """Squared error of an autoencoder, summed over pixels, averaged over the batch."""
    x_hat = model.generate(model.encode(x))
    return Loss(squared_error(x_hat, x).mean())


@validated
def denoising_loss(
    model: Annotated[nn.Module, has("encode", "decode")],
    x: Images,
    y: Classes | None = None,
    *,
    corrupt: Callable[[Tensor], Tensor],
) -> Loss:
    """Cross-entropy between the clean x and the model's answer to corrupt(x), in nats per image.

    A fresh corruption at each call; its best answer is E[x | x̃], as under squared error. Vincent et al. 2008, section
    2.3.
    """
    x_noisy = corrupt(x)
    x_logits = model.decode(model.encode(x_noisy))
    return Loss(bernoulli_nll(x_logits, x).mean())
