"""Matches of two layers: the algorithms of Wang et al. 2018 (arXiv 1810.11750).

`maximum_match` is the paper's algorithm 1 and `minimum_match` its algorithm 2. `subspace_match`
defines a match and compares many layers at once; its kernels serve here too.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from wsbench_baselines.subspace_match import prune, squared_epsilons, unit_rows

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


def maximum_match(X: npt.ArrayLike, Y: npt.ArrayLike, epsilon: float) -> tuple[Indices, Indices]:
    """Find the largest sets of neurons that span each other within ε.

    Algorithm 1 of Wang et al. 2018: neurons further than ε from the span of the other side are
    removed until none is left. The order of removals does not matter.

    Parameters
    ----------
    X, Y
        Activations, one row for each neuron, ``(n_x, n_inputs)`` and ``(n_y, n_inputs)``.
    epsilon
        Largest distance, relative to the length of each neuron, between 0 and 1. Distances below
        1e-5 count as rounding errors.

    Returns
    -------
    X*, Y*
        Ascending indices of the rows that match.

    Raises
    ------
    ValueError
        If the shapes or ε are not as above; the functions below raise it too.

    Examples
    --------
    >>> maximum_match([[1, 0.5, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0], [0.5, 1, 0]], 0.1)
    (array([0, 1]), array([1, 2]))
    """
    pair = _pair(X, Y, epsilon)
    return pair.indices(pair.maximum(pair.neurons))


def maximum_match_similarity(X: npt.ArrayLike, Y: npt.ArrayLike, epsilon: float) -> float:
    """Return s(ε), the share of neurons in the `maximum_match`, in [0, 1].

    Examples
    --------
    >>> maximum_match_similarity([[1, 0.5, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0], [0, 2, 0]], 0.1)
    0.8
    """
    pair = _pair(X, Y, epsilon)
    return float(pair.maximum(pair.neurons).mean())


def minimum_match(
    X: npt.ArrayLike, Y: npt.ArrayLike, epsilon: float, v: int
) -> tuple[Indices, Indices]:
    """Find a v-minimum match: it holds neuron v, and no smaller match within it does.

    Algorithm 2 of Wang et al. 2018: neurons leave the maximum match, with all that do not match
    without them, as long as v stays. There can be several v-minimum matches. This one results from
    trying the rows of X in ascending order, then those of Y.

    Parameters
    ----------
    X, Y, epsilon
        As in `maximum_match`.
    v
        A row of X, or ``n_x`` + a row of Y.

    Returns
    -------
    X_v, Y_v
        Ascending indices of rows; empty if v is not in the maximum match.

    Raises
    ------
    IndexError
        If there is no neuron ``v``.

    Examples
    --------
    >>> minimum_match([[1, 0.5, 0], [0, 1, 0]], [[1, 0, 0], [0.5, 1, 0], [0, 3, 0]], 0.1, v=1)
    (array([1]), array([2]))
    """
    pair = _pair(X, Y, epsilon)
    if not 0 <= v < len(pair.neurons):
        raise IndexError(f"v={v}: expected a neuron of X or Y, 0 to {len(pair.neurons) - 1}")
    return pair.indices(pair.minimum(pair.maximum(pair.neurons), v))


def minimum_match_similarity(X: npt.ArrayLike, Y: npt.ArrayLike, epsilon: float) -> float:
    """Return the mean share of neurons in the minimum match of a neuron, in [0, 1].

    A neuron without a match counts as 0. Beside s(ε), it shows whether neurons match in small
    groups or only as a whole.

    Examples
    --------
    >>> minimum_match_similarity([[1, 0, 0], [0, 1, 0]], [[2, 0, 0], [0, 3, 0]], 0.1)
    0.5
    """
    pair = _pair(X, Y, epsilon)
    return float(np.mean([kept.mean() for kept in pair.minima()]))


def simple_matches(
    X: npt.ArrayLike, Y: npt.ArrayLike, epsilon: float
) -> list[tuple[Indices, Indices]]:
    """Find simple matches: those that are not the union of smaller ones.

    They are the minimum matches of all neurons, and every match is a union of them (Wang et al.
    2018). There can be exponentially many. This function returns, each once, those that
    `minimum_match` finds for the neurons of the maximum match, which is their union.

    Examples
    --------
    >>> simple_matches([[1, 0, 0], [0, 1, 0]], [[2, 0, 0], [0, 3, 0]], 0.1)
    [(array([0]), array([0])), (array([1]), array([1]))]
    """
    pair = _pair(X, Y, epsilon)
    found = {kept.tobytes(): kept for kept in pair.minima() if kept.any()}
    return [pair.indices(kept) for kept in found.values()]


def _pair(X: npt.ArrayLike, Y: npt.ArrayLike, epsilon: float) -> "_Pair":
    x, y = np.asarray(X, np.float64), np.asarray(Y, np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not (x.size and y.size):
        raise ValueError(
            f"activations of shapes {x.shape} and {y.shape}: expected (n_x, n_inputs) and"
            " (n_y, n_inputs), for the same inputs"
        )
    if not (isinstance(epsilon, int | float | np.floating) and 0 < epsilon < 1):
        raise ValueError(f"epsilon={epsilon!r}: expected a number between 0 and 1")
    x, y = unit_rows(x), unit_rows(y)
    neurons = np.ones(len(x) + len(y), np.bool_)
    return _Pair(x @ x.T, y @ y.T, x @ y.T, squared_epsilons(epsilon), neurons)


class _Pair(NamedTuple):
    """Two layers, and the maximum and minimum matches within them.

    A set of neurons is a mask over those of X and Y, ``(n_x + n_y,)``.
    """

    gram_x: Doubles  # inner products of X's neurons, (n_x, n_x)
    gram_y: Doubles
    cross: Doubles  # of X's with Y's, (n_x, n_y)
    bounds: Doubles  # ε², (1,)
    neurons: Mask  # all of them

    def indices(self, kept: Mask) -> tuple[Indices, Indices]:
        n_x = len(self.gram_x)
        return np.flatnonzero(kept[:n_x]), np.flatnonzero(kept[n_x:])

    def maximum(self, among: Mask) -> Mask:
        kept, n_x = among.copy(), len(self.gram_x)
        prune(self.gram_x, self.gram_y, self.cross, kept[:n_x], kept[n_x:], self.bounds)
        return kept

    def minimum(self, kept: Mask, v: int) -> Mask:
        # One pass is enough: a neuron that v needs within a match, v needs within all parts of it.
        kept = kept & kept[v]
        for neuron in np.flatnonzero(kept):
            if kept[neuron] and neuron != v:
                matched = self.maximum(kept & (np.arange(len(kept)) != neuron))
                kept = matched if matched[v] else kept
        return kept

    def minima(self) -> list[Mask]:
        maximum = self.maximum(self.neurons)
        return [self.minimum(maximum, v) for v in range(len(maximum))]
