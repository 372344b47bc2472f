"""Training from the command line, for those who outgrow a notebook: any model of the course on any of its data sets.

    python -m vae_helpers.train --model vae --data mnist --epochs 8
    torchrun --nproc-per-node 2 -m vae_helpers.train --model vae --data mnist --resume

The second line trains on two processes, GPUs or CPUs alike; with more machines, torchrun's own options say where they
are. After each epoch a checkpoint is written; with --resume, training goes on from it.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple, get_args

from vae_helpers import data, losses, models
from vae_helpers.losses import Loss, LossFunction
from vae_helpers.models import LIKELIHOODS
from vae_helpers.training import NotFiniteError, fit, mean_loss, processes
from vae_helpers.training.precision import Precision
from vae_helpers.validation import NotNegative, Positive, PositiveInt, Seed, UsableDevice, objects
from vae_helpers.validation.annotations import check_of

import torch
from torch import nn

CORRUPTIONS = {"masking": data.masking, "gaussian": data.gaussian, "salt_and_pepper": data.salt_and_pepper}


class Recipe(NamedTuple):
    """How one of the course's models is made and trained: its network and its loss, from the options given."""

    build: Callable[[argparse.Namespace], nn.Module]
    loss: Callable[[argparse.Namespace], LossFunction]
    is_conditional: bool = False


def _sizes(asked: argparse.Namespace) -> dict:
    return {"latent_dim": asked.latent_dim} | ({"hidden": tuple(asked.hidden)} if asked.hidden else {})


def _with_beta(loss: LossFunction) -> Callable[[argparse.Namespace], LossFunction]:
    return lambda asked: partial(loss, beta=asked.beta)


def _denoising(asked: argparse.Namespace) -> LossFunction:
    corrupt = CORRUPTIONS[asked.noise]
    return partial(losses.denoising_loss, corrupt=lambda x: corrupt(x, asked.noise_amount))


RECIPES = {
    "autoencoder": Recipe(lambda a: models.Autoencoder(**_sizes(a)), lambda a: losses.autoencoder_loss),
    "denoising": Recipe(lambda a: models.Autoencoder(**_sizes(a)), _denoising),
    "wide_denoising": Recipe(lambda a: models.WideAutoencoder(a.latent_dim), _denoising),
    "vae": Recipe(lambda a: models.VAE(**_sizes(a), likelihood=a.likelihood), _with_beta(losses.vae_loss)),
    "linear_vae": Recipe(lambda a: models.LinearVAE(a.latent_dim), lambda a: losses.linear_vae_loss),
    "smooth_vae": Recipe(lambda a: models.SmoothVAE(**_sizes(a)), _with_beta(losses.binarized_loss)),
    "conditional": Recipe(lambda a: models.ConditionalVAE(**_sizes(a)), _with_beta(losses.conditional_vae_loss), True),
    "class_prior": Recipe(lambda a: models.ClassPriorVAE(**_sizes(a)), _with_beta(losses.class_prior_loss), True),
}


def _asked(annotation: object, convert: Callable[[str], object]) -> Callable[[str], object]:
    """A type of argparse: what an annotation of the package lets pass, refused in the package's words."""
    check = check_of(annotation)

    def converted(text: str) -> object:
        """Convert, then ask; argparse puts the option's name before the sentence."""
        try:
            value = convert(text)
        except ValueError:
            kind = {int: "a whole number", float: "a plain number"}[convert]
            raise argparse.ArgumentTypeError(f"it must be {kind}, got {text!r}") from None
        try:
            check(value, "it", {}, {})
        except (TypeError, ValueError) as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        return value

    return converted


COUNT, NOT_NEGATIVE = _asked(PositiveInt, int), _asked(NotNegative, float)


def _parser() -> argparse.ArgumentParser:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m vae_helpers.train", description=__doc__, formatter_class=layout)
    add = parser.add_argument
    add("--model", choices=RECIPES, default="vae")
    add("--data", choices=data.NAMES, default="mnist")
    add("--latent-dim", type=COUNT, default=20, help="dimensions of the code (20)")
    add("--hidden", type=COUNT, nargs="+", help="widths of the encoder's hidden layers (the model's own)")
    add("--likelihood", choices=LIKELIHOODS, default="bernoulli", help="of the model vae")
    add("--beta", type=NOT_NEGATIVE, default=1.0, help="weight of the KL (1)")
    add("--noise", choices=CORRUPTIONS, default="masking", help="of the denoising models")
    add("--noise-amount", type=NOT_NEGATIVE, default=0.25, help="proportion of pixels, or sigma (0.25)")
    add("--epochs", type=COUNT, default=8)
    add("--batch-size", type=COUNT, default=256, help="of all processes together (256)")
    add("--lr", type=_asked(Positive, float), default=5e-3, help="the schedule's peak (0.005)")
    add("--seed", type=_asked(Seed, int), default=0)
    add("--precision", choices=get_args(Precision), default="auto")
    add("--device", type=_asked(UsableDevice, str), help="cuda, mps or cpu (VAE_DEVICE, else a GPU of CUDA's)")
    file = _asked(Annotated[Path, objects.no_folder], Path)
    add("--checkpoint", type=file, help="the file to write (in the cache folder, named after the model)")
    add("--resume", action="store_true", help="go on from the checkpoint, if it is there")
    add("--quiet", action="store_true", help="no progress line")
    return parser


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """The options of a command line; argparse says what is wrong with one, by its name, and ends the program."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.noise != "gaussian" and asked.noise_amount > 1:
        parser.error(
            f"argument --noise-amount: of {asked.noise} it is a share of the pixels, from 0 to 1 (25 % is 0.25), "
            f"got {asked.noise_amount:g}"
        )
    return asked


def trained_and_scored(asked: argparse.Namespace, device: torch.device) -> Loss:
    """Build, train and score the model asked for; the loss on the test images, in nats per image."""
    recipe = RECIPES[asked.model]
    images = data.load(asked.data, device="cpu")
    torch.manual_seed(asked.seed)
    model = recipe.build(asked)
    _start_at_mean(model, images.x)
    model.to(device)
    loss = recipe.loss(asked)
    labels, labels_test = (images.y, images.y_test) if recipe.is_conditional else (None, None)
    path = asked.checkpoint or data.cache_folder() / "runs" / f"{asked.model}-{images.name}.pt"
    _say(f"{asked.model} on {images!r}, {processes.count()} process(es) on {device.type}; checkpoint {path.name}")
    history = fit(
        model,
        images.x,
        loss,
        labels,
        epochs=asked.epochs,
        batch_size=asked.batch_size,
        lr=asked.lr,
        seed=asked.seed,
        precision=asked.precision,
        progress=not asked.quiet,
        checkpoint=path,
        resume=asked.resume,
    )
    _say(repr(history))
    if history.stopped:
        _say("To go on from the last whole epoch, give the same command with --resume.")
    return mean_loss(model, images.x_test, loss, labels_test)


def _start_at_mean(model: nn.Module, x: torch.Tensor) -> None:
    if not isinstance(model, models.LinearVAE):
        models.start_at_mean(model, x)
        return
    with torch.no_grad():
        model.decoder.bias.copy_(data.mean_image(x).flatten())


def _say(text: str) -> None:
    if processes.rank() == 0:
        print(text, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Train as the command line asks; 0, or 1 with a line that says what went wrong."""
    asked = options(arguments)
    try:
        wanted = torch.device(asked.device) if asked.device else data.default_device()
        with processes.group(wanted) as device:
            test = trained_and_scored(asked, device)
            _say(f"test loss {test}")
    except (ValueError, TypeError, NotFiniteError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
