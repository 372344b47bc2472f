"""One page of the site: its headings, links, pictures, tables and words as a reader in a browser needs them."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bs4 import BeautifulSoup, NavigableString, Tag
from PIL import Image

ELSEWHERE = re.compile(r"[a-z]+:|#")
NOT_LINKED = ("a", "code", "pre", "summary", "math", "table", "h1", "h2", "h3", "h4")


@dataclass
class Page:
    """What the template shows of a page."""

    file: str
    body: BeautifulSoup
    folder: str = ""  # where its source lies in the repository: what its links start from
    contents: list[tuple[int, str, str]] = field(default_factory=list)
    before: "Page | None" = None
    after: "Page | None" = None

    @property
    def title(self) -> str:
        """The heading, as text."""
        return self.body.h1.get_text()

    @property
    def short(self) -> str:
        """The heading up to its colon or question."""
        return "The course" if self.file == "index.html" else re.split(r"[:?]", self.title)[0]

    @property
    def description(self) -> str:
        """The first paragraph."""
        return self.body.p.get_text()


def name_headings(page: Page) -> None:
    """Give headings the ids that JupyterLab gives them, and list them as contents."""
    taken = set()
    for heading in page.body.select("h1, h2, h3, h4"):
        text = heading.get_text()
        anchor = text.replace(" ", "-")
        while anchor in taken:
            anchor += "-"
        taken.add(anchor)
        heading["id"] = anchor
        if heading.name in ("h2", "h3"):
            page.contents.append((int(heading.name[1]), anchor, text))


def point_links(page: Page, place_of: Callable[[str], str | None]) -> None:
    """Links to what the site has stay links, to elsewhere too; a link to another file of the repository is text."""
    for element, key in [(e, k) for k in ("href", "src") for e in page.body.find_all(attrs={k: True})]:
        if ELSEWHERE.match(element[key]) or element[key].startswith("pictures/"):
            continue
        path, _, anchor = element[key].partition("#")
        place = place_of(posixpath.normpath(posixpath.join(page.folder, path)))
        if place:
            element[key] = f"{place}#{anchor}" if anchor else place
        elif key == "href":
            element.unwrap()
        else:
            raise FileNotFoundError(f"{page.file} shows {element[key]}, which is not in figures/.")


def fit_wide(page: Page) -> None:
    """Tables scroll in a box of their own (formulas and code by the style sheet); an empty corner is no heading."""
    for table in page.body.find_all("table"):
        for corner in [head for head in table.find_all("th") if not head.get_text().strip()]:
            corner.name = "td"
        table.wrap(page.body.new_tag("div", attrs={"class": "wide"}))


def size_pictures(page: Page, site: Path) -> None:
    """Width and height as attributes, so that the text does not jump when a picture comes."""
    for picture in page.body.select("img[src$='.png']"):
        picture["width"], picture["height"] = map(str, Image.open(site / picture["src"]).size)
        picture["loading"] = "lazy"


def _linkable(text: NavigableString) -> bool:
    return type(text) is NavigableString and bool(text.find_parent(["p", "li"])) and not text.find_parent(NOT_LINKED)


def link_terms(page: Page, terms: dict[str, Tag], glossary: str) -> None:
    """Each glossary term's first use in a page's text becomes a link that shows its translations."""
    words = "|".join(re.escape(term) for term in sorted(terms, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w-])({words})(?![\w-])", re.I)
    left = set(terms)
    for text in filter(_linkable, list(page.body.find_all(string=True))):
        pieces = pattern.split(text)
        new = [
            _term_link(page, piece, terms[piece.lower()], glossary)
            if i % 2 and piece.lower() in left and not left.discard(piece.lower())
            else NavigableString(piece)
            for i, piece in enumerate(pieces)
        ]
        if any(isinstance(part, Tag) for part in new):
            text.replace_with(*new)


def _term_link(page: Page, word: str, row: Tag, glossary: str) -> Tag:
    translations = " · ".join(cell.get_text() for cell in row.find_all("td")[1:])
    link = page.body.new_tag("a", attrs={"class": "term", "href": f"{glossary}#{row['id']}", "title": translations})
    link.string = word
    return link


def glossary_terms(page: Page) -> dict[str, Tag]:
    """Words → rows of the glossary's table, which get ids; words that the course also uses otherwise are left out."""
    terms: dict[str, Tag] = {}
    heading = next((h for h in page.body.find_all("h2") if h.get_text() == "Glossary"), None)
    table = heading.find_next("table") if heading else None
    for row in table.find_all("tr")[1:] if table else ():
        english = row.td.get_text()
        row["id"] = "term-" + re.sub(r"\W+", "-", english).strip("-")
        for term in re.split(r"[,()]", english):
            if term.strip() and term.strip() not in ("code", "evidence", "gradient"):
                terms[term.strip().lower()] = row
    return terms
