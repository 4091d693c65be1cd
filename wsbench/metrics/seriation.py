"""Spectral seriation: the order of checkpoints from their distances alone."""

import numpy as np

from wsbench.typing import Indices, Reals


def spectral_order(distances: Reals) -> Indices:
    """Order points along the curve they lie on: by the Fiedler vector of a Gaussian affinity.

    The affinity of two points is exp(−(d/m)²), m the median distance. The eigenvector of its
    Laplacian with the second smallest eigenvalue is monotone along a curve (Atkins, Boman and
    Hendrickson 1998). Its sign is arbitrary; the sparser end comes first, because training slows
    down.

    Parameters
    ----------
    distances
        Symmetric, of one model's checkpoints, ``(k, k)``.

    Returns
    -------
    order
        Indices from first to last checkpoint, ``(k,)``; arbitrary if all distances are equal.

    Examples
    --------
    >>> times = np.array([9.0, 0.0, 4.0, 7.0, 8.5])
    >>> spectral_order(np.abs(np.subtract.outer(times, times)))
    array([1, 2, 3, 4, 0])
    """
    k = len(distances)
    if k < 3:
        return np.arange(k)
    scale = float(np.median(distances[np.triu_indices(k, 1)])) or 1.0
    affinity = np.exp(-np.square(distances / scale))
    _, vectors = np.linalg.eigh(np.diag(affinity.sum(axis=1)) - affinity)
    order = np.argsort(vectors[:, 1], kind="stable")
    steps = distances[order[:-1], order[1:]]
    half = len(steps) // 2
    if steps[:half].sum() < steps[-half:].sum():
        order = order[::-1]
    return order
