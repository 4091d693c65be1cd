"""A zoo of the user's cache, for benchmarks."""

import pytest

import wsbench
from wsbench.zoo.schema import ZOO_FILE

_USER_HOME = wsbench.home()  # at import, before a fixture gives every test a home of its own


def built_zoo(zoo_id):
    """The zoo, if it has been built in ``WSBENCH_HOME``; otherwise the test is skipped."""
    folder = _USER_HOME / "zoos" / zoo_id
    if not (folder / ZOO_FILE).exists():
        pytest.skip(f"{zoo_id} is not built in WSBENCH_HOME")
    return wsbench.load_zoo(folder)
