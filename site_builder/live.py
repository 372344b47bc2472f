"""Where live explorers go: beneath the still of the widget whose place they take where no kernel runs."""

import re

from bs4 import BeautifulSoup, Tag

from site_builder.pages import Page

# A widget of the course → what the site shows; assets/live.js draws what has data-live.
LIVE = {
    "kl_explorer": '<div class="live" data-live="kl" role="group" aria-label="The KL by hand"></div>',
    "latent_plane": '<p class="live"><a href="figures/latent_explorer.html">Live: drag about in a latent plane</a>'
    "<br>A decoder trained by the course, computed in your browser.</p>",
}
HEADED = {"latent plane": "latent_plane"}  # a heading that says this closes with the explorer too


def place_explorers(page: Page) -> None:
    """Insert each explorer after the cell that makes its widget, and at the end of a section on its subject."""
    for cell in page.body.select(".cell"):
        names = re.findall(r"widgets\.(\w+)\(", cell.get_text())
        for name in dict.fromkeys(names):
            if name in LIVE:
                cell.insert_after(_explorer(name))
    for heading in page.body.select("h2"):
        for words, name in HEADED.items():
            after = heading.find_next_sibling("h2")
            if words in heading.get_text() and after:
                after.insert_before(_explorer(name))


def _explorer(name: str) -> Tag:
    return BeautifulSoup(LIVE[name], "html.parser")
