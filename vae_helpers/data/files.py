"""The files of MNIST and Fashion-MNIST, as torchvision lays them out, checked by length and MD5 when read."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vae_helpers.validation import validated

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

Published = Literal["mnist", "fashion"]


class DamagedFileError(OSError):
    """A data file is not the published one, byte for byte."""


@dataclass(frozen=True)
class DataFile:
    """One uncompressed file in IDX format: its path below the data folder, length in bytes, and MD5."""

    path: Path
    size: int
    md5: str

    def check(self, folder: Path) -> UInt8[np.ndarray, " size"]:
        """The file's bytes; DamagedFileError where length or MD5 differ from the published file's."""
        with (folder / self.path).open("rb") as file:
            content = np.empty(os.fstat(file.fileno()).st_size, np.uint8)
            file.readinto(content)
        if len(content) != self.size:
            raise DamagedFileError(self._damage(folder, f"it has {len(content):,} bytes instead of {self.size:,}"))
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != self.md5:
            raise DamagedFileError(self._damage(folder, "its MD5 differs from the published one"))
        return content

    def _damage(self, folder: Path, what: str) -> str:
        return f"{folder / self.path} is damaged: {what}. Delete it and load again, or copy it anew."


def _files(folder: str, md5s: tuple[str, str, str, str]) -> tuple[DataFile, ...]:
    names = (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    )
    sizes = (16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000)
    return tuple(DataFile(Path(folder, "raw", n), s, m) for n, s, m in zip(names, sizes, md5s, strict=True))


FILES = {
    "mnist": _files(
        "MNIST",
        (
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
    ),
    "fashion": _files(
        "FashionMNIST",
        (
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
    ),
}


@validated
def missing_files(name: Published, folder: Path) -> list[Path]:
    """Paths of a data set's files that ``folder`` does not hold."""
    return [folder / file.path for file in FILES[name] if not (folder / file.path).is_file()]


@validated
def read_split(
    name: Published, folder: Path, split: Literal["train", "test"]
) -> tuple[UInt8[Tensor, " n 1 28 28"], Int64[Tensor, " n"]]:
    """Images and labels of "train" or "test", after checking length and MD5."""
    images, labels = FILES[name][:2] if split == "train" else FILES[name][2:]
    x, y = images.check(folder)[16:], labels.check(folder)[8:]
    return torch.from_numpy(x).view(-1, 1, 28, 28), torch.from_numpy(y).long()
