"""Relevance: whether the nearest of each checkpoint are of its model, one bit for each.

2,500 queries with 49 places each take 17.5 kB a condition, so that every checkpoint is a query.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.metrics import retrieval
from wsbench.seeding import generator
from wsbench.tasks.ground_truth import GroundTruth, Rows, expect_shape
from wsbench.tasks.score import mean


def neighbours(
    distances: npt.NDArray[np.float64], truth: GroundTruth, shown_order: Rows, seed: int
) -> Rows:
    """Return the nearest rows of every row, ``(n, R)``, R the largest number to be found.

    Parameters
    ----------
    distances
        ``(n, n)``, of rows in the order in which the method saw them.
    truth
        Labels.
    shown_order
        The row of `truth` that each row of the distances is, ``(n,)``.
    seed
        For ties.
    """
    n, r = len(shown_order), int(truth.n_relevant.max())
    rng = generator(seed, "ties", "nearest")
    found = retrieval.nearest(distances, r, own=np.arange(n), rng=rng)
    by_row: Rows = shown_order[found][np.argsort(shown_order)]
    return by_row


def packed(neighbours: Rows, truth: GroundTruth) -> npt.NDArray[np.uint8]:
    """Return whether each of the nearest is of the row's model, eight to a byte."""
    return np.packbits(truth.model[neighbours] == truth.model[:, None], axis=1)


def unpacked(bits: npt.NDArray[np.uint8], truth: GroundTruth) -> npt.NDArray[np.bool_]:
    """Return what `packed` packed, ``(n, R)``."""
    return np.unpackbits(bits, axis=1, count=int(truth.n_relevant.max())).astype(bool)


def check(name: str, bits: npt.NDArray[Any], truth: GroundTruth) -> None:
    """Raise `ValueError` for bits that no distances give."""
    if bits.dtype != np.uint8:
        raise ValueError(f"{name}: got {bits.dtype}, expected uint8")
    r = int(truth.n_relevant.max())
    expect_shape(name, bits, (len(truth.model), -(-r // 8)))
    if np.unpackbits(bits, axis=1)[:, r:].any():
        raise ValueError(f"{name}: expected {r} bits of each row, and zeros after them")
    if (unpacked(bits, truth).sum(axis=1) > truth.n_relevant).any():
        raise ValueError(f"{name}: more are of a row's model than the model has")


def chance(truth: GroundTruth) -> float:
    """Return the MAP@R that random distances have on average."""
    expected = retrieval.expected_precision_at_r(truth.n_relevant, len(truth.model) - 1)
    return mean(retrieval.model_means(expected, truth.model, truth.n_relevant))


def precision_by_model(bits: npt.NDArray[np.uint8], truth: GroundTruth) -> npt.NDArray[np.float64]:
    """Return MAP@R of each model, models ascending, ``(n_models,)``."""
    precision = retrieval.average_precision_at_r(unpacked(bits, truth), truth.n_relevant)
    return retrieval.model_means(precision, truth.model, truth.n_relevant)
