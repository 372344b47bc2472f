"""For a machine without a network: packages from wheels, MNIST from gzipped files. The standard library alone."""

import gzip
import shutil
import subprocess
import sys


def install_wheels(wheels, target):
    """Install all wheels of a folder into ``target``, without what they depend on; gives the folder for the path."""
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(target)]
    subprocess.run([*pip, *map(str, sorted(wheels.glob("*.whl")))], check=True)
    return str(target)


def unpack_data(folder, target):
    """The data files below ``folder``, gzipped or not, as the course reads them, below ``target``."""
    for file in folder.glob("*/raw/*ubyte*"):
        place = target / file.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".gz":
            place.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        elif not place.exists():
            shutil.copy(file, place)
    return str(target)
