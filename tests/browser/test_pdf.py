"""The course as one PDF, of three short pages: page numbers, links, folds at the end. Chromium prints it twice."""

import re
import shutil

import pytest
from bs4 import BeautifulSoup

from site_builder.notebook import markdown_to_html
from site_builder.pages import Page, name_headings
from site_builder.pdf import CHROMIUMS, print_course
from site_builder.site import HERE, templates

pypdf = pytest.importorskip("pypdf")
PAGES = {
    "index.html": "# The course\n\nA first sentence.",
    "a.html": "# A: the first\n\n## One plan\n\nOn to [B's end](b.html#Tái-tham-số).\n\n"
    "<details><summary>Solution</summary>\n\nIt is 42.\n\n</details>\n\n## Another",
    "b.html": "# B: the second\n\n"
    + "A line of text.\n\n" * 90
    + "## Tái tham số\n\nBack to [A](a.html), or [out](https://arxiv.org).",
}


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    if not any(map(shutil.which, CHROMIUMS)):
        pytest.skip("no Chromium")
    out = tmp_path_factory.mktemp("pdf")
    shutil.copytree(HERE / "assets", out / "assets")
    site = [Page(file, BeautifulSoup(markdown_to_html(text), "html.parser")) for file, text in PAGES.items()]
    for page in site:
        name_headings(page)
    return pypdf.PdfReader(print_course(site, out, templates()))


def page_of(pdf, words):
    """The last page, from 1, that holds these words: the contents come first."""
    return max(i for i, page in enumerate(pdf.pages, 1) if words in page.extract_text())


def test_the_contents_name_the_pages_where_things_stand(pdf):
    contents = pdf.pages[1].extract_text()
    for title, words in {"One plan": "On to", "Tái tham số": "Back to", "What was folded": "It is 42"}.items():
        assert re.search(rf"{title}\s+{page_of(pdf, words)}\b", contents), contents
    assert page_of(pdf, "Back to") > page_of(pdf, "B: the second") + 1


def test_pages_are_numbered(pdf):
    assert [page.extract_text().split()[0] for page in pdf.pages] == [str(i + 1) for i in range(len(pdf.pages))]


def test_links_lead_to_their_pages_and_folds_back(pdf):
    ends, outside = set(), set()
    for number, page in enumerate(pdf.pages, 1):
        for link in page.get("/Annots", ()):
            action = link.get_object()
            if "/A" in action:
                outside.add(action["/A"]["/URI"])
            else:
                ends.add((number, pdf.get_destination_page_number(pdf.named_destinations[action["/Dest"]]) + 1))
    a, b, folded = page_of(pdf, "On to"), page_of(pdf, "Back to"), page_of(pdf, "It is 42")
    assert {(a, b), (b, a), (a, folded), (folded, a)} <= ends and outside == {"https://arxiv.org/"}
    assert f"Solution page {folded}" in pdf.pages[a - 1].extract_text()
    assert f"from page {a}" in pdf.pages[folded - 1].extract_text()


def test_headings_are_bookmarks(pdf):
    assert [entry.title for entry in pdf.outline if not isinstance(entry, list)][:2] == ["The course", "Contents"]
