"""The command line: python -m site_builder [--out site] [--pdf]."""

import argparse
from pathlib import Path

from site_builder.site import build

parser = argparse.ArgumentParser(prog="python -m site_builder", description=__doc__)
parser.add_argument("--out", type=Path, default=Path("site"), help="the folder to write; it is emptied first")
parser.add_argument(
    "--pdf", action="store_true", help="print the whole course as course.pdf too (needs Chromium; minutes)"
)
options = parser.parse_args()
print(f"Open {build(options.out, options.pdf) / 'index.html'} in a browser.")
