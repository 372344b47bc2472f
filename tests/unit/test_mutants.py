"""The tool that plants bugs: what it changes, what it leaves alone, and that a planted bug is caught."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.places import ROOT
from mutants import ROOMS, changes_of, files_of, mutants_of, places, plant

KL = Path("losses/kl.py")


def spoiled(source):
    """All that becomes of an expression or statement when one thing in it is changed."""
    (node,) = ast.parse(source).body
    node = node.value if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call) else node
    return {
        ast.unparse(ast.fix_missing_locations(change(ast.parse(source).body[0].value))) for change in changes_of(node)
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a + b", {"a - b"}),
        ("a < b", {"a <= b"}),
        ("a and b", {"a or b"}),
        ("-a", {"a"}),
        ("not a", {"a"}),
        ("a if b else c", {"c if b else a"}),
        ("3", {"4"}),
        ("0.5", {"1.0"}),
        ("0.0", {"1.0"}),
        ("True", {"False"}),
        ("'KL'", {"'KL?'"}),
    ],
)
def test_each_kind_of_change(source, expected):
    assert spoiled(source) == expected


def test_a_call_loses_a_keyword_or_its_line_or_has_its_arguments_exchanged():
    (line,) = ast.parse("f(a, b, c=1, d=2)").body
    changed = {ast.unparse(change(ast.parse("f(a, b, c=1, d=2)").body[0].value)) for change in changes_of(line.value)}
    assert changed == {"f(b, a, c=1, d=2)", "f(a, b, d=2)", "f(a, b, c=1)"}
    (left_out,) = changes_of(line)
    assert isinstance(left_out(line), ast.Pass)


def test_docstrings_annotations_decorators_imports_and_errors_are_left_alone():
    source = (
        '"""Doc."""\nimport a\n__all__ = ["b"]\n@c(1)\ndef f(x: d[2]) -> e[3]:\n    """Doc."""\n    raise E("words")\n'
    )
    assert not [node for _, node in places(ast.parse(source)) if isinstance(node, ast.Constant)]


def test_every_room_has_its_files_and_every_bug_is_another_program():
    assert all(files_of(room) for room in ROOMS)
    original = ast.unparse(ast.parse((ROOT / "vae_helpers" / KL).read_text("utf-8")))
    found = mutants_of(KL)
    assert len(found) > 40 and {mutant.room for mutant in found} == {"losses"}
    assert all(mutant.spoiled[0] != original and compile(mutant.spoiled[0], "kl", "exec") for mutant in found)


def test_the_bug_is_planted_into_a_copy(tmp_path):
    mutant = mutants_of(KL)[0]
    before = (ROOT / "vae_helpers" / KL).read_text("utf-8")
    plant(mutant, tmp_path)
    assert (tmp_path / "vae_helpers" / KL).read_text("utf-8") == mutant.spoiled[0]
    assert (ROOT / "vae_helpers" / KL).read_text("utf-8") == before
    assert (tmp_path / "vae_helpers" / "README.md").exists()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks on this system")
def test_a_bug_in_the_kl_is_caught():
    code = (
        "import mutants; from pathlib import Path; mutants.load_what_tests_need(); "
        "bug = next(m for m in mutants.mutants_of(Path('losses/kl.py')) if '  0.5  →' in str(m)); "
        "print(mutants.survives(bug, all_tests=False))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(ROOT / "tests")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
