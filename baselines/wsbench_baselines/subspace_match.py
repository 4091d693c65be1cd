"""`subspace-match`: how many neurons of two layers span the same activations.

Wang et al. 2018 (arXiv 1810.11750). A neuron is the vector of its activations on d inputs. Subsets
X of one layer and Y of another are an ε-approximate match if every neuron of X lies within ε of its
length of the span of Y, and every neuron of Y within ε of that of X. The union of two matches is a
match, so there is one maximum match; its share of all neurons, s(ε), is the similarity of the
layers. It is blind to layers that are isomorphic but span different subspaces: these match 0.

A neuron whose length is zero, or not finite, is dead: it matches nothing, but counts.

Neurons are scaled to length 1, and all distances follow from their inner products. That loses half
the digits of float64, 1e-8 remain; but activations are float32 and have no more.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

import wsbench

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

# Squared distance below which a neuron counts as lying in the span of others and adds nothing to
# it. Of ten units after a layer of eight, two add only rounding errors of float32, squared 1e-14.
_THIN = 1e-10

# One ε ties most pairs, for s(ε) takes few values. MAP@R from hidden-1 of ten test models of
# mnist-mlp-v1 | mnist-cnn-v1 is .76 | .57 with ε = .05, .80 | .72 with .1, .79 | .82 with .1 to .5
# in steps of .1, .82 | .84 with these, and .83 | .85 with 64 values from .003 to .9.
EPSILONS = (0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)

# Of inner products at a time. Smaller blocks make BLAS slower: 31 Gflop/s with 160 rows, 55 with
# 400 or more (two cores, 25,000 × 500).
_BLOCK_BYTES = 128 << 20


def maximum_match(X: npt.ArrayLike, Y: npt.ArrayLike, epsilon: float) -> tuple[Indices, Indices]:
    """Find the largest sets of neurons that span each other within ε.

    Algorithm 1 of Wang et al. 2018: neurons further than ε from the span of the other side are
    removed until there are none. The order of removals does not matter.

    Parameters
    ----------
    X, Y
        Activations, one row for each neuron, ``(n_x, n_inputs)`` and ``(n_y, n_inputs)``.
    epsilon
        Largest distance, relative to the length of each neuron, between 0 and 1; those below 1e-5
        are taken for rounding errors.

    Returns
    -------
    X*, Y*
        Ascending indices of the rows that match.

    Raises
    ------
    ValueError
        If the shapes or ε are not as above, here as in the functions below.

    Examples
    --------
    >>> maximum_match([[1, 0.5, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0], [0.5, 1, 0]], 0.1)
    (array([0, 1]), array([1, 2]))
    """
    pair = _pair(X, Y, epsilon)
    return pair.indices(pair.maximum(pair.neurons))


def maximum_match_similarity(X: npt.ArrayLike, Y: npt.ArrayLike, epsilon: float) -> float:
    """Return s(ε), the share of the neurons that are in the `maximum_match`, in [0, 1].

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
    """Find a v-minimum match: one that holds neuron v and has no smaller match with v in it.

    Algorithm 2 of Wang et al. 2018: from the maximum match, neurons are removed, with all that do
    not match without them, as long as v stays. There can be several v-minimum matches; this one
    comes of trying the rows of X in ascending order, then those of Y.

    Parameters
    ----------
    X, Y, epsilon
        As in `maximum_match`.
    v
        A row of X, or ``n_x`` + a row of Y.

    Returns
    -------
    X_v, Y_v
        Ascending indices of rows; none if v is not in the maximum match.

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
        raise IndexError(
            f"v is {v}: the neurons of X and Y are numbered 0 … {len(pair.neurons) - 1}"
        )
    return pair.indices(pair.minimum(pair.maximum(pair.neurons), v))


def minimum_match_similarity(X: npt.ArrayLike, Y: npt.ArrayLike, epsilon: float) -> float:
    """Return the mean share of the neurons that a neuron's minimum match takes, in [0, 1].

    A neuron without a match counts as 0. Beside s(ε), it says whether neurons match few by few or
    only as a whole.

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
    2018). There can be exponentially many. This returns, each once, those that `minimum_match`
    finds for the neurons of the maximum match, which is their union.

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
    if np.ndim(epsilon):
        raise ValueError(f"epsilon is {epsilon!r}: expected one number between 0 and 1")
    x, y = _unit(x), _unit(y)
    neurons = np.ones(len(x) + len(y), np.bool_)
    return _Pair(x @ x.T, y @ y.T, x @ y.T, _bounds(epsilon), neurons)


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
        _prune(self.gram_x, self.gram_y, self.cross, kept[:n_x], kept[n_x:], self.bounds)
        return kept

    def minimum(self, kept: Mask, v: int) -> Mask:
        # One pass will do: a neuron that v needs within a match, v needs within all parts of it.
        kept = kept & kept[v]
        for neuron in np.flatnonzero(kept):
            if kept[neuron] and neuron != v:
                matched = self.maximum(kept & (np.arange(len(kept)) != neuron))
                kept = matched if matched[v] else kept
        return kept

    def minima(self) -> list[Mask]:
        maximum = self.maximum(self.neurons)
        return [self.minimum(maximum, v) for v in range(len(maximum))]


def _unit(rows: Doubles) -> Doubles:
    """Scale the rows ``(…, n_inputs)`` to length 1.

    Dead ones become zero, which is at distance 1 of every span, beyond any ε, and widens none.
    """
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    alive = (lengths > 0) & np.isfinite(lengths)
    unit: Doubles = np.divide(rows, lengths, out=np.zeros_like(rows), where=alive)
    return unit


def _bounds(epsilons: float | Sequence[float]) -> Doubles:
    """Return ε², descending."""
    try:
        values = np.sort(np.atleast_1d(np.asarray(epsilons, np.float64)))
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 1 or not values.size or not (values[0] > 0 and values[-1] < 1):
        raise ValueError(f"epsilon is {epsilons!r}: expected one or more numbers between 0 and 1")
    bounds: Doubles = values[::-1] ** 2
    return bounds


@njit(nogil=True)
def _prune(gram_x, gram_y, cross, kept_x, kept_y, bounds):  # type: ignore[no-untyped-def]
    """Reduce the kept neurons to their maximum match for each ε² in turn, in place.

    The bounds descend, so each match lies within the one before. Returns how many neurons are left,
    summed over the bounds.
    """
    squares_x, squares_y = np.empty(kept_x.size), np.empty(kept_y.size)
    rows = np.empty((max(gram_x.shape[0], gram_y.shape[0]), kept_x.size + kept_y.size))
    n_matched = 0
    _measure(gram_y, cross.T, kept_y, squares_x, rows)
    y_is_measured = False  # put off until some of x are dropped: a quarter less time at ε = .05
    for bound in bounds:
        while True:
            if _drop(kept_x, squares_x, bound) or not y_is_measured:
                _measure(gram_x, cross, kept_x, squares_y, rows)
                y_is_measured = True
            if not _drop(kept_y, squares_y, bound):
                break
            _measure(gram_y, cross.T, kept_y, squares_x, rows)
        n_matched += kept_x.sum() + kept_y.sum()
    return n_matched


@njit(nogil=True)
def _drop(kept, squares, bound):  # type: ignore[no-untyped-def]
    n_dropped = 0
    for v in range(kept.size):
        if kept[v] and squares[v] > bound:
            kept[v] = False
            n_dropped += 1
    return n_dropped


@njit(nogil=True)
def _measure(gram, cross, kept, squares, rows):  # type: ignore[no-untyped-def]
    """Set the squared distances of the neurons v from the span of the kept neurons u.

    Cholesky's elimination: the rows [⟨u, u'⟩ | ⟨u, v⟩] lose, one after the other, the direction of
    each neuron above. What is left of ⟨u, u⟩ then is the squared length of what u adds to the span,
    and ⟨u, v⟩² / ⟨u, u⟩ is what that takes off the squared distance of v.
    """
    n_u, n_v = 0, squares.size
    for u in range(kept.size):
        if kept[u]:
            n = 0
            for other in range(kept.size):
                if kept[other]:
                    rows[n_u, n] = gram[u, other]
                    n += 1
            for v in range(n_v):
                rows[n_u, n + v] = cross[u, v]
            n_u += 1
    squares[:] = 1.0
    for u in range(n_u):
        length = rows[u, u]
        if length > _THIN:
            for v in range(n_v):
                squares[v] -= rows[u, n_u + v] * rows[u, n_u + v] / length
            for below in range(u + 1, n_u):
                part = rows[below, u] / length
                for j in range(u + 1, n_u + n_v):
                    rows[below, j] -= part * rows[u, j]


@njit(nogil=True)
def _fill_row(distances, x, products, grams, bounds):  # type: ignore[no-untyped-def]
    """Set the distances of layer x from those before it, from its inner products with all."""
    n = products.shape[0]
    kept_x, kept_y = np.empty(n, np.bool_), np.empty(n, np.bool_)
    for y in range(x):
        cross = products[:, y * n : (y + 1) * n]
        kept_x[:] = kept_y[:] = True
        n_matched = _prune(grams[x], grams[y], cross, kept_x, kept_y, bounds)
        distances[x, y] = distances[y, x] = 1 - n_matched / (2 * n * bounds.size)


def pairwise_distances(
    activations: npt.NDArray[np.floating], epsilons: float | Sequence[float] = EPSILONS
) -> Doubles:
    """Return 1 − s(ε), averaged over the values of ε, of every two layers.

    Parameters
    ----------
    activations
        ``(n_layers, n_neurons, n_inputs)``.
    epsilons
        One or more numbers between 0 and 1.

    Returns
    -------
    distances
        ``(n_layers, n_layers)``, in [0, 1], symmetric, zero on the diagonal.

    Examples
    --------
    >>> X, Y = [[1, 0.5, 0], [0, 1, 0]], [[0, 1, 0], [0, 0, 1]]
    >>> pairwise_distances(np.array([X, Y]), 0.5)
    array([[0. , 0.5],
           [0.5, 0. ]])
    """
    bounds = _bounds(epsilons)
    if activations.ndim != 3 or not activations.size:
        raise ValueError(
            f"activations of shape {activations.shape}: expected (n_layers, n_neurons, n_inputs)"
        )
    unit = _unit(activations.astype(np.float64))
    n_layers, n, n_inputs = unit.shape
    grams = unit @ unit.swapaxes(1, 2)
    rows = unit.reshape(-1, n_inputs)
    distances = np.zeros((n_layers, n_layers))

    def fill(x: int, products: Doubles) -> None:
        _fill_row(distances, x, products, grams, bounds)

    n_block = max(1, _BLOCK_BYTES // (8 * n * len(rows)))
    with ThreadPoolExecutor() as threads:
        for first in range(0, n_layers, n_block):
            layers = range(first, min(n_layers, first + n_block))
            products = rows[n * layers.start : n * layers.stop] @ rows[: n * layers.stop].T
            list(threads.map(fill, layers, products.reshape(len(layers), n, -1)))
    return distances


class SubspaceMatch:
    """Compare what a layer's neurons span on the probe inputs.

    Parameters
    ----------
    layer
        As `Checkpoints.activations` takes it. The first tells models apart best: MAP@R from
        hidden-1, hidden-2 and output is .82, .70 and .63 on mnist-mlp-v1, and .84, .77 and .72 on
        mnist-cnn-v1 (ten test models each).
    epsilons
        As in `pairwise_distances`.
    n_samples
        How many samples of the activations to use, evenly spaced; None for all. There should be
        several times as many as units, for anything spans few samples; more make no difference
        (MAP@R from mnist-cnn-v1 is .84 with 100, 500 and all 4,500).

    Raises
    ------
    ValueError
        If an ε is not between 0 and 1, or `n_samples` less than 1.
    """

    info = wsbench.MethodInfo(
        name="subspace-match",
        version="1",
        description="share of neurons that span the same activations, over a range of tolerances",
        invariances={"hidden-permutation", "positive-rescaling", "sign-flip"},
        needs={"activations"},
    )

    def __init__(
        self,
        layer: str = "hidden-1",
        epsilons: float | Sequence[float] = EPSILONS,
        n_samples: int | None = 500,
    ) -> None:
        _bounds(epsilons)
        if n_samples is not None and not (isinstance(n_samples, int) and n_samples > 0):
            raise ValueError(
                f"n_samples is {n_samples!r}: expected a whole number above 0, or None"
            )
        self.layer = layer
        self.epsilons = epsilons
        self.n_samples = n_samples

    def pairwise(self, checkpoints: wsbench.Checkpoints) -> Doubles:
        """Return distances in [0, 1], ``(n_checkpoints, n_checkpoints)``.

        Dead neurons match nothing: a checkpoint with such differs even from its own copy.
        """
        activations = checkpoints.activations(self.layer)
        n = activations.shape[2]
        used = np.linspace(0, n - 1, min(n, self.n_samples or n)).round().astype(np.intp)
        return pairwise_distances(activations[:, :, used], self.epsilons)
