"""The tools that guard the notebooks do their work: the form checks, the normal form, the links.

Every check of test_form.py passes on a small notebook that keeps all rules, and fails on one that
breaks the rule it guards.
"""

import inspect

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from execute import STILL_OF_A_WIDGET, WIDGET_VIEW, as_text, normalise
from notebooks import test_form as form

PNG, ALT = "iVBORw0KGgo=", "Ten digits in a row."
DESCRIBED = {"image/png": {"alt": ALT}}


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def shown(**changes):
    """A picture's output, or a widget's."""
    data = {"image/png": PNG, "text/plain": ALT} | changes
    return new_output("display_data", data, metadata=DESCRIBED)


def code(source, *outputs, **metadata):
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


def exercise():
    yield code("x", tags=["exercise-kl", "stub"])
    yield code("x", printed("not attempted yet"), tags=["exercise-kl", "check"])
    yield code("x", printed("✓ kl: passed."), tags=["exercise-kl", "solution"], jupyter={"source_hidden": True})


def closing():
    reading = "\n".join(f"- [Paper {k}](https://example.org/{k}) explains every step in turn." for k in range(3))
    folded = "<details><summary>Why?</summary>Because.</details>\n"
    yield new_markdown_cell("## What you did\n\n- You saw.\n- You wrote.")
    yield new_markdown_cell("## Recall\n\n" + 5 * folded)
    yield new_markdown_cell("## Further reading\n\n" + reading + "\n- Next: [01](01_autoencoder.ipynb)")


def made_notebook():
    """A notebook that keeps every rule; its cell 3 shows a picture and a widget."""
    cells = [
        new_markdown_cell("# A title"),
        new_markdown_cell("\n\n".join(f"{part}: 5" for part in form.OPENING)),
        new_markdown_cell("**Think** (2 min)\n\n**Exercise** (5 min)\n\n**Demo** (3 min)\n\n$$a$$"),
        code("x", printed("Dataset 'mnist'"), shown(), shown(**{"text/plain": "A slider moves z.", WIDGET_VIEW: {}})),
        *exercise(),
        *(new_markdown_cell("### Step\n\n" + 50 * "word ") for _ in range(35)),
        *(code("x") for _ in range(22)),
        *closing(),
    ]
    for count, cell in enumerate((cell for cell in cells if cell.cell_type == "code"), 1):
        cell.execution_count = count
    return normalise(new_notebook(cells=cells))


def write(source, cell):
    return lambda nb: nb.cells[cell].update(source=source)


def output(added):
    return lambda nb: nb.cells[3].outputs.append(added)


def change(role, **changes):
    return lambda nb: form.exercise_cells(nb, role)[0].update(changes)


def add(*cells):
    return lambda nb: nb.cells.extend(cells)


def keep(first, last):
    return lambda nb: nb.update(cells=nb.cells[first:last])


def without_tags(nb):
    for cell in nb.cells:
        cell.metadata.pop("tags", None)


def with_longer_code(nb):
    for cell in form.code_cells(nb):
        cell.source = 9 * "x\n"


def say(text, output):
    return lambda nb: nb.cells[3].outputs[output].data.update({"text/plain": text})


BREAKS = {
    form.test_it_starts_with_a_title: [write("A title", 0), keep(3, None)],
    form.test_it_opens_with_what_the_learner_will_do_learn_and_need_and_the_minutes: [write("**Minutes** 5", 1)],
    form.test_it_closes_with_what_the_learner_did: [write("## What you did\n\n- One.", -3), keep(0, -3)],
    form.test_it_closes_with_five_recall_questions_whose_answers_are_folded: [write("## Recall\n\nWhy?", -2)],
    form.test_it_closes_with_described_further_reading: [
        write("## Further reading\n\n" + 3 * "- [A paper](https://example.org)\n", -1),
        write("## Further reading\n\n- [A paper](https://example.org) explains every step in turn.", -1),
    ],
    form.test_no_markdown_stands_within_html_where_it_would_be_shown_as_it_is: [
        write("<details><summary>A hint</summary>Try `sum`.</details>", 2),
        write("<details><summary>A hint</summary>**Sum** it.</details>", 2),
        write("<details><summary>A hint</summary>See [01](01_autoencoder.ipynb).</details>", 2),
    ],
    form.test_it_has_50_to_120_cells: [keep(0, 49), lambda nb: nb.cells.extend(2 * nb.cells[:40])],
    form.test_it_has_between_1_3_and_1_9_markdown_cells_for_each_code_cell: [
        add(*(code("x") for _ in range(9))),
        add(*(new_markdown_cell("x") for _ in range(15))),
    ],
    form.test_its_code_cells_are_short: [
        with_longer_code,
        write(61 * "x\n", 3),
        add(*(code(31 * "x\n") for _ in range(4))),
    ],
    form.test_it_has_1500_to_3500_words: [write(2000 * "word ", -1), keep(0, 20)],
    form.test_its_file_has_at_most_600_kilobytes: [output(printed(600_000 * "x"))],
    form.test_its_breaks_say_how_many_minutes_they_take: [write("**Think** a while.", -1)],
    form.test_it_has_breaks_to_think_to_exercise_and_for_its_widgets_a_demo: [
        write("**Exercise** (5 min)\n\n**Demo** (3 min)", 2),
        write("**Think** (2 min)\n\n**Demo** (3 min)", 2),
        write("**Think** (2 min)\n\n**Exercise** (5 min)", 2),
    ],
    form.test_it_has_an_exercise: [without_tags],
    form.test_each_exercise_has_a_stub_then_a_check_then_a_solution: [
        change("stub", metadata={"tags": []}),
        lambda nb: nb.cells.insert(4, nb.cells.pop(6)),
        lambda nb: nb.cells.insert(4, nb.cells[4]),
    ],
    form.test_every_stub_check_and_solution_belongs_to_one_exercise: [change("check", metadata={"tags": ["check"]})],
    form.test_solutions_are_folded: [change("solution", metadata={"tags": ["exercise-kl", "solution"]})],
    form.test_the_check_of_an_untouched_stub_says_not_attempted_yet: [change("check", outputs=[])],
    form.test_the_solution_passes_its_check: [change("solution", outputs=[printed("not attempted yet")])],
    form.test_one_thing_has_one_name: [write("mu, log_var = encode(x)", 3)],
    form.test_it_imports_neither_stars_nor_pyplot: [
        write("import matplotlib.pyplot as plt", 3),
        write("from matplotlib import cm, pyplot", 3),
        write("from torch import *", 3),
    ],
    form.test_it_imports_the_package_before_torch: [
        write("import torch\n\nfrom vae_helpers import data", 3),
        write("from sklearn.decomposition import PCA\nfrom vae_helpers import data", 3),
    ],
    form.test_it_imports_from_the_package_or_from_the_door_of_a_room: [
        write("from vae_helpers.losses.kl import kl_full", 3),
    ],
    form.test_it_leaves_no_todo_and_silences_no_warning: [
        write("TODO: explain", 2),
        write("warnings.filterwarnings('ignore')", 3),
    ],
    form.test_it_has_no_empty_cell: [write(" \n", -1), add(code(""))],
    form.test_every_cell_knows_its_slide: [lambda nb: nb.cells[-1].metadata.clear()],
    form.test_display_maths_is_in_double_dollars_with_aligned: [
        write(r"\begin{align} a &= b \end{align}", 2),
        write(r"$$\begin{align} a &= b \end{align}$$", 2),
        write(r"\[ a = b \]", 2),
        write("$$ a = b $", 2),
    ],
    form.test_its_pictures_in_markdown_are_local_and_described: [
        write("![A net](https://example.org/net.png)", 2),
        write("![](../figures/net.svg)", 2),
    ],
    form.test_it_names_no_path_of_a_machine: [
        write("open('/home/ada/x')", 3),
        write(r"open('C:\\Users\\ada')", 3),
        output(printed("/".join(["in ", "tmp", "12.py"]))),
        output(printed("in ipykernel" + "_7")),
    ],
    form.test_it_is_a_valid_notebook_without_saved_widgets: [
        lambda nb: nb.metadata.update(widgets={}),
        lambda nb: nb.cells[1].update(id=nb.cells[0].id),
    ],
    form.test_it_was_executed_top_to_bottom: [
        lambda nb: nb.cells[3].update(execution_count=None),
        keep(4, None),
    ],
    form.test_it_was_executed_on_mnist: [lambda nb: nb.cells[3].outputs.pop(0)],
    form.test_no_cell_failed_or_wrote_to_stderr: [
        output(new_output("error", ename="ValueError", evalue="", traceback=[])),
        output(printed("50%", name="stderr")),
    ],
    form.test_no_cell_warned: [output(printed("UserWarning: beware"))],
    form.test_every_picture_is_a_png: [
        output(new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": ALT})),
        output(new_output("display_data", {"text/html": "<img src='a.png'>"})),
    ],
    form.test_every_picture_says_in_words_what_it_shows: [
        lambda nb: nb.cells[3].outputs[1].metadata.clear(),
        say("<Figure size 640x480 with 1 Axes>", 1),
    ],
    form.test_every_widget_leaves_a_sentence_and_a_still_picture: [
        say("VBox(children=(FloatSlider(value=0.0),))", 2),
        output(new_output("display_data", {WIDGET_VIEW: {}, "text/plain": "A slider moves z."})),
    ],
}
TESTS = [test for name, test in vars(form).items() if name.startswith("test_")]
CHECKS = [test for test in TESTS if list(inspect.signature(test).parameters) == ["nb"]]
BROKEN = [pytest.param(check, way, id=check.__name__) for check, ways in BREAKS.items() for way in ways]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_notebook_that_keeps_the_rules_passes(check):
    check(made_notebook())


@pytest.mark.parametrize(("check", "break_it"), BROKEN)
def test_a_notebook_that_breaks_the_rule_fails(check, break_it):
    nb = made_notebook()
    break_it(nb)
    with pytest.raises(AssertionError):
        check(nb)


def test_every_check_was_tried_on_a_notebook_that_breaks_it():
    assert set(BREAKS) == set(CHECKS)


def test_dead_links_are_found_in_markdown_and_in_html(tmp_path):
    (tmp_path / "there.md").touch()
    text = "[a](there.md#part) [b](https://example.org/x) [c](#part) ![d](gone.svg) <a href='lost.md'>e</a>"
    assert form.dead_links(text, tmp_path) == ["gone.svg", "lost.md"]


def test_normalise_keeps_tags_slides_and_folds_and_nothing_else():
    kept = {"tags": ["t"], "slideshow": {"slide_type": "notes"}, "jupyter": {"source_hidden": True}}
    nb = new_notebook(cells=[code("x", **kept, execution={"iopub.execute_input": "now"}, collapsed=True)])
    nb.metadata.update(widgets={"state": {}}, kernelspec={"name": "mine"}, language_info={"version": "3.99"})
    normal = normalise(nb)
    assert normal.cells[0].metadata == kept
    assert set(normal.metadata) == {"kernelspec", "language_info"}
    assert normal.metadata.kernelspec.name == "python3"
    assert normal.metadata.language_info == {"name": "python"}


def test_normalise_gives_each_cell_its_slide():
    cells = [new_markdown_cell(text) for text in ("# a", "## b", "### c", "d")]
    cells += [code("x"), code(16 * "x\n"), code("x", tags=["exercise-a", "stub"])]
    slides = [cell.metadata.slideshow.slide_type for cell in normalise(new_notebook(cells=cells)).cells]
    assert slides == ["slide", "slide", "subslide", "fragment", "fragment", "skip", "skip"]


def test_normalise_gives_missing_ids_and_keeps_the_others():
    nb = new_notebook()
    nb.cells = [new_markdown_cell("text", id=name) for name in ("mine", "none", "cell-001", "mine")]
    del nb.cells[1]["id"]
    assert [cell.id for cell in normalise(nb).cells] == ["mine", "cell-001-new", "cell-001", "cell-003"]


def test_normalise_joins_neighbouring_pieces_of_one_stream():
    pieces = [printed("a"), printed("b"), printed("c", name="stderr"), printed("d")]
    outputs = normalise(new_notebook(cells=[code("x", *pieces)])).cells[0].outputs
    assert [output.text for output in outputs] == ["ab", "c", "d"]


def test_normalise_leaves_the_still_picture_of_a_widget_and_a_mark():
    nb = new_notebook(cells=[code("x", shown(**{WIDGET_VIEW: {"model_id": "7"}}))])
    output = normalise(nb).cells[0].outputs[0]
    assert set(output.data) == {"image/png", "text/plain"}
    assert output.metadata == {**DESCRIBED, STILL_OF_A_WIDGET: True}


def test_the_normal_form_is_its_own_normal_form():
    nb = made_notebook()
    assert as_text(normalise(nb)) == as_text(nb)
