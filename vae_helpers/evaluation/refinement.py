"""A q(z|x) for each image by itself, better than the encoder's one network for all: tighter bounds, better weights."""

from collections.abc import Callable
from typing import Annotated

from vae_helpers.evaluation.likelihood import Binarized
from vae_helpers.losses import joint_log_prob, reparameterize
from vae_helpers.training.randomness import own_random_state
from vae_helpers.validation import Positive, PositiveInt, Seed, has, validated

import torch
from jaxtyping import Float
from torch import Tensor, nn

VAELike = Annotated[nn.Module, has("encode", "decode", "likelihood")]


@validated
def refined_q(
    model: VAELike,
    encode: Callable[[Tensor], tuple[Tensor, Tensor]],
    x_bin: Binarized,
    steps: PositiveInt = 100,
    lr: Positive = 0.05,
    seed: Seed = 0,
) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
    """Improve encode(x_bin) = (mu, logvar) for each image by itself: Adam on its −ELBO, one draw a step.

    The model stays as it is, and so does its prior, where it has one of its own. Returns (mu, logvar), without
    gradients. A second call with a smaller lr, starting from the first one's answer, ends nearer to the optimum. As a
    q to sample from, it should be widened (by 1.2, say): a best Gaussian fits inside the posterior, and its few draws
    at the edge weigh too much. Cremer, Li, Duvenaud 2018.
    """
    with own_random_state(seed), torch.enable_grad():
        mu, logvar = (t.detach().clone().requires_grad_() for t in encode(x_bin))
        optimizer = torch.optim.Adam([mu, logvar], lr=lr)
        for _ in range(steps):
            log_joint = joint_log_prob(model, x_bin, reparameterize(mu, logvar))
            loss = -(log_joint + 0.5 * logvar.sum(dim=1)).sum()  # −ELBO: ½ Σ log σ² is q's entropy, up to a constant
            mu.grad, logvar.grad = torch.autograd.grad(loss, (mu, logvar))
            optimizer.step()
    return mu.detach(), logvar.detach()
