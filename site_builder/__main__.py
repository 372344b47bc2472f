"""The command line: python -m site_builder [--out site]."""

import argparse
from pathlib import Path

from site_builder.site import build

parser = argparse.ArgumentParser(prog="python -m site_builder", description=__doc__)
parser.add_argument("--out", type=Path, default=Path("site"), help="the folder to write; it is emptied first")
print(f"Open {build(parser.parse_args().out) / 'index.html'} in a browser.")
