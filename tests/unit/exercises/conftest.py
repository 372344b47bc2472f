"""For the tests of exercises: shapes and types are looked at in a quarter of the many that differ by their answer alone."""

from zlib import crc32

import pytest
from jaxtyping import config

ONE_OF = 4  # it halves their seconds; all of them: ONE_OF = 1


@pytest.fixture(autouse=True)
def types_of_a_quarter(request):
    """A test of its own has its types looked at; of a table's rows those which a hash of their names draws."""
    a_row = hasattr(request.node, "callspec")
    config.update("jaxtyping_disable", a_row and crc32(request.node.name.encode()) % ONE_OF > 0)
    yield
    config.update("jaxtyping_disable", False)
