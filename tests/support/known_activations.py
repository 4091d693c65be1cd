"""Checkpoints whose activations on the probe inputs are known."""

import numpy as np

import wsbench


def answering(activations):
    """Checkpoints of one linear layer that answer (n, u, m) activations to the m unit vectors."""
    n, u, m = activations.shape
    layout = wsbench.Layout.of([("w", (u, m), ("output", "input"))], "identity")
    weights = activations.reshape(n, -1).astype(np.float32)
    return wsbench.Checkpoints(weights, layout, probe_inputs=np.eye(m, dtype=np.float32))


def three_of_six_dead():
    """Six checkpoints of 30-10-10-3; the last hidden layer of the first three is dead.

    It sees .5 from every dead unit of the first and varies only in its last digits.
    """
    layout = wsbench.Layout.of(
        [
            ("a", (10, 30), ("hidden-1", "input")),
            ("b", (10, 10), ("hidden-2", "hidden-1")),
            ("c", (3, 10), ("output", "hidden-2")),
        ],
        "sigmoid",
    )
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(6, layout.n_parameters)).astype(np.float32)
    weights[:3, :300] = 0
    inputs = rng.random((101, 30), np.float32)
    return wsbench.Checkpoints(weights, layout, probe_inputs=inputs)


def rotating():
    """(12, 1, 200) activations that turn by smaller and smaller angles, as training does."""
    angles = np.pi / 4 * (1 - np.exp(-np.arange(12) / 4))
    a, b = np.random.default_rng(0).normal(size=(2, 1, 200))
    return np.cos(angles)[:, None, None] * a + np.sin(angles)[:, None, None] * b
