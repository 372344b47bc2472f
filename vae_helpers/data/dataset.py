"""Images as tensors: MNIST and Fashion-MNIST through torchvision, or the built-in glyphs where there is no network."""

import os
from dataclasses import dataclass
from pathlib import Path

from vae_helpers.data import glyphs
from vae_helpers.data.downloads import download
from vae_helpers.data.files import FILES, missing_files, read_split
from vae_helpers.validation import objects, tensors, validate

import torch
from platformdirs import user_cache_dir
from torch import Tensor

NAMES = ("mnist", "fashion", "glyphs")


@dataclass(frozen=True)
class Dataset:
    """Images and labels, all on one device but the factors.

    name: what was *really* loaded, "mnist", "fashion" or "glyphs".
    x, x_test: uint8 (n, 1, 28, 28), 0 black to 255 white. y, y_test: int64 (n,), labels 0 … 9.
    factors: for the glyphs {"train": {...}, "test": {...}} with the true factors of every image, on
        the CPU, else None.
    """

    name: str
    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor
    factors: dict[str, dict[str, Tensor]] | None = None

    def __repr__(self) -> str:
        return (
            f"Dataset {self.name!r}: {len(self.x):,} training and {len(self.x_test):,} test images on {self.x.device}"
        )


def default_device() -> torch.device:
    """The first CUDA device if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def cache_folder() -> Path:
    """Where downloads and trained weights are kept: ``VAE_CACHE`` if set, else the user's cache folder."""
    return Path(os.environ.get("VAE_CACHE") or user_cache_dir("vae_helpers")).expanduser()


_FOLDER = objects.an(str, os.PathLike)


@validate.arguments(folder=_FOLDER, device=objects.device)
def load(name: str, folder: str | Path | None = None, device: torch.device | str | None = None) -> Dataset:
    """Load "mnist", "fashion" or "glyphs" onto a device (default: a GPU if there is one).

    Looks in ``folder``, then in the folder that ``VAE_DATA`` names, then in the cache, all in torchvision's
    layout (``MNIST/raw/…``); otherwise torchvision downloads into the cache. Without a network it says so and
    returns the glyphs instead: the result's ``name`` tells.

    Raises ValueError for an unknown name, FileNotFoundError for a ``folder`` without the data, DamagedFileError for a
    file of the wrong length or MD5, CacheError where the cache folder can't be written.
    """
    if name not in NAMES:
        raise ValueError(f"Unknown data set {name!r}: choose one of {', '.join(NAMES)} as its name.")
    device = torch.device(device) if device is not None else default_device()
    if name == "glyphs":
        return load_glyphs(device)
    found = find(name, folder) or download(name, cache_folder())
    if found is None:
        return load_glyphs(device)
    x, y = read_split(name, found, "train")
    x_test, y_test = read_split(name, found, "test")
    return Dataset(name, *(t.to(device) for t in (x, y, x_test, y_test)))


@validate.arguments(
    device=objects.device, n=objects.positive_int, n_test=objects.positive_int, seed=objects.whole_number
)
def load_glyphs(device: torch.device | str = "cpu", n: int = 20_000, n_test: int = 4_000, seed: int = 0) -> Dataset:
    """Draw the built-in digits, with the true factors of each image. See ``glyphs.make``."""
    x, y, factors = glyphs.make(n, seed=2 * seed)
    x_test, y_test, test_factors = glyphs.make(n_test, seed=2 * seed + 1)
    there = (t.to(device) for t in (x, y, x_test, y_test))
    return Dataset("glyphs", *there, factors={"train": factors, "test": test_factors})


@validate.one_of(name=FILES)
@validate.arguments(folder=_FOLDER)
def find(name: str, folder: str | Path | None = None) -> Path | None:
    """The first folder with all four files of a data set: ``folder`` alone if given, else VAE_DATA, then the cache."""
    if folder is not None:
        given = Path(folder).expanduser()
        absent = missing_files(name, given)
        if absent:
            raise FileNotFoundError(
                f"{given} does not hold {name}: {absent[0]} is missing. "
                "Give the folder that contains MNIST/raw (torchvision's root), or leave folder out to download."
            )
        return given
    places = [cache_folder()]
    if os.environ.get("VAE_DATA"):
        named = Path(os.environ["VAE_DATA"]).expanduser()
        absent = missing_files(name, named)
        if absent:
            print(f"VAE_DATA is set to {named}, but {absent[0]} is not there: looking on.")
        places.insert(0, named)
    return next((place for place in places if not missing_files(name, place)), None)


@validate.arguments(x=tensors.bytes_or_floats)
def to_float(x: Tensor) -> Tensor:
    """Images as float32 in [0, 1]: uint8 is divided by 255, floats keep their values."""
    return x.float().div_(255) if x.dtype == torch.uint8 else x.float()


@validate.arguments(x=tensors.images)
def mean_image(x: Tensor) -> Tensor:
    """The mean over images (n, 1, 28, 28), as floats (1, 28, 28) in [0, 1]; in parts, so that memory stays small."""
    return sum(to_float(part).sum(0, dtype=torch.float64) for part in x.split(2000)).div(len(x)).float()
