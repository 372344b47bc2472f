"""figures/latent_explorer.html in a real browser, from disk: its picture is what the same decoder gives in PyTorch."""

import base64
import re

from vae_helpers.models import VAE

import numpy as np
import pytest
import torch

from helpers.places import FIGURES

PAGE = FIGURES / "latent_explorer.html"
PICTURE = """() => {
    const canvas = document.getElementById("picture");
    return [...canvas.getContext("2d").getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 == 0);
}"""


@pytest.fixture(scope="module")
def decoder():
    """The VAE whose decoder is in the page."""
    packed = re.search(r'WEIGHTS = "([^"]+)"', PAGE.read_text("utf-8")).group(1)
    numbers = torch.from_numpy(np.frombuffer(base64.b64decode(packed), "<f2").astype("float32"))
    model = VAE(2)
    with torch.no_grad():
        for weight, part in zip(
            model.decoder.parameters(),
            numbers.split([weight.numel() for weight in model.decoder.parameters()]),
            strict=True,
        ):
            weight.copy_(part.view_as(weight))
    return model


@pytest.fixture
def page(chromium):
    page = chromium.new_page(viewport={"width": 1280, "height": 720}, has_touch=True)
    foreign = []
    page.on("request", lambda request: foreign.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(PAGE.as_uri())
    yield page
    assert not foreign, f"the page asked for {foreign}"
    page.close()


def code(page):
    """The code that the page says it shows, as its sliders and its text have it."""
    told = page.locator("#told").inner_text().replace("−", "-")
    return [float(v) for v in re.search(r"\(([-\d.]+), ([-\d.]+)\)", told).groups()]


def exactly(page):
    return page.evaluate("() => z")


def assert_shows_what_the_model_decodes(page, decoder):
    with torch.no_grad():
        expected = 255 - 255 * decoder.generate(torch.tensor([exactly(page)], dtype=torch.float32)).flatten()
    shown = torch.tensor(page.evaluate(PICTURE), dtype=torch.float32)
    assert (shown - expected).abs().max() <= 0.51
    assert all(abs(a - b) <= 0.0051 for a, b in zip(code(page), exactly(page), strict=True))


def test_it_opens_at_the_centre(page, decoder):
    assert exactly(page) == [0, 0]
    assert_shows_what_the_model_decodes(page, decoder)


def test_dragging_moves_the_code_and_the_picture_follows(page, decoder):
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.06 * step), box["y"] + box["height"] * (0.5 - 0.04 * step))
        assert_shows_what_the_model_decodes(page, decoder)
    page.mouse.up()
    assert exactly(page) == pytest.approx([1.8, 1.2], abs=0.05)
    page.mouse.move(box["x"], box["y"])
    assert exactly(page) == pytest.approx([1.8, 1.2], abs=0.05)


def test_a_touch_moves_the_code(page, decoder):
    box = page.locator("#pad").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    assert exactly(page) == pytest.approx([-1.5, 1.5], abs=0.05)
    assert_shows_what_the_model_decodes(page, decoder)


def test_arrow_keys_move_the_code_and_stop_at_the_edge(page, decoder):
    page.locator("#pad").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert exactly(page) == pytest.approx([0.1, -0.1])
    for _ in range(8):
        page.keyboard.press("Shift+ArrowLeft")
    assert exactly(page) == pytest.approx([-3, -0.1])
    assert_shows_what_the_model_decodes(page, decoder)
    page.keyboard.press("Home")
    assert exactly(page) == [0, 0]


def test_the_sliders_move_the_code_too(page, decoder):
    page.locator("#z2").focus()
    page.keyboard.press("ArrowRight")
    assert exactly(page) == pytest.approx([0, 0.05])
    assert_shows_what_the_model_decodes(page, decoder)


def test_the_alt_text_says_what_is_shown_and_changes_with_it(page):
    picture = page.locator("#picture")
    before = picture.get_attribute("aria-label")
    assert re.fullmatch(r"The image decoded at z = \(0\.00, 0\.00\), most like a \d", before)
    page.locator("#pad").focus()
    page.keyboard.press("Shift+ArrowUp")
    assert picture.get_attribute("aria-label") != before


def test_on_a_narrow_screen_nothing_is_cut_off(page):
    page.set_viewport_size({"width": 375, "height": 700})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 375
