"""Clustering metrics: agreement between predicted clusters and true models.

`labels` are the true models of the rows and `clusters` the predicted ones, both any integers.
"""

import math
from dataclasses import dataclass

import numpy as np

from wsbench.typing import Indices, Integers


@dataclass(frozen=True, eq=False)
class _Contingency:
    """Every combination of a label and a cluster that occurs: how often, and their total sizes."""

    counts: Indices
    label_sizes: Indices
    cluster_sizes: Indices
    cluster: Indices


def _contingency(labels: Integers, clusters: Integers) -> _Contingency:
    _, label, label_sizes = np.unique(labels, return_inverse=True, return_counts=True)
    _, cluster, cluster_sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    cells, counts = np.unique(label * len(cluster_sizes) + cluster, return_counts=True)
    label, cluster = np.divmod(cells, len(cluster_sizes))
    return _Contingency(counts, label_sizes[label], cluster_sizes[cluster], cluster)


def _n_pairs(sizes: Indices) -> int:
    return int(np.sum(sizes * (sizes - 1) // 2))


def adjusted_rand_index(labels: Integers, clusters: Integers) -> float:
    """Compute the Rand index, corrected for chance.

    The number of pairs of rows that are together in both partitions, scaled so that random
    partitions of the same sizes give 0 and the maximum gives 1; negative below chance (Hubert and
    Arabie 1985). 1 if both partitions are one cluster, or both all singletons.

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


def bcubed_f1(labels: Integers, clusters: Integers) -> float:
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


def purity(labels: Integers, clusters: Integers) -> float:
    """Compute the mean, over clusters, of the share of the most frequent model.

    The paper's definition. Every cluster has equal weight, so many singletons hide one giant
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
