"""How far a picture is from its original, in nats: summed over pixels; and the losses of models that have no KL.

Functions that return (batch,) give one value per image; ``*_loss`` functions give a ``Loss``, averaged over the batch.
"""

import functools
from collections.abc import Callable
from math import log, pi

from vae_helpers.losses.loss import Loss
from vae_helpers.validation import objects, tensors, validate

import torch.nn.functional as F
from torch import Tensor, nn

_BATCH = functools.partial(tensors.floats, least_ndim=2)


@validate.arguments(x_hat=_BATCH)
@validate.alike
def squared_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """‖x − x̂‖² per image, (batch,), in nats: up to a constant the −log-likelihood of a Gaussian with variance ½."""
    return (x_hat - x).square().flatten(1).sum(dim=1)


@validate.arguments(x_logits=_BATCH)
@validate.alike
def bernoulli_nll(x_logits: Tensor, x: Tensor) -> Tensor:
    """−Σ x log p + (1 − x) log(1 − p) with p = sigmoid(x_logits), per image, (batch,), in nats.

    For grey x this is the *expected* negative log-likelihood of the image binarized at random, b ~ Bernoulli(x).
    """
    nll = F.binary_cross_entropy_with_logits(x_logits, x, reduction="none")
    return nll.flatten(1).sum(dim=1)


@validate.arguments(x_hat=_BATCH, x=_BATCH, logvar_x=tensors.scalar)
def gaussian_nll(x_hat: Tensor, x: Tensor, logvar_x: Tensor) -> Tensor:
    """−log N(x; x̂, σ_x² I) per image, (batch,), in nats, negative where the density exceeds 1; logvar_x a scalar."""
    # ½ (‖x − x̂‖² / σ_x² + p log 2πσ_x²), p pixels
    constant = x[0].numel() * (log(2 * pi) + logvar_x)
    return 0.5 * (squared_error(x_hat, x) / logvar_x.exp() + constant)


@validate.arguments(model=objects.model_with("encode", "generate"), x=tensors.float_images)
def autoencoder_loss(model: nn.Module, x: Tensor, y: Tensor | None = None) -> Loss:
    """Squared error of an autoencoder, summed over pixels, averaged over the batch. x: (batch, 1, 28, 28)."""
    x_hat = model.generate(model.encode(x))
    return Loss(squared_error(x_hat, x).mean())


@validate.arguments(model=objects.model_with("encode", "decode"), x=tensors.float_images, corrupt=objects.function)
def denoising_loss(
    model: nn.Module, x: Tensor, y: Tensor | None = None, *, corrupt: Callable[[Tensor], Tensor]
) -> Loss:
    """Cross-entropy between the clean x (batch, 1, 28, 28) and the model's answer to corrupt(x), in nats per image.

    A fresh corruption at each call; its best answer is E[x | x̃], as under squared error. Vincent et al. 2008, section
    2.3.
    """
    x_noisy = corrupt(x)
    x_logits = model.decode(model.encode(x_noisy))
    return Loss(bernoulli_nll(x_logits, x).mean())
