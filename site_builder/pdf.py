"""The course as one PDF: every page in one document, what is folded at its end, printed by Chromium.

It prints twice: the first print tells on which page each heading and each fold stands.
"""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag
from jinja2 import Environment
from pypdf import PdfReader

from site_builder.pages import Page

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
QUIET = ("--headless", "--disable-gpu", "--no-pdf-header-footer", "--generate-pdf-document-outline")


@dataclass
class Chapter:
    """A page of the site as a part of the document: its text, and what was folded in it."""

    title: str
    anchor: str
    body: BeautifulSoup
    contents: list[tuple[str, str]] = field(default_factory=list)  # anchors and sections
    folds: list[tuple[str, str, Tag]] = field(default_factory=list)  # anchor, summary, what was folded


def chapters(site: list[Page]) -> list[Chapter]:
    """The pages with anchors of one document, links among them, and folds taken out of the text."""
    anchors = {page.file: f"page-{i}" for i, page in enumerate(site)}
    found = []
    for page in site:
        chapter = Chapter(page.short, anchors[page.file], BeautifulSoup(str(page.body), "html.parser"))
        for element in chapter.body.select(".live"):
            element.decompose()
        for token in chapter.body.select(".highlight span:not(.c1)"):
            token.unwrap()  # each would have a tag in the PDF, in all more bytes than text and pictures
        for picture in chapter.body.select("[loading]"):
            del picture["loading"]
        _make_anchors(chapter, page, anchors)
        _take_folds(chapter)
        found.append(chapter)
    return found


def _make_anchors(chapter: Chapter, page: Page, anchors: dict[str, str]) -> None:
    for link in chapter.body.select("a[href]"):
        file, _, anchor = link["href"].partition("#")
        if (file or page.file) in anchors:
            link["href"] = "#" + _anchor(anchors[file or page.file], unquote(anchor))
        elif "://" not in link["href"]:
            link.unwrap()
    for element in chapter.body.select("[id]"):
        element["id"] = _anchor(chapter.anchor, element["id"])
    chapter.body.h1["id"] = chapter.anchor
    chapter.contents = [(_anchor(chapter.anchor, anchor), text) for level, anchor, text in page.contents if level == 2]


def _anchor(page: str, anchor: str) -> str:
    """Letters that need no escape in a PDF."""
    return page + "".join(f"-{letter}" if re.match(r"[\w]", letter, re.A) else f"-{ord(letter):x}" for letter in anchor)


def _take_folds(chapter: Chapter) -> None:
    for fold in chapter.body.select("details"):
        if fold.find_parent("details"):
            continue  # it goes along with the outer one
        summary, anchor = fold.summary.extract(), f"{chapter.anchor}-fold-{len(chapter.folds)}"
        place = BeautifulSoup(f'<p class="folded"><a id="at-{anchor}" href="#{anchor}"></a></p>', "html.parser")
        place.a.extend(list(BeautifulSoup(summary.decode_contents(), "html.parser").contents))
        place.p.append(BeautifulSoup(f' <span data-page="{anchor}"></span>', "html.parser"))
        fold.insert_before(place)
        chapter.folds.append((anchor, summary.decode_contents(), fold.extract()))


def print_course(site: list[Page], out: Path, environment: Environment) -> Path:
    """Write course.pdf into the site's folder."""
    document, pdf = out / "course.html", out / "course.pdf"
    made = BeautifulSoup(
        environment.get_template("course.html.j2").render(chapters=chapters(site), course=site[0].title), "html.parser"
    )
    places = made.select("[data-page]")
    for printed in (False, True):
        numbers = page_numbers(pdf) if printed else {}
        for place in places:
            place.string = str(numbers.get(place["data-page"], "000"))
        document.write_text(str(made), "utf-8")
        _print(document, pdf)
    document.unlink()
    return pdf


def page_numbers(pdf: Path) -> dict[str, int]:
    """Anchors that something links to → pages, from 1."""
    reader = PdfReader(pdf)
    places = reader.named_destinations
    return {name.lstrip("/"): reader.get_destination_page_number(place) + 1 for name, place in places.items()}


def chromium() -> str:
    """The program that prints, CHROMIUM of the environment first; FileNotFoundError where there is none."""
    programs = [path for path in map(shutil.which, (os.environ.get("CHROMIUM", ""), *CHROMIUMS)) if path]
    if not programs:
        names = ", ".join(CHROMIUMS)
        raise FileNotFoundError(f"The PDF is printed by Chromium or Chrome: install one of {names}, or set CHROMIUM.")
    return programs[0]


def _print(document: Path, pdf: Path) -> None:
    sandbox = ["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []  # which root can't have
    with tempfile.TemporaryDirectory() as profile:
        options = [*QUIET, *sandbox, f"--user-data-dir={profile}", f"--print-to-pdf={pdf.resolve()}"]
        command = [chromium(), *options, document.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=900)
