"""In a real browser lectures/overrides.json leaves a widget's callbacks nothing but the kernel's main thread.

Whether a callback uses a subshell that JupyterLab opened depends on ipykernel: up to 7.3 it does, 7.4 it doesn't.
"""

import json
import shutil

import nbformat
import pytest

from helpers.places import OVERRIDES

pytest.importorskip("ipykernel", "7", reason="ipykernel 6 has no subshells: there is nothing to keep away")
ASK = """import threading
import ipywidgets
def ask(_):
    subshells = get_ipython().kernel.shell_channel_thread.manager.list_subshell()
    answer.value = f"{threading.current_thread().name}, subshells: {len(subshells)}"
answer, button = ipywidgets.Label("not asked"), ipywidgets.Button(description="where am I?")
button.on_click(ask)
ipywidgets.VBox([button, answer], _dom_classes=["asking"])"""


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
def widget(course, run_all):
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(ASK)], metadata={"kernelspec": kernel})
    nbformat.write(nb, course / "notebooks" / "where_am_i.ipynb")
    return run_all("where_am_i.ipynb").locator(".asking")


def test_jupyterlab_opens_a_subshell_for_widgets_unless_the_settings_file_forbids_it(request, widget):
    from playwright.sync_api import expect

    answer = widget.locator(".widget-label")
    widget.get_by_role("button", name="where am I?").click()
    if request.node.callspec.id == "with":
        expect(answer).to_have_text("MainThread, subshells: 0")
    else:
        expect(answer).to_contain_text(", subshells: 1")
