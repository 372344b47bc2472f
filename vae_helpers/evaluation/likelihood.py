"""log p(x) by importance sampling: of any model with a Gaussian q, of VAEs, of conditional VAEs and their classes."""

import functools
from collections.abc import Callable
from math import log, pi
from typing import Annotated

from vae_helpers.losses import joint_log_prob, log_mean_exp, log_weight, sees_labels
from vae_helpers.losses.bounds import prior_with_density
from vae_helpers.validation import Binary, Labels, PositiveInt, Seed, has, tensors, validated

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

Binarized = Binary[Tensor, " n 1 28 28"]


@validated
@torch.no_grad()
def importance_sampled_log_p(
    encode: Callable[..., tuple[Tensor, Tensor]],
    log_joint: Callable[..., Tensor],
    *given: Annotated[Num[Tensor, " n ..."], tensors.finite],
    n_samples: PositiveInt = 100,
    batch_size: PositiveInt = 200,
    seed: Seed = 0,
) -> Float[Tensor, " *models n"]:
    """Estimate log p(x) of each row of x as log (1/K) Σ p(x, z_k) / q(z_k|x), z_k ~ q, in nats.

    given: x, or x and its labels y for log p(x|y). encode(x[, y]) → (mu, logvar) of q, any Gaussian as wide as the
    posterior or wider; log_joint(x, z[, y]) → log p(x, z[|y]), (n,), or (k, n) for k models at once. p(x) is met on
    average; its log reads low, the less so the more samples. Burda et al. 2016, equation 8. Its parts are the
    exercises of notebook 06.
    """
    random = torch.Generator(given[0].device).manual_seed(seed)
    results = []
    for x, *y in zip(*(a.split(batch_size) for a in given), strict=True):
        mu, logvar = encode(x, *y)
        joint = lambda z, x=x, y=y: log_joint(x, z, *y)  # noqa: E731
        draws = (torch.randn(mu.shape, generator=random, dtype=mu.dtype, device=mu.device) for _ in range(n_samples))
        results.append(log_mean_exp(torch.stack([log_weight(joint, mu, logvar, eps) for eps in draws])))
    return torch.cat(results, dim=-1)


@validated
def sampled_log_p(
    model: Annotated[nn.Module, has("encode", "decode"), prior_with_density],
    x_bin: Binarized,
    y: Labels[Tensor, " n"] | None = None,
    n_samples: PositiveInt = 100,
    seed: Seed = 0,
) -> Float[Tensor, " n"]:
    """Importance-sampled log p(x) of a VAE, or log p(x|y) of a conditional one, per image, in nats.

    The prior is ``model.prior`` where the model has one, a p(z|y) included.

    x_bin: *binarized* images, which the encoder sees too; ValueError for grey ones, of which the log of an average
    means nothing. y: labels, which a conditional model needs.
    """
    encode = model.encode
    if y is not None and not sees_labels(model):
        encode = lambda x, y: model.encode(x)  # noqa: E731
    joint = lambda x, z, y=None: joint_log_prob(model, x, z, y)  # noqa: E731
    given = (x_bin,) if y is None else (x_bin, y)
    return importance_sampled_log_p(encode, joint, *given, n_samples=n_samples, seed=seed)


@validated
def sampled_log_p_of_each_class(
    model: Annotated[nn.Module, has("encode", "decode", "place", "n_classes")],
    x_bin: Binarized,
    n_samples: PositiveInt = 100,
    seed: Seed = 0,
) -> Float[Tensor, " n {model.n_classes}"]:
    """log p(x|y = k) of a conditional model for every class k, in nats: one run of sampling per class.

    Where encoder and decoder never see y, one run serves all classes, under ten Gaussian priors. The logsumexp over
    the classes less log n_classes is log p(x) of the mixture of all classes, equally likely.
    """
    if not (sees_labels(model) or hasattr(model, "prior")):
        joint = functools.partial(_log_joint_of_each_class, model)
        return importance_sampled_log_p(model.encode, joint, x_bin, n_samples=n_samples, seed=seed).T
    labels = (torch.full((len(x_bin),), k, device=x_bin.device) for k in range(model.n_classes))
    return torch.stack([sampled_log_p(model, x_bin, y, n_samples, seed) for y in labels], dim=1)


def _log_joint_of_each_class(model: nn.Module, x: Tensor, z: Tensor) -> Tensor:
    """log p(x, z|y = k) of a model whose decoder never sees y, (n_classes, n): decoded once."""
    every = torch.arange(model.n_classes, device=z.device)
    means = model.place(z.new_zeros(len(every), z.shape[1]), every)
    # log N(z; μ_k, I) + log p(x|z)
    log_prior = -0.5 * ((z - means[:, None]).square() + log(2 * pi)).sum(dim=2)
    return log_prior - model.likelihood.nll(model.decode(z), x)
