"""Every notebook on the pretended GPU, on the glyphs, its training cut to a few steps; each in a process of its own.

So little training misses what the notebooks claim of it. An assert is forgiven that the CPU misses too, in that cell,
at these lengths; by chance, which is another on a GPU, it may take other seeds. ``missed.json`` keeps those that are
known to, so that the CPU need not run them each time: ``python tests/gpu/missed.py`` writes it. Everything else that a
cell raises counts, and an answer that raises within a check.
"""

import pytest
from gpu.missed import failures, missed, without_the_missed

from helpers.longest_first import seconds_of
from helpers.places import EVERY_NOTEBOOK
from pretended_gpu.private import missing

LONGEST_FIRST = sorted(EVERY_NOTEBOOK, key=seconds_of, reverse=True)


@pytest.mark.slow
@pytest.mark.skipif(bool(missing()), reason=f"this release of PyTorch lacks {', '.join(missing())}")
@pytest.mark.parametrize("path", LONGEST_FIRST, ids=[path.stem for path in LONGEST_FIRST])
def test_a_notebook_runs_on_a_gpu(path, capsys):
    known, found = missed().get(path.stem, ()), failures(path, "cuda")
    assert all(kind == "AssertionError" for kind, *_ in found.values()), found
    new = sorted(said[2] or str(n) for n, said in found.items() if said[2] not in known)
    assert not without_the_missed(path, found, known)
    if new:
        with capsys.disabled():
            print(f"\npython tests/gpu/missed.py notebooks/{path.name} would save minutes: {new}")
