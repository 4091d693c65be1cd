"""How well distances tell which checkpoints belong to one model.

`labels` are the true models of the rows and `clusters` the predicted ones, both any integers. A
query with nothing to be found scores 0, and `model_means` leaves it out.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wsbench.metrics.linkage import merge_heights

_BLOCK_ROWS = 256  # 25 MB of temporaries per array at 12,500 rows


def _row_blocks(n_rows: int) -> Iterator[slice]:
    for start in range(0, n_rows, _BLOCK_ROWS):
        yield slice(start, min(start + _BLOCK_ROWS, n_rows))


# --- queries -------------------------------------------------------------------------------------


def nearest(
    distances: NDArray[np.floating],
    n_nearest: int,
    *,
    rng: np.random.Generator,
    own: NDArray[np.integer] | None = None,
) -> NDArray[np.int32]:
    """Find the nearest columns of each row.

    Parameters
    ----------
    distances
        Finite, ``(n_queries, n)``.
    n_nearest
        How many are found.
    rng
        Decides between equal distances: their order in a row of the result, and which of them are
        left out at its end.
    own
        The column that is the query itself and is not found, ``(n_queries,)``; None if none is.

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
        for rows in _row_blocks(len(distances)):
            block = distances[rows].copy()
            if own is not None:
                block[np.arange(len(block)), own[rows]] = np.inf
            found[rows] = _nearest_in_rows(block, n_nearest, rng)
    return found


def _nearest_in_rows(
    block: NDArray[np.floating], n_nearest: int, rng: np.random.Generator
) -> NDArray[np.intp]:
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
    by_distance: NDArray[np.intp] = np.take_along_axis(columns, ascending, axis=1)
    return by_distance


def average_precision_at_r(
    found: NDArray[np.integer], labels: NDArray[np.integer], n_relevant: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Compute the average precision at R of every query; its mean is MAP@R.

    With R the number of rows to be found, P(i) the precision among the i nearest and rel(i)
    whether the i-th is of the query's model, it is 1/R · Σ P(i) · rel(i) over i = 1 … R (Musgrave,
    Belongie and Lim 2020, arXiv 2003.08505). 1 only if the R nearest are the R relevant.

    Parameters
    ----------
    found
        The models of the nearest rows, ``(n_queries, at least the largest R)``.
    labels
        The model of each query, ``(n_queries,)``.
    n_relevant
        R of each query, ``(n_queries,)``.

    Returns
    -------
    ndarray
        In [0, 1], ``(n_queries,)``; 0 for a query with R = 0, which `model_means` leaves out.

    Examples
    --------
    >>> found = np.array([[7, 8], [8, 7], [7, 7], [7, 7]])
    >>> average_precision_at_r(found, np.array([7, 7, 8, 7]), np.array([2, 2, 0, 2]))
    array([0.5 , 0.25, 0.  , 1.  ])
    """
    rank = np.arange(1, found.shape[1] + 1)
    relevant = (found == labels[:, None]) & (rank <= n_relevant[:, None])
    precision = np.cumsum(relevant, axis=1) / rank
    scores: NDArray[np.float64] = np.sum(precision * relevant, axis=1) / np.maximum(n_relevant, 1)
    return scores


def rank1(found: NDArray[np.integer], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Say of every query whether the nearest row is of its model.

    Parameters
    ----------
    found
        The models of the nearest rows, ``(n_queries, at least 1)``.
    labels
        The model of each query, ``(n_queries,)``.

    Returns
    -------
    ndarray
        0 or 1, ``(n_queries,)``.
    """
    hit: NDArray[np.float64] = np.equal(found[:, 0], labels).astype(np.float64)
    return hit


def true_positive_rate(
    positives: NDArray[np.number], negatives: NDArray[np.number], false_positive_rate: float
) -> float:
    """Compute the share of positives that is accepted when hardly any negative is.

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


def model_means(
    values: NDArray[np.floating], labels: NDArray[np.integer], n_relevant: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Average the values of the queries of each model, of those with something to be found.

    Parameters
    ----------
    values
        One per query, ``(n_queries,)``.
    labels
        The model of each query, ``(n_queries,)``.
    n_relevant
        How many rows there were to be found, ``(n_queries,)``.

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
    means: NDArray[np.float64] = np.bincount(index, weights=values[kept]) / np.bincount(index)
    return means


# --- clusters ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Contingency:
    """Every combination of a label and a cluster that occurs: how often, and their total sizes."""

    counts: NDArray[np.intp]
    label_sizes: NDArray[np.intp]
    cluster_sizes: NDArray[np.intp]
    cluster: NDArray[np.intp]


def _contingency(labels: NDArray[np.integer], clusters: NDArray[np.integer]) -> _Contingency:
    _, label, label_sizes = np.unique(labels, return_inverse=True, return_counts=True)
    _, cluster, cluster_sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    cells, counts = np.unique(label * len(cluster_sizes) + cluster, return_counts=True)
    label, cluster = np.divmod(cells, len(cluster_sizes))
    return _Contingency(counts, label_sizes[label], cluster_sizes[cluster], cluster)


def _n_pairs(sizes: NDArray[np.intp]) -> int:
    return int(np.sum(sizes * (sizes - 1) // 2))


def adjusted_rand_index(labels: NDArray[np.integer], clusters: NDArray[np.integer]) -> float:
    """Compute the Rand index, corrected for chance.

    Of the pairs of rows, how many are together in both partitions, between what random partitions
    with the same sizes give (0) and the most there can be (1); negative if below chance (Hubert
    and Arabie 1985). 1 if both partitions are one cluster, or both all singletons.

    Parameters
    ----------
    labels, clusters
        The model and the cluster of each row, ``(n,)``.

    Examples
    --------
    >>> adjusted_rand_index(np.array([0, 0, 1, 1]), np.array([5, 5, 5, 9]))
    0.0
    """
    in_both = _n_pairs(_contingency(labels, clusters).counts)
    in_label = _n_pairs(np.unique(labels, return_counts=True)[1])
    in_cluster = _n_pairs(np.unique(clusters, return_counts=True)[1])
    n_pairs = len(labels) * (len(labels) - 1) // 2
    # Multiplied out, in Python's integers: from 65,000 rows on, the products overflow int64.
    most_minus_chance = n_pairs * (in_label + in_cluster) - 2 * in_label * in_cluster
    if most_minus_chance == 0:
        return 1.0
    return 2 * (n_pairs * in_both - in_label * in_cluster) / most_minus_chance


def bcubed_f1(labels: NDArray[np.integer], clusters: NDArray[np.integer]) -> float:
    """Compute the harmonic mean of BCubed precision and recall, in (0, 1].

    The precision of a row is the share of its cluster that is of its model, its recall the share
    of its model that is in its cluster, the row itself counted; both are averaged over rows
    (Bagga and Baldwin 1998; Amigó et al. 2009).

    Parameters
    ----------
    labels, clusters
        The model and the cluster of each row, ``(n,)``.

    Examples
    --------
    >>> bcubed_f1(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0]))
    0.6666666666666666
    """
    table = _contingency(labels, clusters)
    squares = table.counts.astype(np.float64) ** 2
    # Rounded once, whatever the order: numbering labels otherwise must not change the last digit.
    precision = math.fsum(squares / table.cluster_sizes) / len(labels)
    recall = math.fsum(squares / table.label_sizes) / len(labels)
    return 2 * precision * recall / (precision + recall)


def purity(labels: NDArray[np.integer], clusters: NDArray[np.integer]) -> float:
    """Compute the mean, over clusters, of the share of the most frequent model.

    The paper's definition: every cluster counts the same, so that many singletons hide one giant
    cluster; read it beside `adjusted_rand_index`.

    Parameters
    ----------
    labels, clusters
        The model and the cluster of each row, ``(n,)``.

    Examples
    --------
    >>> purity(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]))
    0.8333333333333333
    """
    table = _contingency(labels, clusters)
    share = np.zeros(table.cluster.max() + 1)
    np.maximum.at(share, table.cluster, table.counts / table.cluster_sizes)
    return float(np.mean(share))


def margin_parts(
    distances: NDArray[np.floating], labels: NDArray[np.integer]
) -> tuple[float, float]:
    """Measure the gap that a cut of single linkage has to hit.

    Parameters
    ----------
    distances
        Symmetric and finite, ``(n, n)``.
    labels
        The model of each row, ``(n,)``.

    Returns
    -------
    between_min : float
        The smallest distance between rows of different models; infinite if there is one model.
    within_max : float
        The largest linkage height within one model; 0 if each has one row.
    """
    between_min, within_max = np.inf, 0.0
    for rows in _row_blocks(len(labels)):
        different = labels[rows, None] != labels
        closest = np.min(distances[rows], where=different, initial=np.inf)
        between_min = min(between_min, float(closest))
    for label in np.unique(labels):
        rows_of_model = np.flatnonzero(labels == label)
        heights = merge_heights(distances[np.ix_(rows_of_model, rows_of_model)])
        within_max = max(within_max, float(np.max(heights, initial=0.0)))
    return between_min, within_max


def margin(between_min: float, within_max: float) -> float:
    """Divide the parts of the margin; above 1, one cut of single linkage separates all models.

    Infinite if within is 0 alone or there is one model; 0 if both parts are 0, because then two
    models share a point and nothing can separate them.

    Parameters
    ----------
    between_min, within_max
        From `margin_parts`.

    Examples
    --------
    >>> margin(3.0, 2.0)
    1.5
    """
    if between_min == 0.0:
        return 0.0
    return between_min / within_max if within_max > 0.0 else np.inf
