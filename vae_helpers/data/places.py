"""Folders that a learner names, by hand or in VAE_DATA and VAE_CACHE; where one can't be meant, which is."""

import os
from pathlib import Path

from vae_helpers.data.files import FILES, Published, missing_files
from vae_helpers.validation import validated


@validated
def named_folder(value: str | os.PathLike, called: str) -> Path:
    """The folder of this path, ~ the home folder; ``called`` is what the learner knows it by, such as VAE_DATA.

    Raises FileNotFoundError for a path in quotes, NotADirectoryError for that of a file.
    """
    text = os.fspath(value)
    bare = text.strip("\"' ")
    if bare != text.strip():
        raise FileNotFoundError(f"{called} is {text}, quotes included: set it to {bare} without them.")
    folder = Path(bare).expanduser()
    if folder.is_file():
        wanted = "a folder of yours" if called == "VAE_CACHE" else "the folder that contains MNIST/raw"
        raise NotADirectoryError(f"{called} is {folder}, which is a file: set it to {wanted}.")
    return folder


@validated
def root_meant(name: Published, folder: Path) -> Path | None:
    """The folder that holds a data set, where ``folder`` is MNIST or MNIST/raw inside of it; else None."""
    raw = {file.path.parent for files in FILES.values() for file in files}
    for layout in raw | {path.parent for path in raw}:
        n = len(layout.parts)
        if folder.parts[-n:] == layout.parts and not missing_files(name, root := Path(*folder.parts[:-n])):
            return root
    return None
