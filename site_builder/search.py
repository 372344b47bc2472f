"""What the search reads: the text of every section, as one JavaScript file that needs no server."""

import json
import re

from site_builder.pages import Page


def sections(page: Page) -> list[list[str]]:
    """[file#anchor, page, heading, text] of sections and glossary rows: prose, tables, answers, alt texts; no code."""
    found: list[list[str]] = []
    for element in page.body.select("h1, h2, h3, tr[id], p, li, td, summary, details, img"):
        if element.name in ("h1", "h2", "h3", "tr"):
            heading = element.td.get_text() if element.name == "tr" else element.get_text()
            found.append([f"{page.file}#{element['id']}", page.short, heading, ""])
        elif element.name == "img":
            found[-1][3] += " " + element["alt"]
        elif not element.find_parent(["p", "li", "td", "summary"]):
            own = element.find_all(string=True, recursive=False) if element.name == "details" else element.strings
            found[-1][3] += " " + "".join(own)
    return [[*head, re.sub(r"\s+", " ", text).strip()] for *head, text in found]


def index(pages: list[Page]) -> str:
    """The file: it hands all sections to site.js."""
    return f"courseSections({json.dumps([s for page in pages for s in sections(page)], ensure_ascii=False)});\n"
