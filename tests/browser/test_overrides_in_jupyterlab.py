"""In a real browser lectures/overrides.json keeps a widget's callbacks in the kernel's main thread."""

import json
import shutil
from pathlib import Path

import nbformat
import pytest

OVERRIDES = Path(__file__).parents[2] / "lectures" / "overrides.json"
WHICH_THREAD = """import threading
import ipywidgets
thread, button = ipywidgets.Label("not asked"), ipywidgets.Button(description="which thread?")
button.on_click(lambda _: setattr(thread, "value", threading.current_thread().name))
ipywidgets.VBox([button, thread], _dom_classes=["threads"])"""


def put_into_settings(file, folder):
    """Place a settings file as TEACHING.md says, in an application settings folder of this server's own."""
    settings, config = folder / "settings", folder / "jupyter_config_dir"
    settings.mkdir()
    config.mkdir()
    shutil.copy(file, settings)
    (config / "jupyter_lab_config.json").write_text(json.dumps({"LabApp": {"app_settings_dir": str(settings)}}))


@pytest.fixture(scope="module", params=[None, OVERRIDES], ids=["without", "with"])
def lab(request, lab, another_lab, tmp_path_factory):
    """The server of all other tests, then one with the settings file."""
    if request.param is None:
        yield lab
        return
    folder = tmp_path_factory.mktemp("lab_of_a_class")
    put_into_settings(request.param, folder)
    with another_lab(folder) as lab_of_a_class:
        yield lab_of_a_class


@pytest.fixture(scope="module")
def page(course, run_all):
    cells = [nbformat.v4.new_code_cell(source) for source in (WHICH_THREAD, "import time; time.sleep(3)")]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nb = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(nb, course / "notebooks" / "threads.ipynb")
    return run_all("threads.ipynb")


def test_while_a_cell_runs_callbacks_are_in_another_thread_unless_the_settings_file_keeps_them(request, page):
    from playwright.sync_api import expect

    widget = page.locator(".threads")
    for k in range(3):
        widget.get_by_role("button", name="which thread?").click()
        page.wait_for_timeout(500)
        print(k, widget.locator(".widget-label").inner_text())
    page.locator(".jp-CodeCell").last.click()
    page.keyboard.press("Control+Enter")
    widget.get_by_role("button", name="which thread?").click()
    for k in range(10):
        page.wait_for_timeout(500)
        print(k, widget.locator(".widget-label").inner_text(), page.locator(".jp-CodeCell").last.locator(".jp-InputPrompt").inner_text())
    assert 0
