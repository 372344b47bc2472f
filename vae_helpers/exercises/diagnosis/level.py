"""Is the model any good at all? Its loss beside that of one picture for everybody, and of the images themselves."""

from collections.abc import Iterator

from vae_helpers.exercises.diagnosis.calling import ProbeError
from vae_helpers.exercises.diagnosis.images import AnyTensor
from vae_helpers.exercises.diagnosis.reconstruction import link_of
from vae_helpers.exercises.diagnosis.report import Finding, Question
from vae_helpers.exercises.diagnosis.spy import Spy
from vae_helpers.losses import kl_to_standard_normal

import torch

COLLAPSED = 1e-4  # nats of KL per latent dimension, below which the codes say nothing; an untrained net has more
BETTER = 0.02  # by how much of the level a model is better than one picture, at least


def cost_of_one_picture(spy: Spy) -> float:
    """The loss where every image gets the mean image, and μ = 0, σ = 1."""
    mean, mu, costs = spy.images[0].mean(0), torch.zeros_like(spy.mu), []
    shape = spy.one_picture().shape
    for answer in link_of("", mean):
        try:
            costs.append(spy.call((mu, mu), answer.reshape(shape)).total.item())
        except (ProbeError, RuntimeError, ValueError):
            continue  # a log of what is no probability
    if not costs:
        raise ProbeError("whether the model is better than one picture: the loss takes no mean image as an answer.")
    return min(costs)


def said_of_level(spy: Spy, evaluated: Spy, live: Spy) -> Iterator[Finding]:
    """Questions about a model that is no better than one picture; live: in training mode as training runs it."""
    level, own = cost_of_one_picture(spy), spy.own.total.item()
    training, evaluation = live.own.total.item(), evaluated.own.total.item()
    enough = level - BETTER * abs(level)
    if training < enough <= evaluation:
        yield Question(
            "worse in evaluation mode",
            f"The loss is {training:.4g} in training mode and {evaluation:.4g} in evaluation mode, where one picture "
            f"for everybody costs {level:.4g}.",
            "BatchNorm's running statistics don't fit (too few steps? a large momentum?), or dropout.",
        )
    elif min(own, training) >= enough:
        yield Question(
            "no better than one picture",
            f"The loss of this model is {own:.4g}, and one picture for everybody, without a code, costs {level:.4g}.",
            "Untrained? Else: parameters that the optimizer was not given, zero_grad forgotten, a learning rate too "
            "high or too low, or collapse.",
            "Print the loss before and after ten steps, and which parameters have moved.",
        )


def said_of_codes(mu: AnyTensor, logvar: AnyTensor) -> Iterator[Finding]:
    """Whether the model's own codes say anything."""
    mu, logvar = mu.flatten(1), logvar.flatten(1)
    kl = kl_to_standard_normal(mu, logvar).mean().item()
    if kl < COLLAPSED * mu.shape[1]:
        yield Question(
            "collapse",
            f"The KL of this model is {kl:.1g} nats per image: the codes say nothing, and all samples are alike.",
            "Posterior collapse, mostly by a KL that weighs too much; or the model is untrained, its codes tiny.",
            "Compare the reconstruction with the level of the mean image.",
        )
