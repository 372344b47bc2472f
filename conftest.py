"""For all tests, notebooks included: a quiet environment, cores shared out, the longest files first.

A notebook stops at its first failure.
"""

import os
from collections import Counter

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # before torch loads: idle threads of several kernels must not spin
if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):  # pytest -n: each kernel gets its share
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
os.environ["VAE_RECORD"] = "off"  # no test, and no notebook that is run as one, writes into a learner's record
os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
os.environ["JUPYTER_PLATFORM_DIRS"] = "1"

import pytest
from nbval.plugin import IPyNbCell

from helpers.longest_first import first_of_all, seconds_of

A_SLOW_ONE = 200  # tests, in seconds
FIRST_FAILURE = pytest.StashKey[str]()


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> None:
    """Remember the first cell of a notebook that failed."""
    if isinstance(item, IPyNbCell) and call.excinfo and not call.excinfo.errisinstance(pytest.skip.Exception):
        item.parent.stash.setdefault(FIRST_FAILURE, item.name)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the cells after it: they would only fail for its sake. A kernel about to start hears its notebook's name."""
    if isinstance(item, IPyNbCell) and FIRST_FAILURE in item.parent.stash:
        pytest.skip(f"not run: {item.parent.stash[FIRST_FAILURE]} of {item.parent.name} failed")
    if isinstance(item, IPyNbCell):
        os.environ["VAE_NOTEBOOK"] = item.path.stem


def pytest_configure(config: pytest.Config) -> None:
    """Let xdist deal files out in the order below, not in that of how many tests they hold."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes must not begin last, on one core alone: notebooks first, then browsers, files of many tests.

    These two by turns: a browser waits for much of its time, and what computes beside it has the cores then.
    """
    tests = Counter(item.path for item in items for _ in range(A_SLOW_ONE if item.get_closest_marker("slow") else 1))
    kind = {
        item.path: 0 if isinstance(item, IPyNbCell) else 1 if item.path.parent.name == "browser" else 2
        for item in items
    }
    length = {path: tests[path] if kind[path] else seconds_of(path) for path in tests}
    longest_first = sorted(tests, key=lambda path: (not first_of_all(path), -length[path]))
    rank = {path: k for one in range(3) for k, path in enumerate(p for p in longest_first if kind[p] == one)}
    items.sort(key=lambda item: (kind[item.path] > 0, rank[item.path], kind[item.path]))
