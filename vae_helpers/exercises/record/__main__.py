"""The record of your work in this course, as it lies on this machine.

    python -m vae_helpers.exercises.record
    python -m vae_helpers.exercises.record --certificate page.html --name "Ada Lovelace"

The second writes a page to keep. It asks for three quarters of the exercises, and for the capstone: a blank page, data
of your own, a VAE that diagnose_vae finds nothing in, and one figure in nats beside its levels (exercises.capstone).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vae_helpers.exercises.record.certificate import certificate, lacking
from vae_helpers.exercises.record.summary import progress


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 where a certificate was asked for and something is lacking."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m vae_helpers.exercises.record", description=__doc__, formatter_class=layout
    )
    parser.add_argument("--certificate", type=Path, metavar="FILE", help="where to write the page (.html)")
    parser.add_argument("--name", default="The learner", help="whose it is")
    asked = parser.parse_args(arguments)
    found = progress()
    print(found)
    if asked.certificate is None:
        return 0
    if lacks := lacking(found):
        print(f"\nNo certificate yet. It asks for {lacks}.")
        return 1
    asked.certificate.write_text(certificate(found, asked.name), "utf-8", newline="\n")
    print(f"\nWritten: {asked.certificate}. Open it in a browser and print it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
