"""The zoo on which evaluations are tested."""

import pytest

import wsbench


@pytest.fixture
def zoo(make_zoo) -> wsbench.Zoo:
    """30 models of 12 weights, epochs 0 to 6."""
    return wsbench.load_zoo(make_zoo(models=30, epochs=6))
