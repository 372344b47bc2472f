"""The course as a site, built from the saved notebooks, read from disk in a real browser without a network."""

import json
import re
from collections import Counter
from html import unescape
from urllib.parse import unquote, urldefrag

import nbformat
import pytest

from helpers.places import EVERY_NOTEBOOK

LARGEST, INTERACTIVE, WHOLE = 2_000_000, 2000, 15_000_000  # bytes, milliseconds, bytes
WIDTHS = (360, 768, 1440)
NAMES = ["index", *(path.stem for path in EVERY_NOTEBOOK)]
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$]+\$", re.S)
PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]+\)")
every_page = pytest.mark.parametrize("name", NAMES)
every_notebook = pytest.mark.parametrize("notebook", EVERY_NOTEBOOK, ids=lambda path: path.stem)


def markdown(notebook):
    """Its text, without code, in which a $ is no formula."""
    cells = nbformat.read(notebook, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.sub(r"```.*?```|`[^`\n]+`|<code>.*?</code>", "", text, flags=re.S)


def alt_texts(notebook):
    """Of its outputs and of the pictures in its text."""
    outputs = [o for cell in nbformat.read(notebook, as_version=4).cells for o in cell.get("outputs", ())]
    drawn = [o.metadata["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", ())]
    return Counter(drawn + PICTURE.findall(markdown(notebook)))


def text_of(page, selector):
    return [element.strip() for element in page.locator(selector).all_text_contents()]


@every_page
def test_a_page_opens_without_errors_and_soon(open_page, name):
    page = open_page(name)
    ready = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    spent = [page.evaluate(ready)]
    while min(spent) > INTERACTIVE and len(spent) < 4:  # a busy machine: the quickest of four tells
        page.reload()
        spent.append(page.evaluate(ready))
    assert 0 < min(spent) <= INTERACTIVE, f"milliseconds: {spent}"
    assert page.locator("main h1").count() == 1
    assert page.locator("nav#contents [aria-current=page]").count() == 1


@every_page
def test_a_page_with_all_it_shows_is_small(site, read_page, name):
    page = read_page(name)
    loaded = "[...document.querySelectorAll('link[rel=stylesheet], script[src], img')].map(e => e.href || e.src)"
    files = {unquote(address.removeprefix(site.as_uri() + "/")) for address in page.evaluate(loaded)}
    size = sum((site / file).stat().st_size for file in {f"{name}.html", *files})
    assert size <= LARGEST, f"{size:,} bytes"


def test_the_whole_site_is_small(site):
    assert sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) <= WHOLE


@every_notebook
def test_every_formula_arrives(read_page, notebook):
    page = read_page(notebook.stem)
    formulas = text_of(page, "math")
    assert len(formulas) == len(FORMULA.findall(markdown(notebook)))
    assert all(formula and not re.search(r"[\\&$]", formula) for formula in formulas), formulas
    assert "$$" not in page.locator("main").inner_text()


@every_notebook
def test_every_alt_text_arrives(read_page, notebook):
    page = read_page(notebook.stem)
    alts = page.eval_on_selector_all("main img", "images => images.map(image => image.alt)")
    assert Counter(alts) == alt_texts(notebook)


@every_notebook
def test_all_cells_arrive_and_solutions_are_folded(read_page, notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    page = read_page(notebook.stem)
    codes = [cell.source.rstrip() for cell in cells if cell.cell_type == "code"]
    assert [code.rstrip() for code in page.locator(".cell .highlight pre").all_text_contents()] == codes
    solutions = sum("solution" in cell.metadata.get("tags", ()) for cell in cells)
    assert page.locator("details > summary:text-is('Solution')").count() == solutions
    assert page.locator("details[open]").count() == 0


@every_page
def test_nothing_scrolls_sideways(open_page, name):
    page = open_page(name)
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@every_page
def test_every_link_leads_somewhere(site, read_page, name):
    page = read_page(name)
    links = page.eval_on_selector_all("a", "links => links.map(link => link.href)")
    broken = []
    for link in links:
        address, anchor = urldefrag(link)
        if address.startswith(site.as_uri()):
            text = (site / unquote(address.removeprefix(site.as_uri() + "/"))).read_text("utf-8")
            ids = {unescape(name) for _, name in re.findall(r"""\bid=(["'])(.*?)\1""", text)}
            broken += [link] if anchor and unquote(anchor) not in ids else []
        else:
            broken += [] if address.startswith(("https://", "http://")) else [link]
    assert links and not broken


def test_all_sections_are_searched(site):
    sections = json.loads((site / "assets" / "index.js").read_text("utf-8").strip()[len("courseSections(") : -2])
    pages = {link.partition(".")[0] for link, *_ in sections}
    assert pages == set(NAMES)
