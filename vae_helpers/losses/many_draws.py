"""The bound of K draws as a loss: −log (1/K) Σ p(x, z_k) / q(z_k|x), tighter the larger K, and no sum of parts.

Burda et al. 2016 (IWAE). K = 1 is the −ELBO. Of binarized images: a log of a sum of grey ones means nothing.
"""

import inspect
from typing import Annotated

from vae_helpers.losses.bounds import joint_log_prob, log_mean_exp, prior_with_density, reparameterize
from vae_helpers.losses.gaussians import gaussian_log_prob
from vae_helpers.losses.loss import Classes, Images, Loss, Rows
from vae_helpers.validation import BinaryInAStep, PositiveInt, has, tensors, validated

import torch
from jaxtyping import Float
from torch import Tensor, nn

Model = Annotated[nn.Module, has("encode", "decode", "latent_dim"), prior_with_density]


@validated
def sees_labels(model: Annotated[nn.Module, has("encode")]) -> bool:
    """Whether a model's encoder takes labels beside images."""
    return "y" in inspect.signature(model.encode).parameters


@validated
def cloud_of(model: Annotated[nn.Module, has("encode")], x: Images, y: Classes | None = None) -> tuple[Rows, Rows]:
    """(mu, logvar) of q(z|x), or of q(z|x, y) where the model's encoder sees labels."""
    q = model.encode(x, y) if sees_labels(model) else model.encode(x)
    if isinstance(q, Tensor):
        raise TypeError(f"model gives one code for an image and no cloud: {type(model).__name__} has no q(z|x).")
    return q


@validated
def log_weights(model: Model, x: Images, y: Classes | None = None, k: PositiveInt = 1) -> Float[Tensor, " k batch"]:
    """log p(x, z) / q(z|x) of ``k`` draws z for each image, in nats, under the model's own prior; all decoded at once.

    Gradients reach encoder, decoder and prior. x in [0, 1], or whatever the model's likelihood is a density of.
    """
    mu, logvar = cloud_of(model, x, y)
    z = reparameterize(mu.expand(k, -1, -1), logvar.expand(k, -1, -1))
    log_q = gaussian_log_prob(z, mu, logvar)
    again = None if y is None else y.repeat(k)
    log_p = joint_log_prob(model, x.repeat(k, 1, 1, 1), z.flatten(0, 1), again)
    return log_p.view(k, -1) - log_q


@validated
def iwae_loss(
    model: Model, x: BinaryInAStep[Tensor, " batch 1 28 28"], y: Classes | None = None, k: PositiveInt = 5
) -> Loss:
    """Minus the bound of ``k`` draws on log p(x), or on log p(x|y) of a conditional model. x: binarized images.

    It doesn't split: all of it is the Loss's first part.
    """
    # −log (1/K) Σ_k w_k
    bound = log_mean_exp(log_weights(model, x, y, k))
    return Loss(-bound.mean())


@validated
def binarized_iwae_loss(model: Model, x: Images, y: Classes | None = None, k: PositiveInt = 5) -> Loss:
    """``iwae_loss`` of images binarized at random, anew at each call. x: grey images in [0, 1]."""
    return iwae_loss(model, torch.bernoulli(x), y, k)


@validated
def normalized_weights(log_weights: Annotated[Float[Tensor, " k *n"], tensors.something]) -> Float[Tensor, " k *n"]:
    """w_k / Σ w: the share of each draw in the gradient of its image's bound, ∇ log (1/K) Σ w = Σ w̃_k ∇ log w_k."""
    return log_weights.softmax(dim=0)
