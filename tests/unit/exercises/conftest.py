"""For the tests of exercises: of some long tables, shapes and types are looked at in one row of eight."""

from zlib import crc32

import pytest
from jaxtyping import config

ONE_OF = 8  # looking at them takes more than half of a check's seconds; all rows: ONE_OF = 1


@pytest.fixture
def types_in_one_row_of_eight(request):
    """For rows that call what others call as well: their names, hashed, say in which of them types are looked at."""
    config.update("jaxtyping_disable", crc32(request.node.name.encode()) % ONE_OF > 0)
    yield
    config.update("jaxtyping_disable", False)
