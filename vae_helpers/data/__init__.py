"""Images to learn from: MNIST, Fashion-MNIST, the built-in glyphs, found, fetched, checked; and ways to spoil them."""

from vae_helpers.data.centring import fit_and_centre
from vae_helpers.data.corruption import choose_pixels, gaussian, masking, salt_and_pepper
from vae_helpers.data.dataset import (
    NAMES,
    Dataset,
    cache_folder,
    find,
    load,
    load_glyphs,
    mean_image,
    to_float,
)
from vae_helpers.data.devices import default_device, in_float64, why_not
from vae_helpers.data.downloads import CacheError
from vae_helpers.data.files import DamagedFileError
from vae_helpers.data.pictures import from_folder

__all__ = [
    "NAMES",
    "CacheError",
    "DamagedFileError",
    "Dataset",
    "cache_folder",
    "choose_pixels",
    "default_device",
    "find",
    "fit_and_centre",
    "from_folder",
    "gaussian",
    "in_float64",
    "load",
    "load_glyphs",
    "masking",
    "mean_image",
    "salt_and_pepper",
    "to_float",
    "why_not",
]
