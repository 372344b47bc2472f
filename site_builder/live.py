"""Where live explorers go: beneath the still of the widget whose place they take where no kernel runs."""

import re

from bs4 import BeautifulSoup, Tag

from site_builder.pages import Page

# What assets/live.js draws → its name for a screen reader, and a sentence on what it is.
LIVE = {
    "kl": ("The KL by hand", ""),
    "elbo": ("The ELBO by hand", "Notebook 03's ring, its x at the side or at the top."),
    "directions": ("Forward and reverse KL by hand", ""),
    "sliders": ("Twenty sliders, one per latent dimension", "A VAE as notebook 05's, its weights in 8 bits."),
    "between": ("From one image to another", "A VAE as notebook 05's. Below: the image at t, then both ends."),
    "denoising": (
        "The denoising walk",
        "Pure noise at the first step, data at the last: 300 points, moved by the perfect denoiser of notebook 02's "
        "mixture. (Points are not shrunk: α = 1, and σ falls from 5 to 0.) Try one step in place of 32.",
    ),
}
# (page, widget of the course) → the explorer beneath it; (page, words of a heading) → the one that closes the section.
OF_WIDGET = {
    ("", "kl_explorer"): "kl",
    ("", "elbo_explorer"): "elbo",
    ("", "forward_reverse_kl"): "directions",
    ("", "interpolation"): "between",
    ("", "denoising_walk"): "denoising",
    ("05", "latent_sliders"): "sliders",
    ("", "latent_plane"): "plane",
}
OF_SECTION = {
    ("05", "latent plane"): "plane",
    ("05", "Walks"): "between",
    ("02", "corrections point"): "denoising",
    ("11", "plane"): "denoising",
}
PLANE = (
    '<p class="live"><a href="figures/latent_explorer.html">Live: drag about in a latent plane</a>'
    "<br>A decoder trained by the course, computed in your browser.</p>"
)


def place_explorers(page: Page) -> None:
    """Insert each explorer after the cell that makes its widget, and at the end of a section on its subject."""
    placed = set()
    for cell in page.body.select(".cell"):
        for widget in dict.fromkeys(re.findall(r"widgets\.(\w+)\(", cell.get_text())):
            for (start, name), explorer in OF_WIDGET.items():
                if name == widget and page.file.startswith(start):
                    cell.insert_after(_explorer(explorer))
                    placed.add(explorer)
    for heading in page.body.select("h2"):
        after = heading.find_next_sibling("h2")
        for (start, words), explorer in OF_SECTION.items():
            if page.file.startswith(start) and words in heading.get_text() and after and explorer not in placed:
                after.insert_before(_explorer(explorer))
                placed.add(explorer)


def _explorer(name: str) -> Tag:
    if name == "plane":
        return BeautifulSoup(PLANE, "html.parser")
    label, sentence = LIVE[name]
    told = f"<p>{sentence}</p>" if sentence else ""
    box = f'<div class="live" data-live="{name}" role="group" aria-label="{label}">{told}</div>'
    return BeautifulSoup(box, "html.parser")
