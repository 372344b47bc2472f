"""The cells of a notebook."""


def tags(cell):
    return set(cell.metadata.get("tags", []))


def markdown_of(nb):
    return [cell.source for cell in nb.cells if cell.cell_type == "markdown"]
