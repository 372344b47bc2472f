"""Signatures give the shapes of tensors, tests check them, and one decorator meets what a learner hands over."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_origin

import vae_helpers
from vae_helpers import data, evaluation, exercises, losses, models, plotting, training, validation, widgets
from vae_helpers.validation import looks, tensors

import numpy as np
import pytest
import torch
from jaxtyping import Float, TypeCheckError
from torch import Tensor

FILES = sorted(Path(vae_helpers.__file__).parent.rglob("*.py"))
TREES = {path: ast.parse(path.read_text("utf-8")) for path in FILES}
ROOMS = [data, evaluation, exercises, losses, models, plotting, training, widgets]
ANYTHING_GOES = {
    "exercises.diagnose_vae",
    "exercises.examine",
    "training.NotFiniteError",
}  # what they are handed becomes a finding or a verdict
ROWS, IMAGES, LABELS = torch.zeros(5, 3), torch.zeros(5, 1, 28, 28, dtype=torch.uint8), torch.arange(5)


def public_functions():
    """Every public function of the package, and every public method, beside its name."""
    for found in pkgutil.walk_packages(vae_helpers.__path__, "vae_helpers."):
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != found.name:
                continue
            if inspect.isfunction(value):
                yield f"{found.name}.{name}", value
            elif inspect.isclass(value):
                yield from ((f"{found.name}.{name}.{m}", f) for m, f in vars(value).items() if is_public(m, f))


def is_public(name, value):
    return inspect.isfunction(value) and (name == "__init__" or not name.startswith("_"))


def without_a_shape(annotation):
    """Whether an annotation speaks of a tensor or an array, and gives no shape; a function's own are its affair."""
    if get_origin(annotation) is Callable:
        return False
    return annotation in (Tensor, np.ndarray) or any(without_a_shape(part) for part in get_args(annotation))


FUNCTIONS = dict(public_functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_tensor_in_a_signature_has_its_shape(name):
    signature = inspect.signature(FUNCTIONS[name])
    annotations = {p.name: p.annotation for p in signature.parameters.values()}
    annotations["return"] = signature.return_annotation
    assert not [name for name, annotation in annotations.items() if without_a_shape(annotation)]


def handed_out():
    """The definitions of what the rooms hand to a notebook: functions, and the ``__init__`` of classes."""
    for room in ROOMS:
        names = set(getattr(room, "__all__", vars(room)))
        for tree in (TREES[path] for path in FILES if room.__name__.split(".")[1] in (*path.parts, path.stem)):
            for node in tree.body:
                if getattr(node, "name", None) in names and not node.name.startswith("_"):
                    inits = [n for n in getattr(node, "body", []) if getattr(n, "name", None) == "__init__"]
                    for function in inits if isinstance(node, ast.ClassDef) else [node]:
                        yield pytest.param(function, id=f"{room.__name__.split('.')[1]}.{node.name}")


@pytest.mark.parametrize("function", list(handed_out()))
def test_what_a_notebook_calls_says_in_words_what_its_annotations_do_not_allow(function, request):
    takes = [a for a in ast.walk(function.args) if isinstance(a, ast.arg) and a.arg != "self"]
    if takes and request.node.callspec.id not in ANYTHING_GOES:
        assert "validated" in [ast.unparse(decorator) for decorator in function.decorator_list]


def test_there_is_one_kind_of_validation():
    """Every decorator in the package, by name: one that asks, two that name what it asks for, others."""
    used = {
        ast.unparse(decorator).split("(")[0]
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        for decorator in node.decorator_list
    }
    others = {
        "classmethod",
        "property",
        "cached_property",
        "cache",
        "lru_cache",
        "contextmanager",
        "dataclass",
        "functools.wraps",
    }
    assert used == {"validated", "Condition", "named", "in_float32", "torch.no_grad", *others}


@pytest.mark.parametrize(
    "call",
    [
        lambda: data.Dataset("glyphs", IMAGES, LABELS[:4], IMAGES, LABELS),
        lambda: data.Dataset("glyphs", IMAGES.float(), LABELS, IMAGES, LABELS),
        lambda: training.history.RunningLoss().add((1.0, 2.0), 5),
    ],
    ids=["two sizes for a name", "another type", "no Loss"],
)
def test_types_and_shapes_are_checked_in_this_process(call):
    with pytest.raises(TypeCheckError):
        call()


CASES = {
    "a number, exactly": (Float[Tensor, " n 3"], ROWS, ROWS.T, r"shape \(n, 3\), got \(3, 5\)"),
    "any size": (Float[Tensor, " _ _"], ROWS, ROWS[0], r"shape \(_, _\), got \(3,\)"),
    "any number of axes before the last": (Float[Tensor, " *n 3"], ROWS[None], ROWS.T, r"shape \(…, 3\)"),
    "any number of axes after the first": (Float[Tensor, " 5 ..."], ROWS[..., None], ROWS.T, r"shape \(5, …\)"),
    "a number alone": (Float[Tensor, ""], ROWS[0, 0], ROWS[0], r"shape \(\), got \(3,\)"),
    "an expression of the arguments": (Float[Tensor, " n {k+1}"], ROWS, ROWS.T, r"shape \(n, 3\) for this model"),
}


@pytest.mark.parametrize(("annotation", "right", "wrong", "message"), CASES.values(), ids=CASES.keys())
def test_a_shape_is_read_as_jaxtyping_reads_it(annotation, right, wrong, message):
    def function(x, k=2):
        return x

    function.__annotations__ = {"x": annotation}
    checked = validation.validated(function)
    assert checked(right, k=2) is right
    with pytest.raises(ValueError, match=message):
        checked(wrong, k=2)


class OnAGPU:
    """Labels that say they lie on a GPU; looked at, they are out of range."""

    device = torch.device("cuda")

    def numel(self):
        return 5

    def min(self):
        return torch.tensor(0)

    def max(self):
        return torch.tensor(99)


def test_labels_on_a_gpu_are_looked_at_but_not_in_a_step_of_fit():
    look, look_in_a_step = (inspect.unwrap(c.check) for c in (tensors.labels, tensors.labels_in_a_step))
    with looks.looked_at():
        look_in_a_step(OnAGPU(), "y", {})
    with pytest.raises(ValueError, match="labels from 0 to 9, but runs from 0 to 99"):
        look(OnAGPU(), "y", {})
    of_fit = inspect.signature(training.fit).parameters["y"].annotation
    assert get_args(of_fit)[0].dtype is validation.Labels


def of_three(a: Float[Tensor, " *#n d"], b: Float[Tensor, " *#n d"], *more: validation.Labels[Tensor, " d"]):
    return a


def test_axes_of_one_name_are_of_one_size_and_those_that_may_broadcast_do():
    checked = validation.validated(of_three)
    y = torch.arange(3)
    checked(ROWS, ROWS[0], y)
    checked(ROWS[:1], ROWS, y, y)
    with pytest.raises(ValueError, match=r"of_three: b must have shape \(5, 3\), to go with a, got \(2, 3\)"):
        checked(ROWS, ROWS[:2], y)
    with pytest.raises(ValueError, match=r"more must have shape \(3,\), to go with a, got \(5,\)"):
        checked(ROWS, ROWS, y, torch.arange(5))
    with pytest.raises(TypeError, match="of_three: more is missing"):
        checked(ROWS, ROWS)
