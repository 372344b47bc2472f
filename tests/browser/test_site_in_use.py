"""The course's site in use: search, keyboard, colours, and the barriers that axe-core knows."""

import re

import pytest

from helpers.places import EVERY_NOTEBOOK

PAGES = ["index", *(path.stem for path in EVERY_NOTEBOOK), "figures/latent_explorer"]
WCAG = {"preload": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
CONTRAST = {"preload": False, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
UNDECIDED = {  # axe sees no contrast for these; their colours are those of the text and code beside them
    "nonBmp": "a formula's sign that is no letter",
    "elmPartiallyObscured": "a long line of code, its end below the button that copies",
}
FEWER_OF_A_KIND = """() => { // tokens of a kind have one colour, on one ground, and so have formulas: axe is quick then
    [...document.querySelectorAll("math")].slice(4).forEach(formula => formula.replaceWith(formula.textContent));
    const seen = new Set();
    for (const token of document.querySelectorAll(".highlight span"))
        if (seen.has(token.className)) token.replaceWith(token.textContent); else seen.add(token.className);
}"""


def page_with(site, text):
    """The first page that holds this text."""
    return next(path.stem for path in sorted(site.glob("*.html")) if text in path.read_text("utf-8"))


def search(page, words):
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.wait_for_selector("#found a, #found p")
    return page.locator("#found a").all_text_contents()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_no_barrier_that_axe_knows(open_page, name, colours):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(name, color_scheme=colours)
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    page.evaluate(FEWER_OF_A_KIND)
    results = axe.run(page, options=WCAG if colours == "light" else CONTRAST)
    assert results.violations_count == 0, results.generate_report()
    undecided = {
        (rule["id"], *reasons(node))
        for rule in results.response["incomplete"]
        for node in rule["nodes"]
        if not node["html"].startswith("<text ")  # of an explorer's drawing: ink on paper, as all text
    }
    assert undecided <= {("color-contrast", reason) for reason in UNDECIDED}


def reasons(node):
    """Why axe could not decide."""
    return [(check["data"] or {}).get("messageKey") for check in node["any"]]


@pytest.mark.parametrize(
    "words, found",
    [
        ("reparameterization", "Reparameterization and KL"),
        ("tái tham số", "reparameterization trick"),
        ("tai tham so", "reparameterization trick"),
        ("重参数化", "reparameterization trick"),
        ("репараметризации", "reparameterization trick"),
        ("posterior collapse", "Latent space"),
    ],
)
def test_the_search_finds(open_page, words, found):
    results = search(open_page("index"), words)
    assert any(found in result for result in results[:3]), results


def test_the_search_says_when_it_finds_nothing(open_page):
    page = open_page("index")
    assert search(page, "zzzz") == []
    assert "Nothing found" in page.locator("#found").inner_text()


def test_search_and_folds_by_keyboard(open_page):
    page = open_page("index")
    search(page, "tái tham số")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/00_start_here.html#term-reparameterization-trick")
    search(page, "recall")
    page.keyboard.press("Escape")
    assert page.locator("#found").is_hidden()
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None


def test_a_glossary_term_leads_to_its_row_and_unfolds_it(site, open_page):
    page = open_page(page_with(site, ">reparameterization trick</a>"))
    term = page.locator("a.term", has_text=re.compile("^reparameterization trick$", re.I))
    assert term.count() == 1 and "thủ thuật" in term.get_attribute("title")
    term.click()
    page.wait_for_url("**/00_start_here.html#term-*")
    assert page.locator("tr:target").is_visible()


def test_the_menu_of_a_phone_by_keyboard(open_page):
    page = open_page("index", width=360)
    menu, contents = page.locator("#menu"), page.locator("#contents")
    assert contents.is_hidden()
    menu.focus()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert contents.is_visible() and menu.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert contents.is_hidden()


def test_the_choice_of_colours_is_kept(open_page):
    page = open_page("index", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.locator("a[rel=next]").click()
    page.wait_for_url("**/00_start_here.html")
    assert page.evaluate(ground) == dark and page.locator("#theme").get_attribute("aria-pressed") == "true"


def test_a_button_copies_the_code(open_page):
    page = open_page("00_start_here", permissions=["clipboard-read", "clipboard-write"])
    code = page.locator(".highlight").first
    code.hover()
    code.locator(".copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == code.locator("pre").text_content()


def test_the_latent_plane_is_a_click_away(site, open_page):
    page = open_page(page_with(site, "Live: drag about"))
    page.get_by_role("link", name="Live: drag about in a latent plane").first.click()
    page.wait_for_url("**/figures/latent_explorer.html")
