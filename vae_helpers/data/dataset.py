"""Images as tensors: MNIST and Fashion-MNIST through torchvision, or the built-in glyphs where there is no network."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from vae_helpers.data import glyphs
from vae_helpers.data.devices import default_device, in_float64
from vae_helpers.data.downloads import download
from vae_helpers.data.files import Published, missing_files, read_split
from vae_helpers.data.places import named_folder, root_meant
from vae_helpers.validation import Grey, Pixels, PositiveInt, Seed, UsableDevice, validated

import torch
from jaxtyping import Float32, Int64, Shaped, UInt8
from platformdirs import user_cache_dir
from torch import Tensor

Name = Literal["mnist", "fashion", "glyphs"]
NAMES = get_args(Name)


@dataclass(frozen=True)
class Dataset:
    """Images and labels, all on one device but the factors.

    name: what was *really* loaded, "mnist", "fashion" or "glyphs".
    x, x_test: 0 black to 255 white. y, y_test: labels 0 … 9.
    factors: for the glyphs {"train": {...}, "test": {...}} with the true factors of every image, on
        the CPU, else None.
    """

    name: str
    x: UInt8[Tensor, " n 1 28 28"]
    y: Int64[Tensor, " n"]
    x_test: UInt8[Tensor, " n_test 1 28 28"]
    y_test: Int64[Tensor, " n_test"]
    factors: dict[str, dict[str, Shaped[Tensor, " _"]]] | None = None

    def __repr__(self) -> str:
        return (
            f"Dataset {self.name!r}: {len(self.x):,} training and {len(self.x_test):,} test images on {self.x.device}"
        )


def cache_folder() -> Path:
    """Where downloads and trained weights are kept: ``VAE_CACHE`` if set, else the user's cache folder.

    Raises NotADirectoryError where that is a file, FileNotFoundError for quotes around it.
    """
    return named_folder(os.environ.get("VAE_CACHE") or user_cache_dir("vae_helpers"), "VAE_CACHE")


@validated
def load(name: Name, folder: str | os.PathLike | None = None, device: UsableDevice | None = None) -> Dataset:
    """Load "mnist", "fashion" or "glyphs" onto a device (default: ``default_device()``).

    Looks in ``folder``, then in the folder that ``VAE_DATA`` names, then in the cache, all in torchvision's
    layout (``MNIST/raw/…``); otherwise torchvision downloads into the cache. Without a network it says so and
    returns the glyphs instead: the result's ``name`` tells.

    Raises ValueError for an unknown name, FileNotFoundError for a ``folder`` without the data, DamagedFileError for a
    file of the wrong length or MD5, CacheError where the cache folder can't be written.
    """
    device = torch.device(device) if device is not None else default_device()
    if name == "glyphs":
        return load_glyphs(device)
    found = find(name, folder) or download(name, cache_folder())
    if found is None:
        return load_glyphs(device)
    x, y = read_split(name, found, "train")
    x_test, y_test = read_split(name, found, "test")
    return Dataset(name, *(t.to(device) for t in (x, y, x_test, y_test)))


@validated
def load_glyphs(
    device: UsableDevice = "cpu", n: PositiveInt = 20_000, n_test: PositiveInt = 4_000, seed: Seed = 0
) -> Dataset:
    """Draw the built-in digits, with the true factors of each image. See ``glyphs.make``."""
    x, y, factors = glyphs.make(n, seed=2 * seed)
    x_test, y_test, test_factors = glyphs.make(n_test, seed=2 * seed + 1)
    there = (t.to(device) for t in (x, y, x_test, y_test))
    return Dataset("glyphs", *there, factors={"train": factors, "test": test_factors})


@validated
def find(name: Published, folder: str | os.PathLike | None = None) -> Path | None:
    """The first folder with all four files of a data set: ``folder`` alone if given, else VAE_DATA, then the cache.

    Raises FileNotFoundError for a ``folder`` without them, and, as NotADirectoryError, for a VAE_DATA that can't be
    meant: a path in quotes, a file, the folder MNIST or MNIST/raw itself. A VAE_DATA without this data set is said.
    """
    if folder is not None:
        given = named_folder(folder, "folder")
        absent = missing_files(name, given)
        if absent:
            root = root_meant(name, given) or "the folder that contains MNIST/raw (torchvision's root)"
            raise FileNotFoundError(
                f"folder {given} does not hold {name}: {absent[0]} is missing. Give {root}, or leave folder out to "
                "download."
            )
        return given
    places = [cache_folder()]
    if os.environ.get("VAE_DATA"):
        named = named_folder(os.environ["VAE_DATA"], "VAE_DATA")
        if root := root_meant(name, named):
            raise FileNotFoundError(f"VAE_DATA is {named}, a folder inside the data: set it to {root}.")
        absent = missing_files(name, named)
        if absent:
            print(f"VAE_DATA is set to {named}, but {absent[0]} is not there: looking on.")
        places.insert(0, named)
    return next((place for place in places if not missing_files(name, place)), None)


@validated
def to_float(x: Grey[Tensor, " *n"]) -> Float32[Tensor, " *n"]:
    """Images as float32 in [0, 1]: uint8 is divided by 255, floats keep their values."""
    return x.float().div_(255) if x.dtype == torch.uint8 else x.float()


@validated
def mean_image(x: Pixels[Tensor, " n 1 28 28"]) -> Float32[Tensor, " 1 28 28"]:
    """The mean over images, in [0, 1]; taken in parts, so that memory stays small."""
    total = sum(in_float64(to_float(part)).sum(0) for part in x.split(2000))
    return total.div(len(x)).float().to(x.device)
