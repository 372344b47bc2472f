"""README's picture of live sliders: the playground, run in a real JupyterLab, seen in a real browser.

``python tests/screenshot.py`` needs MNIST and Chromium, and writes figures/sliders.png. Look at it, then commit it.
"""

import io
import shutil
import tempfile
from pathlib import Path

from browser.conftest import CHROMIUMS, copy_without_outputs, open_notebook, run_all_cells
from PIL import Image
from playwright.sync_api import sync_playwright

from helpers.in_page import changes_picture, press_on_slider, widgets_in
from helpers.places import FIGURES, ROOT
from helpers.servers import jupyterlab

WIDTH, HEIGHT = 1200, 960
WIDGETS, PAD, WALK = 11, 6, 7  # in the playground: all, the plane with its pad, the walk below it
HEADING = "VAE: a plane of digits"


def use(page):
    """Move the point on the pad and the walk's slider, as a learner does, so that both have drawn anew."""
    shown = widgets_in(page, WIDGETS, seconds=900)
    shown[PAD].get_by_role("application").focus()
    for key in ["ArrowRight", "ArrowUp"] * 3:
        changes_picture(shown[PAD], lambda key=key: page.keyboard.press(key))
    changes_picture(shown[WALK], lambda: press_on_slider(shown[WALK], "t"))


def photograph(lab, browser):
    """The page as PNG, from the heading down, without the list of files."""
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    open_notebook(page, lab, "notebooks/playground.ipynb")
    run_all_cells(page)
    if not page.get_by_text("Dataset 'mnist'").count():
        raise SystemExit("The playground ran without MNIST: set VAE_DATA to a folder that holds it.")
    use(page)
    if page.locator("#filebrowser").is_visible():
        page.keyboard.press("Control+b")
    page.get_by_role("heading", name=HEADING).evaluate("heading => heading.scrollIntoView({block: 'start'})")
    page.wait_for_timeout(1000)
    return page.screenshot()


def main():
    """Write the picture."""
    program = next(path for path in map(shutil.which, CHROMIUMS) if path)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        course = Path(folder, "course")
        (course / "notebooks").mkdir(parents=True)
        copy_without_outputs(ROOT / "notebooks" / "playground.ipynb", course / "notebooks" / "playground.ipynb")
        with jupyterlab(course, Path(folder)) as lab:
            browser = driver.chromium.launch(
                executable_path=program, chromium_sandbox=False, args=["--no-proxy-server"]
            )
            picture = Image.open(io.BytesIO(photograph(lab, browser)))
            browser.close()
    picture.convert("RGB").save(FIGURES / "sliders.png", optimize=True)


if __name__ == "__main__":
    main()
