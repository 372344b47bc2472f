"""A real JupyterLab on a copy of the course, the course as a site, and a headless Chromium that opens both."""

import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import cache, partial

import nbformat
import pytest

from helpers.places import ROOT
from helpers.servers import jupyterlab, wait_until

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
OPENING, RUN_ALL = 60, 900  # seconds, at most
KERNEL = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
FAILURES = """part => {
    const kinds = ['error', 'stderr'].map(kind => `[data-mime-type="application/vnd.jupyter.${kind}"]`);
    const failed = /Traceback|^\\w*(Error|Exception|Interrupt)\\b/m;  // a traceback is shown as stderr
    const texts = [...(part ?? document).querySelectorAll(kinds)].map(output => output.textContent);
    return texts.filter(text => failed.test(text));
}"""
ALL_RAN = """part => {
    const found = [...(part ?? document).querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
    const prompts = found.map(prompt => prompt.textContent.trim());
    const shown = prompts.filter(prompt => prompt);  // a folded cell shows none
    return shown.length && shown.every(prompt => /^\\[\\d+\\]:$/.test(prompt));
}"""


def copy_without_outputs(source, target):
    nb = nbformat.read(source, as_version=4)
    nb.metadata.kernelspec = KERNEL  # without one, JupyterLab asks which kernel to start
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(nb, target)


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """A copy of the notebooks, outputs cleared, its figures beside it: autosave rewrites what it opens."""
    copy = tmp_path_factory.mktemp("course")
    (copy / "notebooks").mkdir()
    for source in (ROOT / "notebooks").glob("*.ipynb"):
        copy_without_outputs(source, copy / "notebooks" / source.name)
    if (ROOT / "figures").is_dir():
        shutil.copytree(ROOT / "figures", copy / "figures")
    return copy


@pytest.fixture(scope="session")
def another_lab(course):
    """Starts a second JupyterLab on the same copy; takes the folder for its settings and its log."""
    return partial(jupyterlab, course)


@pytest.fixture(scope="session")
def lab(course, tmp_path_factory):
    with jupyterlab(course, tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def chromium():
    programs = [path for path in map(shutil.which, CHROMIUMS) if path]
    if not programs:
        pytest.skip(f"no browser: none of {', '.join(CHROMIUMS)} is installed")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        # Chromium's own sandbox refuses to start as root, and many containers have none to offer.
        browser = driver.chromium.launch(
            executable_path=programs[0], chromium_sandbox=False, args=["--no-proxy-server"]
        )
        yield browser
        browser.close()


def open_notebook(page, lab, notebook):
    from playwright.sync_api import expect

    page.goto(f"{lab.address}/lab/tree/{notebook}?token={lab.token}&reset")
    kernel_name = page.locator(".jp-Toolbar-kernelName")
    expect(kernel_name).to_have_text(re.compile("Python 3"), timeout=OPENING * 1000)
    wait_until(lambda: lab.has_idle_kernel(notebook), OPENING, f"a kernel for {notebook}")


def run_all_cells(page):
    """Run ▸ Run All Cells; returns when every cell has run or one has failed."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Run All Cells")).click()
    page.wait_for_function(f"() => ({ALL_RAN})() || ({FAILURES})().length", timeout=RUN_ALL * 1000)


@pytest.fixture(scope="module")
def run_all(chromium, lab):
    """Takes a notebook's name, runs it top to bottom and gives its page. A failed cell fails the test."""
    pages = []

    def run(name):
        page = chromium.new_page(viewport={"width": 1280, "height": 1600})
        pages.append(page)
        open_notebook(page, lab, f"notebooks/{name}")
        run_all_cells(page)
        failed = page.evaluate(FAILURES)
        assert not failed, f"{name}: a cell failed in JupyterLab\n" + "\n".join(failed)
        return page

    yield run
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def workbench(chromium, lab, course):
    """The page of a notebook with one empty cell, for all widgets that are shown in a cell of their own: one kernel."""
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()], metadata={"kernelspec": KERNEL})
    nbformat.write(nb, course / "notebooks" / "workbench.ipynb")
    page = chromium.new_page(viewport={"width": 1280, "height": 1600})
    open_notebook(page, lab, "notebooks/workbench.ipynb")
    yield page
    page.close()


@pytest.fixture(scope="session")
def show_widget(workbench):
    """Takes the code of a cell that ends in a widget, runs it in the last cell and gives the widget's output."""

    def show(code):
        cell = workbench.locator(".jp-CodeCell").nth(workbench.locator(".jp-CodeCell").count() - 1)
        cell.locator(".cm-content").click()
        workbench.keyboard.insert_text(code)
        workbench.keyboard.press("Shift+Enter")  # makes a new last cell
        handle = cell.element_handle()
        workbench.wait_for_function(f"cell => ({ALL_RAN})(cell) || ({FAILURES})(cell).length", arg=handle)
        failed = workbench.evaluate(FAILURES, handle)
        assert not failed, "a cell failed in JupyterLab\n" + "\n".join(failed)
        return cell.locator(".jp-OutputArea-output").filter(has=workbench.locator("img.vae-picture")).first

    return show


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The course as a site, built from the saved notebooks."""
    folder = tmp_path_factory.mktemp("site") / "course"
    subprocess.run([sys.executable, "-m", "site_builder", "--out", folder], cwd=ROOT, check=True, timeout=900)
    return folder


@contextmanager
def pages_of(chromium, site):
    """Opens a page by its name; at the end nothing may have failed, or been asked for outside the site."""
    contexts, wrong = [], []

    def failed(request):
        if request.failure != "net::ERR_ABORTED":  # a page that is left no longer wants its pictures
            wrong.append(f"failed: {request.url}")

    def watch(page):
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("requestfailed", failed)
        inside = (site.as_uri(), "data:")
        page.on("request", lambda r: None if r.url.startswith(inside) else wrong.append(f"asked for {r.url}"))

    def open_page(name, width=1280, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        watch(page)
        page.goto(f"{site.as_uri()}/{name}.html")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def open_page(chromium, site):
    """For one test."""
    with pages_of(chromium, site) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def read_page(chromium, site):
    """For tests that only read: a page is opened once."""
    with pages_of(chromium, site) as open_page:
        yield cache(open_page)
