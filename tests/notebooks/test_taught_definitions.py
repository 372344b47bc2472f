"""What a notebook teaches is what the package does: one definition, docstrings and annotations aside."""

import ast
import difflib
import functools
import re

import pytest

from execute import read
from helpers.places import EVERY_NOTEBOOK, ROOT

MODULES = sorted((ROOT / "vae_helpers").rglob("*.py"))
TAUGHT = {
    "01_autoencoder": ["mlp"],  # the rest is the learner's (unit/exercises/test_nb01.py)
    "02_denoising_autoencoder": [
        "choose_pixels",
        "masking",
        "gaussian",
        "salt_and_pepper",
        "WideAutoencoder",
        "denoising_loss",
    ],
    "03_elbo": ["kl_on_grid", "elbo_on_grid", "log_evidence_on_grid", "posterior", "linear_gaussian_elbo"],
    "04_reparameterization_and_kl": [
        "reparameterize",
        "kl_normal",
        "kl_full",
        "kl_diagonal",
        "kl_to_standard_normal",
        "kl_to_class_mean",
        "LinearVAE",
        "gaussian_nll",
        "linear_vae_loss",
    ],
    "05_vae": ["VAE", "Bernoulli", "vae_loss", "reparameterize", "bernoulli_nll", "kl_to_standard_normal"],
    "06_likelihood": ["Gaussian", "GaussianPerPixel", "SmoothVAE", "binarized_loss"],  # the weights are the learner's
    "07_latent_space": ["kl_per_dimension"],  # the rest is the learner's (unit/exercises/test_nb07.py)
    "08_conditional_vae": [
        "join_label",
        "ConditionalVAE",
        "ClassPriorVAE",
        "conditional_vae_loss",
        "class_prior_loss",
    ],
}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Bare(ast.NodeTransformer):
    """Strips docstrings, annotations and decorators from definitions, however deep."""

    def visit_FunctionDef(self, node):
        node.returns = None
        return self.visit_ClassDef(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        node.decorator_list = []
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_AnnAssign(self, node):
        return ast.Assign([node.target], node.value, lineno=node.lineno) if node.value else None


def bare(definition):
    return Bare().visit(definition)


def definitions(source):
    """The classes and functions at the top level of a source, stripped: pairs of a name and a syntax tree."""
    return [(node.name, bare(node)) for node in ast.parse(source).body if isinstance(node, DEFINITIONS)]


def python_of(cell):
    """The source of a code cell without lines for IPython or the shell."""
    return re.sub(r"^[%!?].*$", "", cell.source, flags=re.M)


def taught_in(notebook):
    """What a notebook defines, but for its exercises."""
    cells = [cell for cell in read(notebook).cells if cell.cell_type == "code"]
    shown = [cell for cell in cells if not {"stub", "solution"} & set(cell.metadata.get("tags", []))]
    return [definition for cell in shown for definition in definitions(python_of(cell))]


@functools.cache
def packaged():
    """What the package defines: the syntax trees of each name, and the modules they are in."""
    found = {}
    for module in MODULES:
        for name, tree in definitions(module.read_text("utf-8")):
            found.setdefault(name, []).append((tree, module.relative_to(ROOT).as_posix()))
    return found


def same(one, other):
    return ast.dump(one) == ast.dump(other)


def difference(in_notebook, in_package, notebook, module):
    lines = [ast.unparse(ast.fix_missing_locations(tree)).splitlines() for tree in (in_package, in_notebook)]
    return "\n".join(difflib.unified_diff(*lines, fromfile=module, tofile=notebook, lineterm=""))


@pytest.mark.parametrize("notebook", EVERY_NOTEBOOK, ids=lambda path: path.stem)
def test_what_a_notebook_defines_is_what_the_package_defines(notebook):
    package = packaged()
    for name, tree in taught_in(notebook):
        others = package.get(name, [])
        if others and not any(same(tree, other) for other, _ in others):
            pytest.fail("\n".join(difference(tree, other, notebook.name, module) for other, module in others))


@pytest.mark.parametrize("notebook", TAUGHT)
def test_what_the_course_promises_to_teach_is_written_in_its_notebook(notebook):
    taught = dict(taught_in(ROOT / "notebooks" / f"{notebook}.ipynb"))
    assert not [name for name in TAUGHT[notebook] if name not in taught]
    assert not [name for name in TAUGHT[notebook] if name not in packaged()]


KL = "def kl(mu, logvar):\n    return -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()"
NET = "class Net(Module):\n    def __init__(self, d):\n        self.d = d"


def tree_of(source):
    ((_, tree),) = definitions(source)
    return tree


@pytest.mark.parametrize(
    "other",
    [
        KL.replace("- mu**2", "+ mu**2"),
        KL.replace("-0.5", "0.5"),
        KL.replace(".sum()", ".mean()"),
        KL.replace("mu, logvar)", "mu, logvar=0)"),
        KL.replace("kl(mu, logvar)", "kl(logvar, mu)"),
    ],
)
def test_one_changed_sign_factor_name_or_default_is_a_difference(other):
    assert not same(tree_of(KL), tree_of(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (KL, KL.replace(":\n", ':\n    """In nats."""\n')),
        (KL, KL.replace("mu, logvar):", "mu: Tensor, logvar: Tensor) -> Tensor:")),
        (KL, "@torch.no_grad()\n" + KL),
        (KL, KL.replace("    return", "    # in nats\n\n    return")),
        (NET, NET.replace("(self, d):", "(self, d: int) -> None:")),
        (NET, NET.replace("self.d = d", "self.d: int = d")),
        (
            NET,
            "@final\n" + NET.replace("    def", '    """A network."""\n    d: int\n\n    @checked\n    def'),
        ),
        ("class E(Exception):\n    pass", 'class E(Exception):\n    """An error."""'),
    ],
)
def test_docstrings_annotations_decorators_and_comments_are_no_difference(one, other):
    assert same(tree_of(one), tree_of(other))


def test_a_difference_is_shown_line_by_line():
    shown = difference(tree_of(KL.replace("- mu**2", "+ mu**2")), tree_of(KL), "05_vae.ipynb", "losses.py")
    assert "-    return -0.5 * (1 + logvar - mu ** 2 - logvar.exp()).sum()" in shown
    assert "+    return -0.5 * (1 + logvar + mu ** 2 - logvar.exp()).sum()" in shown
