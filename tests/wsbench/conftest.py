"""A process that may not write."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


@pytest.fixture
def without_privileges() -> Callable[[], object]:
    """A context in which this process may write only where every user may, even if it is root."""

    @contextmanager
    def context() -> Iterator[None]:
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(user)

    return context
