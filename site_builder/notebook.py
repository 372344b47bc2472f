"""A notebook's cells → HTML and picture files, by nbconvert with the template in course/."""

import html
import re
from pathlib import Path

from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

from site_builder.mathematics import mathml

# Markdown is not read inside HTML such as <details>; formulas are, but for those in code.
IN_HTML = re.compile(r"<code>.*?</code>|\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$]+)\$", re.S)
# Tokens of code without a colour in site.css: three of four, which make pages twice and the PDF five times as large.
COLOURLESS = re.compile(r'<span class="(?!(?:k[ndrc]?|ow|s[12daeib]?|m[ifbh]|c[1m]?|n[fc]|fm)")\w{1,3}">([^<]*)</span>')


class Renderer(IPythonRenderer):
    """nbconvert's Markdown with formulas as MathML."""

    def inline_math(self, body: str) -> str:
        """$…$."""
        return mathml(body)

    def block_math(self, body: str) -> str:
        """$$…$$."""
        return f'<span class="display">{mathml(body, display=True)}</span>'

    def block_html(self, html: str) -> str:
        """HTML within Markdown, its formulas too."""
        return super().block_html(IN_HTML.sub(self._formula, html))

    def _formula(self, found: re.Match[str]) -> str:
        display, inline = (text and html.unescape(text) for text in found.group("display", "inline"))
        return self.block_math(display) if display else self.inline_math(inline) if inline else found[0]


def markdown_to_html(source: str) -> str:
    """Markdown → HTML, as JupyterLab reads it."""
    return MarkdownWithMath(renderer=Renderer(escape=False, exclude_anchor_links=True)).render(source)


def notebook_to_html(notebook: Path) -> tuple[BeautifulSoup, dict[str, bytes]]:
    """The notebook's body, and its pictures by their names in the site; ValueError names notebook and formula."""
    config = Config()
    config.ExtractOutputPreprocessor.enabled = True
    templates = str(Path(__file__).parent)
    exporter = HTMLExporter(config=config, template_name="course", extra_template_basedirs=[templates])
    exporter.register_filter("markdown2html", markdown_to_html)
    names = {"unique_key": notebook.stem, "output_files_dir": "pictures"}
    try:
        body, resources = exporter.from_filename(str(notebook), resources=names)
    except ValueError as error:
        raise ValueError(f"{notebook}: {error} (Formulas are read in site_builder/mathematics.py.)") from error
    return BeautifulSoup(COLOURLESS.sub(r"\1", body), "html.parser"), resources["outputs"]
