"""The package's own rules: imports point downward, modules and functions are short, what is public is documented."""

import ast
from pathlib import Path
from statistics import median

import pytest

import vae_helpers

ROOT = Path(vae_helpers.__file__).parent
FILES = {path.relative_to(ROOT).with_suffix("").as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
LEVELS = [
    {"plain", "checks", "takes", "glyphs", "idx_files", "downloads", "progress", "precision"}
    | {"parallel", "randomness", "stopping"},
    {"data"},
    {"losses", "ppca", "corruption", "walks", "latent"},
    {"likelihoods"},
    {"models"},
    {"history", "batches", "conditional", "checkpoint", "collapse"},
    {"run"},
    {"training"},
    {"binarized"},
    {"plotting", "evaluation"},
    {"widgets", "exercises", "train"},
]
LEVEL = {module: height for height, modules in enumerate(LEVELS) for module in modules}
FUNCTIONS = [
    pytest.param(node, id=f"{name}-{node.name}")
    for name, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef)
]
PUBLIC = [
    p for p in FUNCTIONS if not p.values[0].name.startswith("_") and p.values[0].name not in ("decorate", "checked")
]


def imported_modules(tree):
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.ImportFrom) and node.level), "relative imports hide where a name comes from"
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("vae_helpers") for alias in node.names), "import from the package"
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "vae_helpers":
            below = node.module.split(".")[1:]
            yield from [below[0]] if below else [alias.name for alias in node.names]


def of_module(name):
    return name.split("/")[0]


@pytest.mark.parametrize("name", [n for n in FILES if n != "__init__"])
def test_imports_point_downward(name):
    height = LEVEL[of_module(name)]
    others = {m for m in imported_modules(TREES[name]) if m != of_module(name)}
    assert all(LEVEL[m] <= height for m in others), others


def test_no_two_modules_import_each_other():
    edges = {(of_module(n), m) for n in FILES for m in imported_modules(TREES[n]) if m != of_module(n)}
    assert not [(a, b) for a, b in edges if (b, a) in edges]


@pytest.mark.parametrize("name", FILES)
def test_a_module_is_short_and_says_what_it_is_for(name):
    assert len(FILES[name].read_text("utf-8").splitlines()) <= 250
    assert ast.get_docstring(TREES[name])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_at_most_40_lines(function):
    assert function.end_lineno - function.lineno + 1 <= 40


def test_the_median_function_is_at_most_15_lines():
    assert median(p.values[0].end_lineno - p.values[0].lineno + 1 for p in FUNCTIONS) <= 15


@pytest.mark.parametrize("function", PUBLIC)
def test_a_public_function_has_a_docstring_and_type_hints(function):
    arguments = [a for a in (*function.args.args, *function.args.kwonlyargs) if a.arg != "self"]
    assert ast.get_docstring(function)
    assert function.returns is not None
    assert all(a.annotation is not None for a in arguments)
