"""The playground in a real JupyterLab: each of its widgets answers to the keyboard; Presentation Mode."""

import pytest

from helpers.in_page import changes_picture, press_on_slider, widgets_in

CONTROLS = {
    "latent_sliders": "z 1",
    "noise_explorer": "amount",
    "drawing_pad": "the sheet",
    "elbo_explorer": "mean μ",
    "forward_reverse_kl": "mean μ",
    "kl_explorer": "μ",
    "latent_plane": "the pad",
    "interpolation": "t",
    "beta_explorer": "β",
    "class_explorer": "style 1",
    "prior_explorer": "draw again",
    "denoising_walk": "t",
}  # in the playground's order


@pytest.fixture(scope="module")
def playground(run_all):
    """Its widgets; the page is there before the folded cells at its end have run."""
    return widgets_in(run_all("playground.ipynb"), len(CONTROLS))


@pytest.mark.parametrize(("name", "label"), CONTROLS.items(), ids=CONTROLS)
def test_a_key_on_a_control_changes_the_picture(playground, name, label):
    widget = playground[list(CONTROLS).index(name)]
    pad, button = widget.get_by_role("application"), widget.get_by_role("button", name=label, exact=True)
    if label == "the sheet":
        pad.focus()
        changes_picture(widget, lambda: widget.page.keyboard.press("Space"))
    elif label == "the pad" and pad.count():
        pad.focus()
        changes_picture(widget, lambda: widget.page.keyboard.press("ArrowRight"))
    elif button.count():
        changes_picture(widget, lambda: button.press("Enter"))
    else:
        changes_picture(widget, lambda: press_on_slider(widget, "z 1" if label == "the pad" else label))


def run_command(page, name):
    """From JupyterLab's command palette."""
    page.keyboard.press("Control+Shift+c")
    page.locator(".lm-CommandPalette-input").fill(name)
    page.keyboard.press("Enter")


def test_presentation_mode_enlarges_the_text(playground):
    page = playground[0].page
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    paragraph = page.locator(".jp-MarkdownOutput p").first
    before = paragraph.evaluate(size)
    run_command(page, "Presentation Mode")
    page.wait_for_function(f"([e, before]) => ({size})(e) > before", arg=[paragraph.element_handle(), before])
    run_command(page, "Presentation Mode")
    page.wait_for_function(f"([e, before]) => ({size})(e) == before", arg=[paragraph.element_handle(), before])
