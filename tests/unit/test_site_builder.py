"""The site's parts without a browser: formulas, headings, links, terms, search, and what is refused."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup

from site_builder import search
from site_builder.live import place_explorers
from site_builder.mathematics import font_face, mathml
from site_builder.notebook import markdown_to_html, notebook_to_html
from site_builder.pages import Page, fit_wide, glossary_terms, link_terms, name_headings, point_links
from site_builder.site import build


def page(markdown, **options):
    return Page("05_vae.html", BeautifulSoup(markdown_to_html(markdown), "html.parser"), "notebooks", **options)


def inside(latex, display=False):
    return re.sub(r"</?(?:math|mrow)[^>]*>", "", mathml(latex, display))


THIN = '<mspace width="0.167em" />'


@pytest.mark.parametrize(
    "latex, expected",
    [
        (r"\mathbb E", "<mi>𝔼</mi>"),
        (r"\mathcal N", "<mi>𝒩</mi>"),
        (r"\log p", f"<mi>log</mi>{THIN}<mi>p</mi>"),
        (r"2 \log p", f"<mn>2</mn>{THIN}<mi>log</mi>{THIN}<mi>p</mi>"),
        (r"\exp(", '<mi>exp</mi><mo stretchy="false">(</mo>'),
        (r"\operatorname{tr}(", '<mi>tr</mi><mo stretchy="false">(</mo>'),
        (r"= -1", '<mo>=</mo><mo form="prefix">−</mo><mn>1</mn>'),
        (r"x - 1", "<mi>x</mi><mo>−</mo><mn>1</mn>"),
        (r"x \sim p", "<mi>x</mi><mo>∼</mo><mi>p</mi>"),
        (r"\big\| x", '<mo fence="false" stretchy="false">‖</mo><mi>x</mi>'),
        (r"m'", '<mi>m</mi><mo lspace="0" rspace="0">′</mo>'),
        (r"\Sigma", '<mi mathvariant="normal">Σ</mi>'),
    ],
)
def test_a_formula_is_what_tex_would_set(latex, expected):
    assert inside(latex) == expected


def test_aligned_lines_become_a_table_of_two_columns():
    rows = BeautifulSoup(mathml(r"\begin{aligned} a &= b \\ &= c \end{aligned}", True), "html.parser").find_all("mtr")
    assert [[cell.get_text() for cell in row.find_all("mtd")] for row in rows] == [["a", "=b"], ["", "=c"]]


def test_every_letter_of_an_alphabet_is_a_letter_that_browsers_draw():
    assert "".join(inside(rf"\mathcal {letter}")[4:-5] for letter in "ABEFHILMNRZ") == "𝒜ℬℰℱℋℐℒℳ𝒩ℛ𝒵"
    assert [inside(latex)[4:-5] for latex in (r"\mathbb Q", r"\mathbb{1}", r"\mathbf x")] == ["ℚ", "𝟙", "𝐱"]
    assert inside(r"\boldsymbol{\mu}") == "<mi>𝝁</mi>"


def test_what_no_browser_draws_is_refused_with_notebook_and_formula(tmp_path):
    cells = [nbformat.v4.new_markdown_cell(r"So $a$ is $\nosuch{b}$.")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "05_vae.ipynb")
    with pytest.raises(ValueError, match=r"05_vae\.ipynb: \$\\nosuch\{b\}\$: .*mathematics\.py"):
        notebook_to_html(tmp_path / "05_vae.ipynb")
    with pytest.raises(ValueError, match=r"\$a\^b\^c\$: \w+"):
        mathml("a^b^c")
    with pytest.raises(ValueError, match=r"\$\\mathfrak\{ä\}\$: ä has no fraktur form"):
        mathml(r"\mathfrak{ä}")


def test_formulas_are_found_in_text_and_in_html_but_not_in_code():
    body = page("So $x$ costs `$5`.\n\n<details><summary>$y$</summary><code>$z$</code> $$w$$</details>").body
    assert [formula.get_text() for formula in body.find_all("math")] == ["x", "y", "w"]
    assert [code.get_text() for code in body.find_all("code")] == ["$5", "$z$"]


def test_the_font_holds_what_formulas_need_and_little_else():
    face = font_face(["𝔼=∑"])
    assert face.startswith("@font-face") and len(face) < 150_000


def test_headings_get_ids_of_their_own_and_become_the_contents():
    one = page("# A: b\n\n## The plan\n\n### Again\n\n## The plan")
    name_headings(one)
    assert one.contents == [(2, "The-plan", "The plan"), (3, "Again", "Again"), (2, "The-plan-", "The plan")]
    assert (one.title, one.short) == ("A: b", "A")


def test_links_to_the_site_stay_and_others_of_the_repository_become_text():
    one = page("[a](03_elbo.ipynb#The-ELBO) [b](../tests/benchmarks/choices.py) [c](https://arxiv.org)")
    point_links(one, lambda path: "03_elbo.html" if path == "notebooks/03_elbo.ipynb" else None)
    assert [link["href"] for link in one.body.find_all("a")] == ["03_elbo.html#The-ELBO", "https://arxiv.org"]
    assert one.body.get_text().strip() == "a b c"


def test_a_picture_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match=r"missing\.svg"):
        point_links(page("![a](../figures/missing.svg)"), lambda path: None)


GLOSSARY = """## Glossary

| English | Tiếng Việt |
|---|---|
| encoder, decoder | bộ mã hóa |
| entropy | entropy |
"""


def test_the_first_use_of_a_term_is_linked_and_no_part_of_a_word():
    terms = glossary_terms(page(GLOSSARY))
    assert set(terms) == {"encoder", "decoder", "entropy"}
    one = page("# The encoder\n\nCross-entropy: a `decoder`. An Encoder, an encoder; the decoder.")
    link_terms(one, terms, "00.html")
    assert [link.get_text() for link in one.body.select("a.term")] == ["Encoder", "decoder"]
    assert one.body.a["href"] == "00.html#term-encoder-decoder" and one.body.a["title"] == "bộ mã hóa"


def test_the_search_reads_text_folds_and_alt_texts_but_no_code():
    fold = "<details><summary>Q</summary>three</details>"
    one = page(f"# T\n\nOne **two**.\n\n```python\nno = 1\n```\n\n{fold}\n\n![four](x)")
    name_headings(one)
    assert search.sections(one) == [["05_vae.html#T", "T", "T", "One two. three Q four"]]


def test_the_empty_corner_of_a_table_is_no_heading():
    one = page("| | a |\n|---|---|\n| b | c |")
    fit_wide(one)
    assert [head.get_text() for head in one.body.find_all("th")] == ["a"]
    assert one.body.select_one("div.wide > table")


def test_an_explorer_stands_below_the_cell_of_its_widget():
    one = Page("a.html", BeautifulSoup('<div class="cell">widgets.kl_explorer()</div><p>on</p>', "html.parser"))
    place_explorers(one)
    assert one.body.select_one(".cell + [data-live=kl] + p")


@pytest.mark.parametrize("cell", ["", '<div class="cell">widgets.denoising_walk(perfect)</div>'])
def test_the_denoising_walk_waits_for_notebook_11(cell):
    text = f"<h1>11</h1><h2>In the plane</h2>{cell}<p>So.</p><h2>On codes</h2>"
    one = Page("11_diffusion.html", BeautifulSoup(text, "html.parser"))
    place_explorers(one)
    (explorer,) = one.body.select("[data-live=denoising]")
    assert explorer.find_previous("h2").get_text() == "In the plane" and explorer["aria-label"] == "The denoising walk"


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="--out"):
        build(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_without_chromium_nothing_is_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="install one of chromium"):
        build(tmp_path / "site", pdf=True)
    assert not (tmp_path / "site").exists()
