"""Retrieval metrics: quality of a ranking of checkpoints by distance.

A row found is relevant if it is of the query's model. A query without relevant rows scores 0, and
`model_means` leaves it out.
"""

import numpy as np
from numpy.typing import NDArray

from wsbench.metrics.distances import row_blocks
from wsbench.typing import Doubles, Indices, Integers, Reals


def nearest(
    distances: Reals,
    n_nearest: int,
    *,
    rng: np.random.Generator,
    own: Integers | None = None,
) -> NDArray[np.int32]:
    """Find the nearest columns of each row.

    Parameters
    ----------
    distances
        Finite, ``(n_queries, n)``.
    n_nearest
        Number of columns to find.
    rng
        Decides between equal distances: their order in a row of the result, and which of them are
        left out at its end.
    own
        The column of the query itself, which is left out, ``(n_queries,)``; None if it has none.

    Returns
    -------
    ndarray
        Indices of columns, ``(n_queries, n_nearest)``, int32, by ascending distance.

    Examples
    --------
    >>> distances = np.abs(np.subtract.outer([0.0, 1.0, 3.0], [0.0, 1.0, 3.0]))
    >>> nearest(distances, 1, own=np.arange(3), rng=np.random.default_rng(0)).ravel()
    array([1, 0, 1], dtype=int32)
    """
    found = np.empty((len(distances), n_nearest), np.int32)
    if n_nearest > 0:
        for rows in row_blocks(len(distances)):
            block = distances[rows].copy()
            if own is not None:
                block[np.arange(len(block)), own[rows]] = np.inf
            found[rows] = _nearest_in_rows(block, n_nearest, rng)
    return found


def _nearest_in_rows(block: Reals, n_nearest: int, rng: np.random.Generator) -> Indices:
    # argpartition would choose among ties at the cut by where they stand. The value at the cut
    # does not depend on the order, nor does what lies at or below it: too many rows, where there
    # are ties, so that some of the tied ones are dropped at random.
    farthest = np.partition(block, n_nearest - 1, axis=1)[:, n_nearest - 1 : n_nearest]
    chosen = block <= farthest
    surplus = chosen.sum(axis=1) - n_nearest
    for i in np.flatnonzero(surplus):
        tied = np.flatnonzero(block[i] == farthest[i])
        chosen[i, rng.choice(tied, surplus[i], replace=False)] = False
    columns = np.nonzero(chosen)[1].reshape(len(block), n_nearest)
    values = np.take_along_axis(block, columns, axis=1)
    ascending = np.lexsort((rng.random(values.shape), values), axis=1)
    by_distance: Indices = np.take_along_axis(columns, ascending, axis=1)
    return by_distance


def average_precision_at_r(relevant: NDArray[np.bool_], n_relevant: Integers) -> Doubles:
    """Compute the average precision at R of every query; its mean is MAP@R.

    With R the number of rows to be found, P(i) the precision among the i nearest and rel(i)
    whether the i-th is of the query's model, it is 1/R · Σ P(i) · rel(i) over i = 1 … R (Musgrave,
    Belongie and Lim 2020, arXiv 2003.08505). 1 only if the R nearest are the R relevant.

    Parameters
    ----------
    relevant
        Whether each of the nearest rows is relevant, ``(n_queries, at least the largest R)``.
    n_relevant
        R of each query, ``(n_queries,)``.

    Returns
    -------
    ndarray
        In [0, 1], ``(n_queries,)``; 0 for a query with R = 0, which `model_means` leaves out.

    Examples
    --------
    >>> relevant = np.array([[True, False], [False, True], [False, False], [True, True]])
    >>> average_precision_at_r(relevant, np.array([2, 2, 0, 2]))
    array([0.5 , 0.25, 0.  , 1.  ])
    """
    rank = np.arange(1, relevant.shape[1] + 1)
    counted = relevant & (rank <= n_relevant[:, None])
    precision = np.cumsum(counted, axis=1) / rank
    scores: Doubles = np.sum(precision * counted, axis=1) / np.maximum(n_relevant, 1)
    return scores


def expected_precision_at_r(n_relevant: Integers, n_ranked: int) -> Doubles:
    """Compute the average precision at R that a random ranking has on average.

    The i-th of N rows is relevant with probability R/N, and then each of the i − 1 before it with
    (R − 1)/(N − 1). So 1/R · Σ P(i) · rel(i) is H/N + (R − H) · (R − 1) / (N · (N − 1)) on average,
    with H = 1 + 1/2 + … + 1/R.

    Parameters
    ----------
    n_relevant
        R of each query, ``(n_queries,)``.
    n_ranked
        N, the number of rows among which they are.

    Returns
    -------
    ndarray
        In [0, 1], ``(n_queries,)``; 0 for a query with R = 0, which `model_means` leaves out.

    Examples
    --------
    >>> expected_precision_at_r(np.array([1, 2, 4]), 4)
    array([0.25      , 0.41666667, 1.        ])
    """
    relevant = np.asarray(n_relevant, np.float64)
    sums = np.cumsum(np.r_[0.0, 1 / np.arange(1, np.max(n_relevant, initial=0) + 1)])[n_relevant]
    pairs = max(1, n_ranked * (n_ranked - 1))
    expected: Doubles = sums / n_ranked + (relevant - sums) * (relevant - 1) / pairs
    return expected


def true_positive_rate(
    positives: NDArray[np.number], negatives: NDArray[np.number], false_positive_rate: float
) -> float:
    """Compute the share of positives accepted at a given rate of accepted negatives.

    A case is accepted if its distance is below a threshold, the highest one at which no more than
    this share of the negatives is accepted.

    Parameters
    ----------
    positives, negatives
        Distances, or their ranks, ``(n_positives,)`` and ``(n_negatives,)``.
    false_positive_rate
        In [0, 1).

    Examples
    --------
    >>> true_positive_rate(np.array([1, 2, 5, 9]), np.array([4, 6, 7, 8]), 0.25)
    0.75
    """
    n_accepted = int(false_positive_rate * len(negatives))
    threshold = np.sort(negatives)[n_accepted]
    return float(np.mean(positives < threshold))


def model_means(values: Reals, labels: Integers, n_relevant: Integers) -> Doubles:
    """Average the values of each model's queries, except queries without relevant rows.

    Parameters
    ----------
    values
        One per query, ``(n_queries,)``.
    labels
        The model of each query, ``(n_queries,)``.
    n_relevant
        Number of relevant rows, ``(n_queries,)``.

    Returns
    -------
    ndarray
        One mean per model that has such a query, by ascending label.

    Examples
    --------
    >>> model_means(np.array([1.0, 0.0, 0.5]), np.array([3, 1, 3]), np.array([1, 0, 1]))
    array([0.75])
    """
    kept = n_relevant > 0
    _, index = np.unique(labels[kept], return_inverse=True)
    means: Doubles = np.bincount(index, weights=values[kept]) / np.bincount(index)
    return means
