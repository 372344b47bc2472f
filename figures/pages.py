"""Write figures/pages.png, the last picture of notebook 11 as executed: two pages of digits, one of them drawn."""

from base64 import b64decode
from pathlib import Path

import nbformat

FIGURES = Path(__file__).parent
NOTEBOOK = FIGURES.parent / "notebooks" / "11_diffusion.ipynb"


def last_picture() -> bytes:
    """The PNG of the last cell of notebook 11 that shows one."""
    cells = [cell for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    pictures = [o.data["image/png"] for cell in cells for o in cell.outputs if "image/png" in o.get("data", {})]
    return b64decode(pictures[-1])


if __name__ == "__main__":
    (FIGURES / "pages.png").write_bytes(last_picture())
