"""Run the cells of one notebook in a fresh process, on the CPU or a pretended GPU, training cut to a few steps.

    python tests/gpu/one_notebook.py notebooks/05_vae.ipynb [cpu | cuda | mps] [shift of seeds] [last cell]

Each epoch of ``fit`` is two batches long; a loop of the notebook's own over gradients goes round a few times.

The last line printed is a list, in JSON, of the cells that raised: [number, type of the error, what it says, the assert
statement that failed or None].
"""

import ast
import contextlib
import io
import json
import linecache
import os
import sys
import tempfile
import time
import traceback
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("MPLBACKEND", "agg")

from vae_helpers import data, exercises
from vae_helpers.training.batches import Batches

import nbformat
import torch

from pretended_gpu.entry import pretended_gpu

BATCHES_AN_EPOCH, IMAGES, TEST_IMAGES, ROUNDS = 2, 10_500, 1_000, 5
MORE_OFTEN = "PASSES"  # how much more often 11 goes over few images than over many, in a loop of its own


def cut_training():
    """Each epoch of ``fit`` ends after a few batches; the glyphs are fewer."""
    whole, glyphs = Batches.__init__, data.load_glyphs

    def begin(self, x, y, batch_size, *more):
        n = BATCHES_AN_EPOCH * batch_size
        whole(self, x[:n], None if y is None else y[:n], batch_size, *more)

    def fewer(device="cpu", n=IMAGES, n_test=TEST_IMAGES, seed=0):
        return glyphs(device, n, n_test, seed)

    Batches.__init__ = begin
    data.dataset.load_glyphs = data.load_glyphs = fewer


class FewRounds(ast.NodeTransformer):
    """Loops that ask for gradients end after ``ROUNDS`` rounds."""

    def visit_For(self, node):
        self.generic_visit(node)
        names = [n.attr for part in node.body for n in ast.walk(part) if isinstance(n, ast.Attribute)]
        if "backward" in names:
            few = ast.parse(f"__import__('itertools').islice(None, {ROUNDS})", mode="eval").body
            few.args[0] = node.iter
            node.iter = ast.fix_missing_locations(ast.copy_location(few, node.iter))
        return node


def shift_seeds(by):
    """Other chance than the notebook's."""
    seed = torch.manual_seed
    torch.manual_seed = lambda number: seed(number + by)


def show(value):
    """What a notebook does with a cell's last value."""
    if value is not None:
        getattr(value, "_repr_mimebundle_", lambda: repr(value))()


def run_cell(source, name, namespace):
    """Run a cell, its output thrown away; a name as if of a file, so that tracebacks and ``inspect`` find its lines."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    tree = FewRounds().visit(ast.parse(source, name))
    ends_in_value = bool(tree.body) and isinstance(tree.body[-1], ast.Expr)
    last = tree.body.pop() if ends_in_value else None
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(tree, name, "exec"), namespace)
        if last is not None:
            show(eval(compile(ast.Expression(last.value), name, "eval"), namespace))


def failed_assert(error, source, name):
    """The statement that failed, if it is an assert of the cell's own; else None."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    if not isinstance(error, AssertionError) or last.filename != name:
        return None
    asserts = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    return next((ast.unparse(a.test) for a in asserts if a.lineno <= last.lineno <= a.end_lineno), None)


def record_verdicts(errors):
    """Keep what checks say where an answer raised: a cell only shows it."""
    judge = exercises.check

    def check(exercise_id, answer):
        verdict = judge(exercise_id, answer)
        if verdict.status == "error":
            errors.append(verdict.message)
        return verdict

    exercises.check = check


def failures(path, last):
    """The cells of a notebook that raise, but for those that are meant to, and those whose check meets an error."""
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    failed, verdicts = [], []
    record_verdicts(verdicts)
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
        if cell.cell_type != "code" or number > last:
            continue
        started, name = time.process_time(), f"<{path.stem}, cell {number}>"
        try:
            run_cell(cell.source, name, vars(main))
        except Exception as error:
            if "raises-exception" not in cell.metadata.get("tags", []):
                says = str(error)[:500]
                failed.append((number, type(error).__name__, says, failed_assert(error, cell.source, name)))
        failed += [(number, "Verdict", verdicts.pop(), None) for _ in list(verdicts)]
        if hasattr(main, MORE_OFTEN):
            setattr(main, MORE_OFTEN, 1)
        if time.process_time() - started > 3:
            print(number, f"{time.process_time() - started:.1f} s", file=sys.stderr)
    return failed


def main():
    path, device, shift, last = [*sys.argv[1:], *("cpu", "0", "9999")[len(sys.argv) - 2 :]]
    path = Path(path).resolve()
    os.chdir(path.parent)
    torch.set_num_threads(1)
    cut_training()
    shift_seeds(int(shift))
    with tempfile.TemporaryDirectory() as cache, contextlib.ExitStack() as until_the_end:
        os.environ |= {"VAE_CACHE": cache, "VAE_DATA": ""}
        if device != "cuda":  # which is taken by itself, but not by processes that a cell begins
            os.environ["VAE_DEVICE"] = device
        os.environ |= dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
        if device != "cpu":
            until_the_end.enter_context(pretended_gpu(device))
        found = failures(path, int(last))
        print(f"{path.stem}: {time.process_time():.0f} s of computing", file=sys.stderr)
        print(json.dumps(found))


if __name__ == "__main__":
    main()
