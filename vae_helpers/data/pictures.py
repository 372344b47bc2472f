"""Pictures of one's own as a data set: a folder of files, each made grey, cut to a square, scaled to 28 × 28."""

import hashlib
import os
from pathlib import Path

from vae_helpers.data.dataset import Dataset
from vae_helpers.data.devices import default_device
from vae_helpers.data.places import named_folder
from vae_helpers.validation import Seed, UsableDevice, validated

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps
from torch import Tensor

SIDE, LEAST, CLASSES = 28, 20, 10
TESTED = 10  # one picture in so many is a test picture


@validated
def from_folder(
    folder: str | os.PathLike, invert: bool = False, seed: Seed = 0, device: UsableDevice | None = None
) -> Dataset:
    """All pictures in a folder and below, as a Dataset; one in ten, drawn by ``seed``, is a test picture.

    The middle square of each is kept. If all lie in sub-folders, these are the classes, in alphabetical order; else
    every label is 0. invert: ink on bright paper becomes bright on black, as MNIST's digits are. What is transparent
    counts as white. The Dataset's name changes with the pictures, so that no weights of others are found for it.

    Raises FileNotFoundError where there is no such folder, NotADirectoryError for a file, ValueError for a picture that
    can't be read, for less than 20 pictures and for more than 10 sub-folders.
    """
    paths = _pictures(named_folder(folder, "folder"))
    names = sorted({path.parent.name for path in paths}) if _in_classes(paths, Path(folder)) else [""]
    if len(names) > CLASSES:
        raise ValueError(f"folder {folder} holds {len(names)} classes; the course's models know {CLASSES}.")
    x = torch.stack([_picture(path, invert) for path in paths])
    labels = [names.index(path.parent.name) if names != [""] else 0 for path in paths]
    y = torch.tensor(labels, device="cpu")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed), device="cpu")
    test, train = order[: max(1, len(x) // TESTED)], order[max(1, len(x) // TESTED) :]
    there = torch.device(device) if device is not None else default_device()
    name = f"pictures-{hashlib.sha256(x.numpy().tobytes()).hexdigest()[:8]}"
    return Dataset(name, *(t.to(there) for t in (x[train], y[train], x[test], y[test])))


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder} (seen from {Path.cwd()}).")
    suffixes = Image.registered_extensions()
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    if len(paths) < LEAST:
        raise ValueError(
            f"folder {folder} holds {len(paths)} pictures: at least {LEAST} are needed, and thousands make a model."
        )
    return paths


def _in_classes(paths: list[Path], folder: Path) -> bool:
    return all(path.parent.resolve() != folder.expanduser().resolve() for path in paths)


def _picture(path: Path, invert: bool) -> UInt8[Tensor, " 1 28 28"]:
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} can't be read as a picture ({error}): save it anew, or take it away.") from error
    on_white = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("L")
    square = ImageOps.fit(on_white, (SIDE, SIDE), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(ImageOps.invert(square) if invert else square))[None]
