"""One epoch of training, watched on three tiny batches."""

from collections.abc import Callable

from vae_helpers.data import to_float
from vae_helpers.exercises.engine import Answer, Exercise, loops
from vae_helpers.exercises.engine.relation import Finding, Relation

import torch
from torch import Tensor, nn


def _epoch(
    model: nn.Module, loss: Callable, images: Tensor, optimizer: torch.optim.Optimizer, batch_size: int
) -> float:
    total = 0.0
    for index in torch.randperm(len(images), device=images.device).split(batch_size):
        batch = to_float(images[index])
        value = loss(model, batch)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        total += value.detach() * len(batch)
    return (total / len(images)).item()


def _findings(answer: Answer, seed: int) -> list[Finding]:
    """What the spies saw; a step before its backward changes weights that backward needs, and PyTorch raises."""
    try:
        return loops.training_pass(answer, seed)
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
    says = "the optimizer steps between a loss and its backward, which needs the weights as they were: backward first"
    return [Finding(Relation("order", "step"), says)]


TRAINING_EPOCH = Exercise(
    id="training-epoch",
    expects="the mean loss per image of one pass over all images, a float",
    reference=_epoch,
    findings=_findings,
)
