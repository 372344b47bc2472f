"""The controls of a widget: all that can be clicked, typed into or dragged."""

import ipywidgets

SHOWN_ONLY = (ipywidgets.HTML, ipywidgets.Label, ipywidgets.Output)


def controls_of(widget):
    """Every control in a widget's boxes, by what stands beside it."""
    found = {}
    for child in widget.children:
        if hasattr(child, "children"):
            found |= controls_of(child)
        elif not isinstance(child, SHOWN_ONLY):
            found[getattr(child, "description", "") or type(child).__name__.lower()] = child
    return found
