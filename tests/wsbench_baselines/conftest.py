"""Checkpoints with made-up weights."""

import numpy as np
import pytest

import wsbench

LAYOUT = wsbench.Layout.of(
    [("a", (4, 6), ("hidden-1", "input")), ("b", (3, 4), ("output", "hidden-1"))], "sigmoid"
)


@pytest.fixture
def checkpoints() -> wsbench.Checkpoints:
    """40 checkpoints of 36 weights, not centred."""
    weights = np.random.default_rng(0).normal(size=(40, 36)) * np.linspace(3, 0.1, 36) + 1
    return wsbench.Checkpoints(weights.astype(np.float32), LAYOUT)
