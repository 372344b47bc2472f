"""Plant small bugs in the package, one at a time, and see which of them its tests miss: a tool, not a test.

    python tests/mutants.py                              # 11 bugs in each room but exercises, each room's own tests
    python tests/mutants.py --rooms plotting train --each 20 --seed 3
    python tests/mutants.py --all-tests                  # what its room lets pass meets all other unit tests too

Each bug is one change of the syntax tree: a number, a sign, a comparison, a word that is shown, arguments exchanged, a
line left out. It is written into a copy of the package, and a fork of this process runs pytest against the copy, the
tests named after the file first. Forks need Linux or macOS. What survives is either something that no test sees, or no
bug at all ("equivalent"): read each one.
"""

import argparse
import ast
import importlib
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vae_helpers"
UNIT = Path("tests", "unit")
ROOMS = (
    "validation",
    "data",
    "losses",
    "models",
    "training",
    "evaluation",
    "plotting",
    "widgets",
    "train",
    "exercises",
)
TESTS = {
    "validation": ["test_bad_input_by_kind.py", "test_bad_input.py", "test_signatures.py"],
    "data": ["data", "test_bad_input_by_kind.py"],
    "plotting": ["test_drawings.py", "test_plotting.py"],
    "train": ["test_train_options.py", "test_train.py"],
}
SLOWEST = 120  # seconds of a processor for the tests of one bug; what takes longer has been noticed
OPPOSITE = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult},
    **{ast.Pow: ast.Mult, ast.MatMult: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.Mod: ast.Mult},
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And},
}
Change = Callable[[ast.AST], ast.AST | None]  # of a node: what takes its place


@dataclass
class Mutant:
    """One bug: the file, the way to the node that is spoiled, and what is done to it."""

    file: Path
    path: tuple
    change: Change

    @property
    def room(self) -> str:
        return self.file.parts[0].removesuffix(".py")

    @cached_property
    def spoiled(self) -> tuple[str, str]:
        """The source of the whole file with the bug, and the bug in a line."""
        tree = parent = ast.parse((PACKAGE / self.file).read_text("utf-8"))
        *way, (name, i) = self.path
        for step, k in way:
            parent = getattr(parent, step) if k is None else getattr(parent, step)[k]
        node = getattr(parent, name) if i is None else getattr(parent, name)[i]
        before = _in_a_line(node)
        new = ast.fix_missing_locations(ast.copy_location(self.change(node), node))
        if i is None:
            setattr(parent, name, new)
        else:
            getattr(parent, name)[i] = new
        return ast.unparse(tree), f"{self.file}:{node.lineno}  {before}  →  {_in_a_line(new)}"

    def __str__(self) -> str:
        return self.spoiled[1]


def _in_a_line(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:90]


def changes_of(node: ast.AST) -> Iterator[Change]:
    """The ways to spoil one node; each is handed a copy of it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float, str)):
        yield lambda n: ast.Constant(another(n.value))
    if isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in OPPOSITE:
        yield lambda n: with_field(n, op=OPPOSITE[type(n.op)]())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPPOSITE:
        yield lambda n: with_field(n, ops=[OPPOSITE[type(n.ops[0])](), *n.ops[1:]])
    if isinstance(node, ast.UnaryOp):
        yield lambda n: n.operand
    if isinstance(node, ast.IfExp):
        yield lambda n: with_field(n, body=n.orelse, orelse=n.body)
    if isinstance(node, (ast.If, ast.While)):
        yield lambda n: with_field(n, test=ast.UnaryOp(ast.Not(), n.test))
    if isinstance(node, ast.Call) and len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args):
        yield lambda n: with_field(n, args=[n.args[1], n.args[0], *n.args[2:]])
    for i in range(len(node.keywords) if isinstance(node, ast.Call) else 0):
        yield lambda n, i=i: with_field(n, keywords=n.keywords[:i] + n.keywords[i + 1 :])
    if isinstance(node, (ast.Expr, ast.AugAssign)):
        yield lambda n: ast.Pass()


def another(value: bool | int | float | str) -> bool | int | float | str:
    """Another constant of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return f"{value}?"
    return value + 1 if isinstance(value, int) else 2 * value + (value == 0)


def with_field(node: ast.AST, **fields: object) -> ast.AST:
    """The node, some of its parts replaced."""
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def places(node: ast.AST, path: tuple = ()) -> Iterator[tuple[tuple, ast.AST]]:
    """Every node that runs, and the way to it: no docstring, annotation, import, decorator or text of an error."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for i, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(child, (ast.Import, ast.ImportFrom, ast.Raise)):
                continue
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue
            if isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) == "__all__":
                continue
            yield (*path, (name, i)), child
            yield from places(child, (*path, (name, i)))


def mutants_of(file: Path) -> list[Mutant]:
    """Every bug that can be planted in a file of the package."""
    tree = ast.parse((PACKAGE / file).read_text("utf-8"))
    return [Mutant(file, path, change) for path, node in places(tree) for change in changes_of(node)]


def files_of(room: str) -> list[Path]:
    """A room's files, but its door."""
    every = [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").exists() else sorted((PACKAGE / room).rglob("*.py"))
    return [path.relative_to(PACKAGE) for path in every if path.name != "__init__.py"]


def tests_of(mutant: Mutant) -> list[str]:
    """The tests of a mutant's room, those named after its file first."""
    own = list((ROOT / UNIT / mutant.room).rglob(f"test_{mutant.file.stem}.py"))
    return [*map(str, own), *(str(ROOT / UNIT / name) for name in TESTS.get(mutant.room, [mutant.room]))]


def plant(mutant: Mutant, folder: Path) -> None:
    """A copy of the package in ``folder``, with the bug."""
    shutil.copytree(PACKAGE, folder / "vae_helpers", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "vae_helpers" / mutant.file).write_text(mutant.spoiled[0], "utf-8")


def run_tests(folder: Path, tests: list[str]) -> int:
    """Pytest's exit status against the copy of the package in ``folder``, in a fork; not 0 where it took too long."""
    child = os.fork()
    if child == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (SLOWEST, SLOWEST))
        os.environ |= {"PYTHONPATH": str(folder), "VAE_CACHE": str(folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.path.insert(0, str(folder))
        sys.dont_write_bytecode = True
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1), os.dup2(silence, 2)
        import pytest

        first = ["-o", f"pythonpath={folder} tests ."]  # before the package that stands beside the tests
        os._exit(
            pytest.main([*first, "-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist", *tests])
        )
    end = time.monotonic() + 10 * SLOWEST  # for one that waits for ever
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 124


def survives(mutant: Mutant, all_tests: bool) -> bool:
    """Whether the tests pass with the bug planted."""
    with tempfile.TemporaryDirectory() as folder:
        plant(mutant, Path(folder))
        passed = run_tests(Path(folder), tests_of(mutant)) == 0
        return passed and (not all_tests or run_tests(Path(folder), [str(ROOT / UNIT)]) == 0)


def load_what_tests_need() -> None:
    """Import once, before the forks, what takes long; nothing of the package."""
    libraries = "torch torchvision matplotlib.figure scipy.stats sklearn.decomposition ipywidgets hypothesis jaxtyping"
    for name in ("pytest", *libraries.split()):
        importlib.import_module(name)
    sys.modules["torch"].set_num_threads(1)
    assert not [name for name in sys.modules if name.startswith("vae_helpers")]


def table(results: dict[str, list[tuple[Mutant, bool]]]) -> str:
    """Rooms, how many bugs each met, how many were caught; below, what survived."""
    lines = ["| room | planted | caught |", "|---|---|---|"]
    lines += [f"| {room} | {len(met)} | {sum(not s for _, s in met)} |" for room, met in results.items()]
    every = [pair for met in results.values() for pair in met]
    lines += [f"| **all** | {len(every)} | {sum(not s for _, s in every)} |", ""]
    return "\n".join([*lines, *(f"- {mutant}" for mutant, survived in every if survived)])


def main() -> None:
    """Draw the sample, plant each, print what came of it and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", nargs="+", choices=ROOMS, default=ROOMS[:-1])
    parser.add_argument("--each", type=int, default=11, help="bugs a room (11)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--all-tests", action="store_true", help="also run all other unit tests on what its room missed"
    )
    asked = parser.parse_args()
    os.chdir(ROOT)
    load_what_tests_need()
    results = {}
    for room in asked.rooms:
        every = [mutant for file in files_of(room) for mutant in mutants_of(file)]
        drawn = random.Random(f"{asked.seed} {room}").sample(every, min(asked.each, len(every)))
        results[room] = []
        for mutant in drawn:
            start, survived = time.monotonic(), survives(mutant, asked.all_tests)
            results[room].append((mutant, survived))
            print(f"{'SURVIVED' if survived else 'caught  '} {time.monotonic() - start:5.0f} s  {mutant}", flush=True)
    print("\n" + table(results))


if __name__ == "__main__":
    main()
