"""Every notebook has the form the course promises: its parts, sizes, breaks, exercises, names, outputs.

Each check is a test of one notebook, `nb`; test_tools.py tries it on a notebook that breaks it.
"""

import re
from collections import Counter
from statistics import median

import nbformat
import pytest

from execute import STILL_OF_A_WIDGET, WIDGET_VIEW, as_text, is_normal, read
from helpers.cells import markdown_of
from helpers.places import COURSE, EVERY_NOTEBOOK, ROOT

TEXTS = [text for folder in (".", "tests", "vae_helpers") for text in sorted((ROOT / folder).glob("*.md"))]
PAGES = [*EVERY_NOTEBOOK, *TEXTS]

OPENING = ("**You will do**", "**You will learn**", "**You need**", "**Minutes**")
ROLES = ["stub", "check", "solution"]
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes"}  # Deck mode never shows a "-"
MINUTES = r" \((?:\d+–)?\d+ min\)"
MACHINE_PATH = re.compile(r"(?<![\w.-])/(?:home|root|tmp|work|Users)/|[A-Z]:\\+Users|ipykernel_")
SECOND_NAMES = re.compile(r"\b(?:log_var|logvar_|sigma_hat|z_log_var|recon_x)\b")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")
HTML_LINK = re.compile(r"""<(?:a|img)\b[^>]*\b(?:href|src)=["']([^"']+)""")


@pytest.fixture(params=COURSE, ids=lambda path: path.stem)
def nb(request):
    return read(request.param)


# What a notebook holds


def prose_of(nb):
    """The markdown as one text, without what is shown as code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", "\n\n".join(markdown_of(nb)), flags=re.S)


def code_cells(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def code_of(nb):
    return "\n".join(cell.source for cell in code_cells(nb))


def outputs_of(nb):
    return [output for cell in code_cells(nb) for output in cell.outputs]


def text_of(output):
    """All that an output says in words."""
    texts = [text for mime, text in output.get("data", {}).items() if mime.startswith("text/")]
    return "\n".join([output.get("text", ""), *texts, *output.get("traceback", [])])


def said_by(cell):
    return "\n".join(map(text_of, cell.outputs))


def pictures_of(nb):
    return [output for output in outputs_of(nb) if "image/png" in output.get("data", {})]


def is_widget(output):
    return WIDGET_VIEW in output.get("data", {}) or STILL_OF_A_WIDGET in output.metadata


def widgets_of(nb):
    return [output for output in outputs_of(nb) if "data" in output and is_widget(output)]


def section(nb, heading):
    """The text below a heading, up to the next one of its level."""
    found = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", "\n\n".join(markdown_of(nb)), re.M | re.S)
    assert found, f"there is no heading '## {heading}'"
    return found[1]


def items(text):
    """The items of the lists in a text."""
    return re.split(r"^(?:[-*]|\d+\.) ", text, flags=re.M)[1:]


def words(text):
    """The words of markdown: neither its formulas nor its tags nor the targets of its links count."""
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]*\$|</?[a-z][^>]*>|\]\([^)]*\)", " ", text, flags=re.S)
    return re.findall(r"[^\W\d_][\w'’-]*", text)


def lengths_of_code(nb):
    return [sum(bool(line.strip()) for line in cell.source.splitlines()) for cell in code_cells(nb)]


def exercises_of(nb):
    """The cells of each exercise, by its tag."""
    found = {}
    for cell in nb.cells:
        for tag in cell.metadata.get("tags", []):
            if tag.startswith("exercise-"):
                found.setdefault(tag, []).append(cell)
    return found


def roles_of(cell):
    return [role for role in ROLES if role in cell.metadata.get("tags", [])]


def exercise_cells(nb, role):
    return [cell for cell in nb.cells if role in roles_of(cell)]


def described(item):
    """Whether an item of a list has a link and says in some words what one finds there."""
    return bool(LINK.search(item)) and len(words(LINK.sub("", item))) >= 4


# Its parts


def test_it_starts_with_a_title(nb):
    assert nb.cells[0].cell_type == "markdown"
    assert nb.cells[0].source.startswith("# ")


def test_it_opens_with_what_the_learner_will_do_learn_and_need_and_the_minutes(nb):
    opening = "\n".join(cell.source for cell in nb.cells[:3] if cell.cell_type == "markdown")
    assert not [part for part in OPENING if part not in opening]


def test_it_closes_with_what_the_learner_did(nb):
    assert len(items(section(nb, "What you did"))) >= 2


def test_it_closes_with_five_recall_questions_whose_answers_are_folded(nb):
    recall = section(nb, "Recall")
    assert (recall.count("<details>"), recall.count("<summary>"), recall.count("</details>")) == (5, 5, 5)


def test_it_closes_with_described_further_reading(nb):
    reading = [item for item in items(section(nb, "Further reading")) if ".ipynb)" not in item]
    assert len(reading) >= 3
    assert not [item for item in reading if not described(item)], "an item needs a link and a description"


def test_no_markdown_stands_within_html_where_it_would_be_shown_as_it_is(nb):
    """CommonMark: a line that begins with a tag, and all up to the next empty line, is HTML."""
    blocks = [block for text in markdown_of(nb) for block in re.split(r"\n\s*\n", text) if block.startswith("<")]
    assert not [block for block in blocks if re.search(r"`|\*\*|\]\(|\$", block)]


# Its sizes


def test_it_has_50_to_120_cells(nb):
    assert 50 <= len(nb.cells) <= 120


def test_it_has_between_1_3_and_1_9_markdown_cells_for_each_code_cell(nb):
    assert 1.3 <= len(markdown_of(nb)) / len(code_cells(nb)) <= 1.9


def test_its_code_cells_are_short(nb):
    lengths = lengths_of_code(nb)
    assert median(lengths) <= 8
    assert sum(length <= 30 for length in lengths) >= 0.9 * len(lengths)
    assert max(lengths) <= 60


def test_it_has_1500_to_3500_words(nb):
    assert 1500 <= len(words(prose_of(nb))) <= 3500


def test_its_file_has_at_most_600_kilobytes(nb):
    assert len(as_text(nb).encode()) <= 600_000


# Its breaks and exercises


def test_its_breaks_say_how_many_minutes_they_take(nb):
    breaks = re.findall(r"^\*\*(?:Think|Exercise|Demo)\*\*.*", prose_of(nb), re.M)
    assert not [line for line in breaks if not re.match(r"\*\*\w+\*\*" + MINUTES, line)]


def test_it_has_breaks_to_think_to_exercise_and_for_its_widgets_a_demo(nb):
    breaks = Counter(re.findall(r"^\*\*(Think|Exercise|Demo)\*\*" + MINUTES, prose_of(nb), re.M))
    assert breaks["Think"] >= 1
    assert breaks["Exercise"] >= max(1, len(exercises_of(nb)))
    assert breaks["Demo"] >= bool(widgets_of(nb))


def test_it_has_an_exercise(nb):
    assert exercises_of(nb)


def test_each_exercise_has_a_stub_then_a_check_then_a_solution(nb):
    for tag, cells in exercises_of(nb).items():
        assert [roles_of(cell) for cell in cells] == [[role] for role in ROLES], tag


def test_every_stub_check_and_solution_belongs_to_one_exercise(nb):
    for cell in nb.cells:
        of_exercises = [tag for tag in cell.metadata.get("tags", []) if tag.startswith("exercise-")]
        assert len(of_exercises) == len(roles_of(cell)), cell.source


def test_solutions_are_folded(nb):
    for cell in exercise_cells(nb, "solution"):
        assert cell.metadata.get("jupyter", {}).get("source_hidden") is True, cell.source


def test_the_check_of_an_untouched_stub_says_not_attempted_yet(nb):
    for cell in exercise_cells(nb, "check"):
        assert "not attempted yet" in said_by(cell), cell.source


def test_the_solution_passes_its_check(nb):
    for cell in exercise_cells(nb, "solution"):
        assert said_by(cell).rstrip().endswith(": passed."), cell.source


# Its names and habits


def test_one_thing_has_one_name(nb):
    assert not SECOND_NAMES.findall(code_of(nb))


def test_it_imports_neither_stars_nor_pyplot(nb):
    assert not re.search(r"import \*|import matplotlib\.pyplot|from matplotlib import .*\bpyplot\b", code_of(nb))


def test_it_imports_the_package_before_torch(nb):
    """The package's __init__ is the place for what must be set before torch loads."""
    source = "\n".join(cell.source for cell in code_cells(nb))
    loaded = re.findall(r"^\s*(?:from|import) (vae_helpers|torch|sklearn)\b", source, re.M)
    assert loaded[:1] in ([], ["vae_helpers"])


def test_it_imports_from_the_package_or_from_the_door_of_a_room(nb):
    assert not [cell.source for cell in code_cells(nb) if re.search(r"\bvae_helpers\.\w+\.\w", cell.source)]


def test_it_leaves_no_todo_and_silences_no_warning(nb):
    for cell in nb.cells:
        assert not re.search(r"\bTODO\b|\bfilterwarnings\b", cell.source), cell.source


def test_it_has_no_empty_cell(nb):
    assert all(cell.source.strip() for cell in nb.cells)


def test_every_cell_knows_its_slide(nb):
    assert {cell.metadata.get("slideshow", {}).get("slide_type") for cell in nb.cells} <= SLIDE_TYPES


def test_display_maths_is_in_double_dollars_with_aligned(nb):
    between = re.split(r"\$\$", prose_of(nb))
    assert len(between) % 2, "a $$ is missing"
    outside = "".join(between[::2])
    assert not re.findall(r"\\begin\{(?:align|aligned|equation|gather)\*?\}|(?<!\\)\\\[", outside)
    assert not re.findall(r"\\begin\{(?:align|equation)\*?\}", "".join(between[1::2])), "use aligned"


def test_its_pictures_in_markdown_are_local_and_described(nb):
    assert not re.findall(r"!\[[^\]]*\]\(http|<img[^>]*src=.http|!\[\s*\]\(", prose_of(nb))


def test_it_names_no_path_of_a_machine(nb):
    for text in [*(cell.source for cell in nb.cells), *map(text_of, outputs_of(nb))]:
        assert not MACHINE_PATH.search(text), text


# Its saved outputs


def test_it_is_a_valid_notebook_without_saved_widgets(nb):
    assert len({cell.id for cell in nb.cells}) == len(nb.cells)
    nbformat.validate(nb)
    assert "widgets" not in nb.metadata


def test_it_was_executed_top_to_bottom(nb):
    counts = [cell.execution_count for cell in code_cells(nb)]
    assert counts == list(range(1, len(counts) + 1))


def test_it_was_executed_on_mnist(nb):
    said = "\n".join(map(text_of, outputs_of(nb)))
    assert "Dataset 'mnist'" in said
    assert "NO NETWORK" not in said


def test_no_cell_failed_or_wrote_to_stderr(nb):
    assert not [o for o in outputs_of(nb) if o.output_type == "error" or o.get("name") == "stderr"]


def test_no_cell_warned(nb):
    assert not [text for text in map(text_of, outputs_of(nb)) if "Warning" in text]


def test_every_picture_is_a_png(nb):
    for output in outputs_of(nb):
        data = output.get("data", {})
        assert not [mime for mime in data if mime.startswith("image/") and mime != "image/png"]
        assert "image/png" in data or not re.search(r"<(?:img|svg|canvas)\b", data.get("text/html", ""))


def test_every_picture_says_in_words_what_it_shows(nb):
    for output in pictures_of(nb):
        alt = output.metadata.get("image/png", {}).get("alt", "")
        assert alt.strip(), "a picture without alt text"
        assert is_widget(output) or output.data.get("text/plain") == alt


def test_every_widget_leaves_a_sentence_and_a_still_picture(nb):
    for output in widgets_of(nb):
        sentence = output.data.get("text/plain", "")
        assert "image/png" in output.data, sentence
        assert len(words(sentence)) >= 4, sentence
        assert not re.match(r"\w+\(", sentence) and "<" not in sentence, sentence


# All files


@pytest.mark.parametrize("path", EVERY_NOTEBOOK, ids=lambda path: path.stem)
def test_it_is_saved_in_normal_form(path):
    assert is_normal(path), f"run: python tests/execute.py {path.relative_to(ROOT)}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_to_a_file(path):
    text = prose_of(read(path)) if path.suffix == ".ipynb" else path.read_text("utf-8")
    assert not dead_links(text, path.parent)


def dead_links(text, folder):
    """The targets of the links in a text that are files, and not there."""
    targets = {target.split("#")[0] for target in LINK.findall(text) + HTML_LINK.findall(text)}
    files = {target for target in targets if target and not re.match(r"[a-z]+:", target)}
    return sorted(target for target in files if not (folder / target).exists())
