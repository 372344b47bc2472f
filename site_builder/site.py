"""The whole site: a page for each notebook, a front page from README.md, and the files they need."""

import re
import shutil
from itertools import pairwise
from pathlib import Path

from bs4 import BeautifulSoup
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from site_builder import pages, search
from site_builder.live import place_explorers
from site_builder.mathematics import font_face
from site_builder.notebook import markdown_to_html, notebook_to_html
from site_builder.pages import Page
from site_builder.pdf import chromium, print_course

HERE = Path(__file__).parent
ROOT = HERE.parent
FRONT = ("The notebooks", "Open the course")  # sections of README.md
SHOWN = (".svg", ".png", ".html", ".js")  # of figures/


def build(out: Path, pdf: bool = False) -> Path:
    """Write the site into a folder, which is emptied first; a folder with other things in it is refused.

    pdf: print the course as course.pdf too, to which every page links. FileNotFoundError without Chromium.
    """
    if pdf:
        chromium()
    if out.exists() and any(out.iterdir()) and not (out / "assets" / "site.js").exists():
        raise FileExistsError(f"{out} holds other things than a site. Name an empty folder or a new one by --out.")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(HERE / "assets", out / "assets")
    (out / "figures").mkdir()
    for figure in (ROOT / "figures").iterdir():
        if figure.suffix in SHOWN and not figure.name.endswith(".template.html"):
            shutil.copy(figure, out / "figures")
    site = [front_page(), *(notebook_page(path, out) for path in sorted((ROOT / "notebooks").glob("*.ipynb")))]
    finish(site, out)
    write(site, out, pdf)
    return out


def notebook_page(notebook: Path, out: Path) -> Page:
    """The page of a notebook, its pictures written."""
    body, pictures = notebook_to_html(notebook)
    for name, data in pictures.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(data)
    return Page(f"{notebook.stem}.html", body, "notebooks")


def front_page() -> Page:
    """From README.md: what the course is, its notebooks with the map, how to open it."""
    opening, *sections = (ROOT / "README.md").read_text("utf-8").split("\n## ")
    opening = re.sub(r"^English · .*\n\n", "", opening, flags=re.M)  # READMEs in other languages
    chosen = [section for title in FRONT for section in sections if section.startswith(title + "\n")]
    text = re.sub(r"^\|.*\|$", _with_minutes, "\n## ".join([opening, *chosen]), flags=re.M)
    return Page("index.html", BeautifulSoup(markdown_to_html(text), "html.parser"))


def _with_minutes(row: re.Match[str]) -> str:
    """A row of README's table with one more column: a learner's minutes, from the notebook's head."""
    notebook = re.search(r"\(notebooks/(\w+\.ipynb)\)", row[0])
    if not notebook:
        return row[0] + ("---|" if "---" in row[0] else " minutes for you |")
    minutes = re.search(r"\*\*Minutes\*\* about (\d+)", (ROOT / "notebooks" / notebook[1]).read_text("utf-8"))
    return f"{row[0]} {minutes[1] if minutes else '–'} |"


def finish(site: list[Page], out: Path) -> None:
    """Headings, links, pictures, tables, glossary, neighbours."""

    def place_of(path: str) -> str | None:
        page = re.fullmatch(r"notebooks/(\w+)\.ipynb", path)
        place = f"{page[1]}.html" if page else path
        return place if page or (path.startswith("figures/") and (out / path).is_file()) else None

    for page in site:
        pages.name_headings(page)
        pages.point_links(page, place_of)
        pages.fit_wide(page)
        pages.size_pictures(page, out)
        place_explorers(page)
    glossary = next(page for page in site if page.file.startswith("00"))
    terms = pages.glossary_terms(glossary)
    for before, after in pairwise(site):
        before.after, after.before = after, before
        pages.link_terms(after, terms, glossary.file)


def templates() -> Environment:
    """What pages and the PDF are filled into."""
    files = FileSystemLoader(HERE / "course")
    return Environment(loader=files, autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def write(site: list[Page], out: Path, pdf: bool) -> None:
    """Pages, the search index, the font of the formulas, the PDF."""
    environment = templates()
    template = environment.get_template("page.html.j2")
    formulas = (formula.get_text() for page in site for formula in page.body.find_all("math"))
    (out / "assets" / "maths.css").write_text(font_face(formulas), "utf-8")
    (out / "assets" / "index.js").write_text(search.index(site), "utf-8")
    if pdf:
        print_course(site, out, environment)
    for page in site:
        html = template.render(page=page, pages=site, course=site[0].title, pdf=pdf)
        (out / page.file).write_text(html, "utf-8")
