"""What a lecturer opens: the playground as slides in JupyterLab (Deck mode), and as a page without code (Voilà).

Both stand in requirements-lectures.txt; their tests are skipped where they are not installed.
"""

from importlib.util import find_spec
from urllib.parse import urlsplit

import pytest

from helpers.in_page import changes_picture, press_on_slider, widgets_in
from helpers.servers import is_taken, voila

WIDGETS = 12
PROJECTOR = {"width": 853, "height": 480}  # 1280 × 720 at 150 %
ON_SCREEN = ".jp-Cell.jp-deck-mod-visible"
CUT_OFF = """cells => cells.flatMap(cell => {
    const end = part => Math.round(part.getBoundingClientRect().right);
    const parts = [...cell.querySelectorAll('img, button, .widget-readout')];
    return parts.filter(part => end(part) > Math.min(end(cell), end(part.parentElement))).map(part => part.outerHTML);
})"""


@pytest.fixture(scope="module")
def deck_mode():
    if not find_spec("jupyterlab_slideshow"):
        pytest.skip("jupyterlab-slideshow is not installed: pip install -r requirements-lectures.txt")


@pytest.fixture(scope="module")
def deck(deck_mode, run_all):
    """The playground in JupyterLab, run, and its title in Deck mode."""
    page = run_all("playground.ipynb")
    widgets_in(page, WIDGETS)
    page.set_viewport_size(PROJECTOR)
    page.locator(".jp-MarkdownOutput h1").click()
    page.locator('[data-command="deck:toggle"]').first.click()
    yield page
    page.locator(".jp-deck-mod-stop").click()  # JupyterLab remembers the mode, for all notebooks
    page.locator("body:not([data-jp-deck-mode=presenting])").wait_for(state="attached")
    page.wait_for_timeout(1000)


def begin(deck):
    """Back to the title."""
    shown = deck.locator(ON_SCREEN)
    shown.locator("h1, h2").first.click()  # a slider that has the focus would take the keys
    for _ in range(2 * WIDGETS):
        if not shown.locator("h1").count():
            deck.keyboard.press("Shift+Space")
    return shown


def test_deck_mode_begins_with_the_title_and_leads_to_a_slide_with_a_live_slider(deck):
    from playwright.sync_api import expect

    shown = begin(deck)
    expect(shown).to_have_count(1)
    expect(shown.locator("h1")).to_contain_text("Playground: every widget of the course")
    for _ in range(2):
        deck.keyboard.press("Space")
    expect(shown.locator("h2")).to_contain_text("Autoencoder")
    widget = shown.locator(".jp-OutputArea-output")
    changes_picture(widget, lambda: press_on_slider(widget, "z 1"), "The image decoded from z")


def test_every_widget_has_a_slide_and_fits_the_screen_with_its_heading(deck):
    from playwright.sync_api import expect

    shown = begin(deck)
    for _ in range(WIDGETS):
        deck.keyboard.press("Space")
        heading = shown.locator("h2").inner_text()
        deck.keyboard.press("Space")
        expect(shown.locator("img.vae-picture")).to_be_visible()
        boxes = [cell.bounding_box() for cell in shown.all()]
        top, bottom = boxes[0]["y"], boxes[-1]["y"] + boxes[-1]["height"]
        assert bottom - top <= PROJECTOR["height"], heading
        assert not shown.evaluate_all(CUT_OFF), heading


@pytest.fixture(scope="module")
def served(course, tmp_path_factory):
    """The playground in Voilà."""
    if not find_spec("voila"):
        pytest.skip("voila is not installed: pip install -r requirements-lectures.txt")
    with voila(course / "notebooks" / "playground.ipynb", tmp_path_factory.mktemp("voila")) as server:
        yield server


@pytest.mark.parametrize("token", ["", "0" * 32], ids=["no_token", "wrong_token"])
def test_voila_sends_whoever_has_no_token_to_the_login_page(served, token):
    with served.open("", token=token) as answer:
        assert urlsplit(answer.url).path == "/login"
        assert b"Playground" not in answer.read()


def test_every_server_listens_on_this_machine_only(served, lab):
    for server in (lab, served):
        port = urlsplit(server.address).port
        assert is_taken("127.0.0.1", port)
        assert not is_taken("127.0.0.2", port), "it also listens on other addresses"


def test_voila_shows_every_widget_alive_and_no_code(served, chromium):
    page, errors = chromium.new_page(viewport=PROJECTOR), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{served.address}/?token={served.token}", timeout=300_000)
    widgets = widgets_in(page, WIDGETS)
    changes_picture(widgets[0], lambda: press_on_slider(widgets[0], "z 1"), "The image decoded from z")
    assert not page.locator(".jp-InputArea-editor, .cm-editor, .highlight").count()
    assert "widgets.latent_sliders" not in page.content()
    assert not errors
    page.close()
