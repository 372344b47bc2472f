"""Which cells of a notebook share a slide: as many as fit on a projector's screen and are read from its last row.

A screen is 1280 × 720 pixels, shown at 150 %. Heights are estimates, in the browser's pixels at that zoom.
JupyterLab's Deck mode never shows a cell of the type "-": what goes on with a slide is a fragment.
"""

import base64
import re
from math import ceil

SCREEN, UNZOOMED = 480, 720
WIDTH, LETTERS = 680, 86  # of a cell beside Deck mode's margins; of a line of text
LINE, CODE_LINE, HEADING, FORMULA, DIAGRAM, PADDING, CONTROLS = 22, 18, 50, 70, 300, 14, 50
LONG_CELL = 15  # lines; a longer code cell is no slide, unless it draws a picture and fits the screen unzoomed
OFF_SCREEN = {"skip", "notes"}


def slide_types(cells, anew=False):
    """The type of each cell; one that its author chose stays. anew: subslides and fragments are shared out again."""
    types, free, used = [], [], 0
    for cell in cells:
        kind = settled(cell, anew)
        free.append(kind is None)
        if kind is None:
            kind = "fragment" if types and used + height(cell) <= SCREEN else "subslide"
        if kind == "subslide" and leads_in(cells, types, free):
            types[-1], kind, used = "subslide", "fragment", height(cells[len(types) - 1])
        if kind in ("slide", "subslide"):
            used = 0
        if kind not in OFF_SCREEN:
            used += height(cell)
        types.append(kind)
    return types


def settled(cell, anew):
    """The type that does not hang on a cell's neighbours, or None."""
    stored = cell.metadata.get("slideshow", {}).get("slide_type")
    if anew and stored in ({"subslide", "fragment"} | ({"skip"} if is_long(cell) else set())):
        stored = None if stored == "skip" else "-"
    if stored not in (None, "-"):
        return stored
    if not stored and (is_of_exercise(cell) or (is_long(cell) and not is_fitting_picture(cell))):
        return "skip"
    if cell.cell_type == "markdown" and (found := re.match("#{1,3} ", cell.source)):
        return "subslide" if found[0] == "### " else "slide"
    return None


def is_of_exercise(cell):
    return bool({"stub", "check", "solution"} & set(cell.metadata.get("tags", [])))


def is_long(cell):
    return cell.cell_type == "code" and len(cell.source.splitlines()) > LONG_CELL


def is_fitting_picture(cell):
    return height(cell) <= UNZOOMED and any("image/png" in output.get("data", {}) for output in cell.outputs)


def leads_in(cells, types, free):
    """Whether the cell before a code cell that begins a screen is the sentence that leads to it."""
    here, before = len(types), len(types) - 1
    if not types or not (free[here] and free[before]) or types[before] != "fragment":
        return False
    sentence, code = cells[before], cells[here]
    fits = height(sentence) + height(code) <= SCREEN
    return fits and sentence.cell_type == "markdown" and code.cell_type == "code"


def height(cell):
    """About how many pixels a cell takes on the screen."""
    if cell.cell_type == "markdown":
        return height_of_text(cell.source)
    folded = cell.metadata.get("jupyter", {}).get("source_hidden")
    lines = 1 if folded else len(cell.source.splitlines())
    return lines * CODE_LINE + PADDING + sum(map(height_of_output, cell.outputs))


def height_of_text(source):
    source = re.sub(r"</summary>.*?</details>", "", source, flags=re.S)  # folded
    parts = re.split(r"\n\s*\n|\$\$", source)
    return sum(height_of_part(part.strip()) for part in parts if part.strip())


def height_of_part(part):
    if part.startswith("#"):
        return HEADING
    if part.startswith("!["):
        return DIAGRAM
    if (
        re.search(r"\\(?:frac|sum|int|begin|mathcal|log)", part)
        and "$" not in part
        and not re.search(r"\w{4,} \w+", part)
    ):
        return FORMULA * (1 + part.count(r"\\") // 2)
    return PADDING + LINE * sum(ceil(len(line) / LETTERS) for line in part.splitlines())


def height_of_output(output):
    data = output.get("data", {})
    if "image/png" in data:
        controls = CONTROLS if "still_of_a_widget" in output.metadata else 0
        return height_of_png(data["image/png"]) + PADDING + controls
    text = output.get("text", "") or data.get("text/plain", "")
    return CODE_LINE * len(text.splitlines()) + PADDING


def height_of_png(encoded):
    """Of the picture as shown: one wider than a cell is scaled down."""
    header = base64.b64decode(encoded[:64])
    width, tall = (int.from_bytes(header[k : k + 4], "big") for k in (16, 20))
    return tall * min(1, WIDTH / max(width, 1))
