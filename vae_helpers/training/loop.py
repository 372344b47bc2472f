"""One training loop for every model of the course: ``fit``. The loss is the caller's, and so stays visible."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

from vae_helpers.data import to_float
from vae_helpers.losses import Loss, LossFunction
from vae_helpers.models import device_of
from vae_helpers.training import processes
from vae_helpers.training.batches import Batches
from vae_helpers.training.history import History, RunningLoss
from vae_helpers.training.precision import Precision
from vae_helpers.training.randomness import own_random_state
from vae_helpers.training.run import TrainingRun, checked
from vae_helpers.training.stopping import stop_between_steps
from vae_helpers.validation import Labels, NotNegative, Pixels, Positive, PositiveInt, Seed, objects, validated

import torch
from torch import Tensor, nn


@validated
def fit(
    model: nn.Module,
    x: Pixels[Tensor, " n 1 28 28"],
    loss: LossFunction,
    y: Labels[Tensor, " n"] | None = None,
    *,
    epochs: PositiveInt = 8,
    batch_size: PositiveInt = 256,
    lr: Positive = 4e-3,
    x_val: Pixels[Tensor, " n_val 1 28 28"] | None = None,
    y_val: Labels[Tensor, " n_val"] | None = None,
    seed: Seed = 0,
    precision: Precision = "auto",
    progress: bool = True,
    after_epoch: Callable[[int], None] | None = None,
    checkpoint: Annotated[str | Path, objects.no_folder] | None = None,
    resume: bool = False,
    device_bytes: NotNegative | None = None,
) -> History:
    """Train ``model`` in place with Adam and a one-cycle schedule; returns its ``History``.

    loss(model, x, y) → Loss, in nats per image. x_val, y_val: images whose loss is taken after each epoch.
    lr: the schedule's peak. precision: "float32", "bf16", or "auto" (bf16 where the processor has it).
    seed: of shuffles and noise; the global random state is left as it was. after_epoch(k): called after epoch k = 1, …
    in evaluation mode. checkpoint: a file written after each epoch; ``resume`` goes on from it, if it is there.
    Numbers that ``loss`` keeps as attributes are kept in it; those of an object that it merely calls are not.
    device_bytes: larger data stay off the model's device, see ``Batches``. Under torchrun all processes share the work.
    Ctrl-C (Stop) keeps what has been learned. Where a loss or weight is not finite, training ends with that epoch and
    NotFiniteError, the weights of its start restored. TypeError, ValueError: what can't be trained on or resumed from.
    """
    if not any(p.requires_grad for p in model.parameters()):
        raise ValueError(f"{type(model).__name__} has no weight to train: every requires_grad is False.")
    settings = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "seed": seed, "precision": precision}
    held_out, path = _held_out(model, loss, x_val, y_val, seed), _file(checkpoint, resume)
    run = TrainingRun(model, loss, Batches(x, y, batch_size, device_of(model), device_bytes), settings, progress)
    _train(run, held_out, after_epoch, path, resume)
    return run.history


def _train(
    run: TrainingRun, held_out: Callable[[], Loss] | None, after_epoch: Callable | None, path: Path | None, resume: bool
) -> None:
    run.model.train()
    with stop_between_steps() as look, own_random_state(run.settings["seed"] + processes.rank()):
        try:
            if resume and path.exists():
                run.resume(path)
            while run.done < run.epochs:
                train = run.epoch(look)
                run.record(train, held_out and held_out(), after_epoch)
                if path is not None:
                    run.save(path)
        except KeyboardInterrupt:
            if processes.count() > 1:  # the others wait for this one's gradients: end them all
                raise
            run.interrupted()
        finally:
            run.close()


@validated
@torch.no_grad()
def mean_loss(
    model: nn.Module,
    x: Pixels[Tensor, " n 1 28 28"],
    loss: LossFunction,
    y: Labels[Tensor, " n"] | None = None,
    *,
    batch_size: PositiveInt = 1000,
    seed: Seed = 0,
) -> Loss:
    """A loss averaged over all images, as floats, in nats per image; seeded, in float32, in batches."""
    device, was_training, mean = device_of(model), model.training, RunningLoss()
    model.eval()
    try:
        with own_random_state(seed):
            for i in range(0, len(x), batch_size):
                batch = to_float(x[i : i + batch_size].to(device))
                labels = None if y is None else y[i : i + batch_size].to(device)
                mean.add(checked(loss(model, batch, labels)), len(batch))
    finally:
        model.train(was_training)
    return mean.mean()


def _held_out(
    model: nn.Module,
    loss: LossFunction,
    x: Pixels[Tensor, " n 1 28 28"] | None,
    y: Labels[Tensor, " n"] | None,
    seed: int,
) -> Callable[[], Loss] | None:
    if x is None:
        if y is not None:
            raise ValueError("y_val has no images to go with: give x_val too.")
        return None
    return partial(mean_loss, model, x, loss, y, seed=seed)


def _file(checkpoint: str | Path | None, resume: bool) -> Path | None:
    if checkpoint is not None:
        return Path(checkpoint)
    if resume:
        raise ValueError("resume needs a checkpoint: the file to go on from.")
    return None
