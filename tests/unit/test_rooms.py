"""The house rules: imports point one way, from room to room; files and functions are short; what is public says so."""

import ast
from pathlib import Path
from statistics import median

import vae_helpers

import pytest

ROOT = Path(vae_helpers.__file__).parent
FILES = {path.relative_to(ROOT).with_suffix("").as_posix(): path for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
FLOORS = [  # a room imports from floors above its own in this list only
    {"validation"},
    {"data"},
    {"losses"},
    {"models"},
    {"training"},
    {"evaluation"},
    {"plotting"},
    {"widgets", "exercises"},
    {"train", "doctor"},
]
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
DOORS = [name for name in FILES if name.endswith("/__init__")]
FUNCTIONS = [
    pytest.param(node, id=f"{name}-{node.name}")
    for name, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef)
]
PUBLIC = [
    p for p in FUNCTIONS if not p.values[0].name.startswith("_") and p.values[0].name not in ("decorate", "checked")
]


def imported(tree):
    """What a file imports from the package: a room, "losses", a file, "losses/kl", or a name, "losses/kl_full"."""
    for node in ast.walk(tree):
        assert not (isinstance(node, ast.ImportFrom) and node.level), "relative imports hide where a name comes from"
        if isinstance(node, ast.Import):
            assert not any(alias.name.startswith("vae_helpers") for alias in node.names), "import from the package"
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "vae_helpers":
            yield from ("/".join([*node.module.split(".")[1:], alias.name]) for alias in node.names)


def handed_out(door):
    """The names that a door re-exports."""
    return {path.rpartition("/")[2] for path in imported(TREES[door])} if door in TREES else set()


def room_of(name):
    return name.split("/")[0]


def files_imported(name):
    """The package's files behind the imports of a file; a name that a room's door hands out counts as the door."""
    for path in imported(TREES[name]):
        places = [path, f"{path}/__init__", path.rpartition("/")[0], f"{path.rpartition('/')[0]}/__init__"]
        yield next(place for place in places if place in FILES)


def test_the_rooms_are_those_of_the_house():
    assert {room_of(name) for name in FILES} - {"__init__"} == set(FLOOR)


def test_nothing_lies_outside_a_room_but_the_command_line_and_the_pictures():
    assert {name for name in FILES if "/" not in name} == {"__init__", "plotting", "train"}


@pytest.mark.parametrize("name", [n for n in FILES if n != "__init__"])
def test_imports_point_one_way(name):
    own = room_of(name)
    others = {room_of(path) for path in imported(TREES[name])} - {own}
    assert all(FLOOR[room] < FLOOR[own] for room in others), others


def test_no_file_imports_one_that_leads_back_to_it():
    edges = {name: set(files_imported(name)) for name in FILES}
    while ends := [name for name, targets in edges.items() if not targets & edges.keys()]:
        for name in ends:
            del edges[name]
    assert not edges


@pytest.mark.parametrize("name", FILES)
def test_from_another_room_a_name_is_taken_at_the_door_where_the_door_has_it(name):
    for path in imported(TREES[name]):
        room, last = room_of(path), path.rpartition("/")[2]
        elsewhere = path.count("/") > 1 and room != room_of(name)
        assert not elsewhere or last not in handed_out(f"{room}/__init__"), path


@pytest.mark.parametrize("door", DOORS)
def test_a_door_says_what_the_room_is_and_hides_no_file(door):
    assert ast.get_docstring(TREES[door])
    functions = {n.name for tree in TREES.values() for n in tree.body if isinstance(n, ast.FunctionDef)}
    files = {name.rpartition("/")[2] for name in FILES if name.rpartition("/")[0] == door.removesuffix("/__init__")}
    assert not files & handed_out(door) & functions


@pytest.mark.parametrize("name", [n for n in FILES if not n.endswith("__init__") and "/nb" not in n])
def test_the_guide_names_every_file_in_the_row_of_its_room(name):
    room, *place = name.split("/")
    guide = (ROOT / "README.md").read_text("utf-8").splitlines()
    row = next(line for line in guide if line.startswith((f"| `{room}` |", f"| `{room}.py` |")))
    assert all(f"`{part}`" in row or f"`{part}/`" in row for part in place)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_short_and_says_what_it_is_for(name):
    assert len(FILES[name].read_text("utf-8").splitlines()) <= 250
    assert ast.get_docstring(TREES[name])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_at_most_40_lines(function):
    assert function.end_lineno - function.lineno + 1 <= 40


def test_the_median_function_is_at_most_15_lines():
    assert median(p.values[0].end_lineno - p.values[0].lineno + 1 for p in FUNCTIONS) <= 15


@pytest.mark.parametrize("function", PUBLIC)
def test_a_public_function_has_a_docstring_and_type_hints(function):
    arguments = [a for a in (*function.args.args, *function.args.kwonlyargs) if a.arg not in ("self", "cls")]
    assert ast.get_docstring(function)
    assert function.returns is not None
    assert all(a.annotation is not None for a in arguments)
