"""One notation everywhere: names in code, units on axes, spellings, minutes, and links from notebook to notebook."""

import ast
import re

import pytest

from execute import read
from helpers.places import COURSE, EVERY_NOTEBOOK, ROOT

MODULES = sorted([*(ROOT / "vae_helpers").rglob("*.py"), *(ROOT / "figures").glob("*.py")])
README = (ROOT / "README.md").read_text("utf-8")
START = COURSE[0]

# The name of a thing, and second names that it must not have. (log_sigma is none of logvar's: it is half of it.)
ONE_NAME = {
    "logvar": {"log_var", "log_variance", "log_sigma2", "logsigma2", "logsigma_sq", "z_log_var", "z_logvar", "lv"},
    "mu": {"z_mean", "mean_z", "z_mu", "mu_z"},
    "sigma": {"std", "stddev", "std_dev", "z_std", "sigma_z"},
    "sigma_noise": {"noise_std", "noise_sigma", "noise_level", "noise_factor", "sigma_n"},
    "sigma_x": {"sigma_dec", "sigma_decoder", "x_sigma", "sigma_obs"},
    "eps": {"epsilon"},
    "x_hat": {"recon_x", "x_recon", "recon", "x_reconstructed", "x_rec", "xhat"},
    "x_noisy": {"x_tilde", "noisy_x", "x_corrupted", "corrupted_x"},
    "x_logits": {"recon_logits", "logits_x", "x_logit"},
    "x_bin": {"x_binary", "x_binarized", "binarized_x", "bin_x"},
    "latent_dim": {"latent_size", "latent_dims", "z_dim", "dim_z", "n_latent", "code_dim", "code_size"},
    "kl": {"kld", "KLD", "kl_div", "kl_loss", "kl_divergence_loss"},
}
OF_OTHERS = re.compile(r"loss_\d+")  # notebook 09 shows programs in the words of ten other people
MEASURED_IN_NATS = re.compile(r"ELBO|\bKL\b|\bNLL\b|\bloss\b|log p|\brate\b|distortion|likelihood")


def trees_of(path):
    """The syntax trees of a module, or of a notebook's code cells."""
    if path.suffix == ".py":
        return [ast.parse(path.read_text("utf-8"))]
    return [ast.parse(cell.source) for cell in read(path).cells if cell.cell_type == "code"]


def bound_names(node):
    """The names that code gives: variables, arguments, attributes. Programs of others are passed over."""
    if isinstance(node, ast.FunctionDef) and OF_OTHERS.fullmatch(node.name):
        return
    if isinstance(node, ast.arg):
        yield node.arg
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.id if isinstance(node, ast.Name) else node.attr
    for child in ast.iter_child_nodes(node):
        yield from bound_names(child)


def second_names(names):
    """Those that have another name in this course, with that name."""
    return {name: one for name in names for one, others in ONE_NAME.items() if name in others}


def axis_labels(tree):
    """The texts of all keyword arguments xlabel and ylabel, and of set_xlabel and set_ylabel."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        labels = [keyword.value for keyword in call.keywords if keyword.arg in ("xlabel", "ylabel")]
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("set_xlabel", "set_ylabel"):
            labels += call.args[:1]
        yield from ("".join(texts_in(label)) for label in labels)


def texts_in(node):
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def without_unit(labels):
    return [label for label in labels if MEASURED_IN_NATS.search(label) and "nats" not in label]


def prose_of(path):
    cells = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    return "\n\n".join(cells)


def table_rows(text, column):
    """A table's cells in one column, by the number of the notebook that its row names."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    numbered = [(re.match(r"[\[`]+(\d\d)[ _]", cells[0]), cells) for cells in rows]
    return {number[1]: cells[column] for number, cells in numbered if number}


# Names


@pytest.mark.parametrize("path", [*MODULES, *EVERY_NOTEBOOK], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_thing_has_the_same_name_everywhere(path):
    names = {name for tree in trees_of(path) for name in bound_names(tree)}
    assert not second_names(names), "left, the name found; right, the course's"


def test_a_second_name_would_be_found_and_a_program_of_others_passed_over():
    told = "def loss(model, log_var): std = 1\ndef loss_4(x): kld = 2\nfor z_dim in x: model.epsilon = 3"
    assert second_names(bound_names(ast.parse(told))) == {
        "log_var": "logvar",
        "std": "sigma",
        "z_dim": "latent_dim",
        "epsilon": "eps",
    }


def test_every_code_name_of_the_notation_table_is_in_use():
    table = next(cell.source for cell in read(START).cells if cell.source.startswith("| symbol | code |"))
    listed = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[2])}
    used = {name for path in [*MODULES, *COURSE] for tree in trees_of(path) for name in bound_names(tree)}
    assert listed >= {"x", "x_hat", "z", "mu", "logvar", "eps", "sigma_x", "sigma_noise", "kl", "beta"}
    assert listed <= used


# Units


@pytest.mark.parametrize("path", [*MODULES, *EVERY_NOTEBOOK], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_an_axis_that_shows_a_loss_says_nats(path):
    assert not without_unit(label for tree in trees_of(path) for label in axis_labels(tree))


def test_a_loss_without_its_unit_would_be_found():
    told = 'axis.set(xlabel="epoch", ylabel="−ELBO")\naxis.set_ylabel(f"KL of {name} (nats)")\naxis.set_xlabel("rate")'
    assert without_unit(axis_labels(ast.parse(told))) == ["−ELBO", "rate"]


# Spellings


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_terms_are_spelled_one_way(path):
    prose = re.sub(r"\[[^]]*\]\(http[^)]*\)", "", prose_of(path))  # titles are spelled as their authors did
    assert not re.findall(r"[Rr]e-?parametri[sz]\w*|[Rr]e-parameteri\w*|[Rr]eparameteris\w*", prose)
    assert not re.findall(r"\b[Bb]inaris\w*|\bde-nois\w*|\bauto-?[Ee]n-coder\w*|\bauto-encoders?\b", prose)
    assert not re.findall(r"Kullback(?!–Leibler)[^|\n]{0,20}", prose)
    assert not re.findall(r"\bgray\b|\bcolors?\b|\bbehavior\b|\bneighbor", re.sub(r"`[^`]*`|\]\([^)]*\)", "", prose))


# Minutes


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_minutes_of_reading_are_the_same_in_the_notebook_and_in_00(path):
    said = re.search(r"\*\*Minutes\*\* about (\d+) to read", prose_of(path))[1]
    assert table_rows(prose_of(START), 2)[path.stem[:2]] == said


# From notebook to notebook


@pytest.mark.parametrize("index", range(len(COURSE)), ids=lambda index: COURSE[index].stem)
def test_each_notebook_ends_with_links_to_the_one_before_and_the_next(index):
    last = prose_of(COURSE[index]).splitlines()[-1]
    before = re.search(r"Before: \[\d\d, [^]]+\]\(([^)]+)\)\.", last)
    after = re.search(r"Next: \[\d\d, [^]]+\]\(([^)]+)\)\.", last)
    expected = [COURSE[k].name if 0 <= k < len(COURSE) else None for k in (index - 1, index + 1)]
    assert [found and found[1] for found in (before, after)] == expected


@pytest.mark.parametrize("index", range(len(COURSE) - 1), ids=lambda index: COURSE[index].stem)
def test_each_notebooks_experiments_lead_on_to_the_next(index):
    experiments = prose_of(COURSE[index]).split("\n## What you did")[0]
    second_half = experiments[len(experiments) // 2 :]
    assert f"]({COURSE[index + 1].name})" in second_half


@pytest.mark.parametrize("path", [*COURSE, *MODULES, ROOT / "README.md"], ids=lambda path: path.stem)
def test_every_notebook_that_is_named_exists(path):
    text = prose_of(path) if path.suffix == ".ipynb" else path.read_text("utf-8")
    named = re.findall(r"\b[Nn]otebooks? \[?(\d\d)\b", text) + re.findall(
        r"\b[Nn]otebooks .{0,60}?\band \[?(\d\d)\b", text
    )
    assert set(named) <= {notebook.stem[:2] for notebook in COURSE}


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_link_says_the_number_of_the_notebook_it_leads_to(path):
    links = re.findall(r"\[(?:[Nn]otebook )?(\d\d)\b[^]]*\]\((\d\d)_\w+\.ipynb\)", prose_of(path))
    assert all(said == led for said, led in links)


def test_the_readme_lists_every_notebook_in_order():
    assert list(table_rows(README, 0)) == [path.stem[:2] for path in COURSE]
