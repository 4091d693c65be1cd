"""Ordering metrics: agreement of a predicted order of one model's checkpoints with the epochs.

Every metric takes `predicted`, the true ranks 0 … k − 1 of the k checkpoints in the order that a
method put them in: ``0, 1, 2, …`` is perfect. One checkpoint alone is always in order and scores 1.
"""

from functools import lru_cache

import numpy as np

from wsbench.typing import Indices, Integers, Reals


def kendall_tau(predicted: Integers) -> float:
    """Compute Kendall's τ between the predicted and the true order.

    The share of pairs in the right order minus the share in the wrong one (Kendall 1938): 1 is
    perfect, 0 is chance, −1 is backwards.

    Parameters
    ----------
    predicted
        True ranks in predicted order, a permutation of 0 … k − 1, ``(k,)``.

    Examples
    --------
    >>> kendall_tau(np.array([0, 1, 3, 2]))
    0.6666666666666666
    """
    n_pairs = len(predicted) * (len(predicted) - 1) // 2
    if n_pairs == 0:
        return 1.0
    # Of all pairs, earlier place first: one array of k² truth values, 50 × 50 in a usual zoo.
    swapped = int(np.count_nonzero(np.triu(np.greater.outer(predicted, predicted), 1)))
    return (n_pairs - 2 * swapped) / n_pairs


@lru_cache(maxsize=64)
def expected_abs_tau(n: int) -> float:
    r"""Compute the mean of \|τ\| over all orders of n checkpoints.

    The number of orders with k pairs swapped is the coefficient of x^k in the product of
    1 + x + … + x^(i - 1) over i = 1 … n (Knuth, The Art of Computer Programming 3, 5.1.1).

    Examples
    --------
    >>> expected_abs_tau(2), round(expected_abs_tau(50), 4)
    (1.0, 0.078)
    """
    n_pairs = n * (n - 1) // 2
    if n_pairs == 0:
        return 1.0
    shares = np.ones(1)
    for i in range(2, n + 1):
        shares = np.convolve(shares, np.full(i, 1 / i))
    tau = 1 - 2 * np.arange(n_pairs + 1) / n_pairs
    return float(shares @ np.abs(tau))


def ordered_pairs(predicted: Integers) -> float:
    """Compute the share of neighbours whose second is the true successor of the first.

    Parameters
    ----------
    predicted
        True ranks in predicted order, a permutation of 0 … k − 1, ``(k,)``.

    Examples
    --------
    >>> ordered_pairs(np.array([2, 3, 0, 1]))
    0.6666666666666666
    """
    if len(predicted) < 2:
        return 1.0
    return float(np.mean(np.diff(predicted) == 1))


def ordered_initial(predicted: Integers) -> int:
    """Count the checkpoints before the first one that stands in a wrong place, from 0 to k.

    Parameters
    ----------
    predicted
        True ranks in predicted order, a permutation of 0 … k − 1, ``(k,)``.

    Examples
    --------
    >>> ordered_initial(np.array([0, 1, 3, 2]))
    2
    """
    misplaced = np.flatnonzero(predicted != np.arange(len(predicted)))
    return int(misplaced[0]) if len(misplaced) else len(predicted)


def by_decreasing(heights: Reals, *, rng: np.random.Generator) -> Indices:
    """Order by decreasing height, and equal heights at random.

    Training slows down, so early epochs lie farther from their neighbours.

    Parameters
    ----------
    heights
        One per checkpoint, ``(k,)``, as `wsbench.metrics.linkage.leaf_heights` computes them.
    rng
        Decides between equal heights: linkage heights tie in pairs, and on the paper's zoo input
        order alone would raise the ordered pairs from .244 to .393.

    Returns
    -------
    ndarray
        Indices into `heights`, ``(k,)``, intp.

    Examples
    --------
    >>> by_decreasing(np.array([0.1, 0.5, 0.3]), rng=np.random.default_rng(0))
    array([1, 2, 0])
    """
    return np.lexsort((rng.random(len(heights)), np.negative(heights)))
