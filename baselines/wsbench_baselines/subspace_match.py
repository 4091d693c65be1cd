"""`subspace-match`: the share of neurons in two layers that span the same activations.

Wang et al. 2018 (arXiv 1810.11750). A neuron is the vector of its activations on d inputs. Subsets
X of one layer and Y of another are an ε-approximate match if every neuron of X lies within ε of its
length of the span of Y, and every neuron of Y within ε of that of X. The union of two matches is a
match, so there is one maximum match. Its share of all neurons, s(ε), is the similarity of the
layers. Isomorphic layers that span different subspaces match 0.

A neuron whose length is zero or not finite is dead: it matches nothing, but counts.

Neurons are scaled to length 1, and all distances follow from their inner products. That loses half
the digits of float64, 1e-8 remain; but activations are float32 and have no more.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
from numba import config, njit

import wsbench

Doubles = npt.NDArray[np.float64]

# A neuron closer to the span of others than this squared distance adds nothing to it. Of ten units
# after a layer of eight, two add only rounding errors of float32, squared 1e-14.
_THIN = 1e-10

# One ε ties most pairs, because s(ε) takes few values. MAP@R from hidden-1 of ten test models of
# mnist-mlp-v1 | mnist-cnn-v1 is .76 | .57 with ε = .05, .80 | .72 with .1, .79 | .82 with .1 to .5
# in steps of .1, .82 | .84 with these, and .83 | .85 with 64 values from .003 to .9.
EPSILONS = (0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)

# Inner products in memory at a time. Smaller blocks make BLAS slower: 31 Gflop/s with 160 rows, 55
# with 400 or more (two cores, 25,000 × 500).
_BLOCK_BYTES = 128 << 20

# Rows have a multiple of this many elements, so that no loop over them ends one by one.
_WIDTH = 16

# Compiled code is kept if NUMBA_CACHE_DIR names a folder. Numba's key of it covers this file, and
# so all functions that a kernel calls.
_kernel = njit(nogil=True, cache=bool(config.CACHE_DIR))


class SubspaceMatch:
    """Compare checkpoints by the subspaces that one layer's neurons span on the probe inputs.

    Parameters
    ----------
    layer
        ``"hidden-1"``, ``"hidden-2"``, … or ``"output"``. The first hidden layer tells models apart
        best: MAP@R from hidden-1, hidden-2 and output is .82, .70 and .63 on mnist-mlp-v1, and .84,
        .77 and .72 on mnist-cnn-v1 (ten test models each).
    epsilons
        One or more values of ε between 0 and 1; the similarities are averaged over them.
    n_samples
        Number of samples of the activations, evenly spaced; None for all. There should be several
        times as many as units, because any neurons span a few samples. More make no difference:
        MAP@R from mnist-cnn-v1 is .84 with 100, 500 and all 4,500.

    Raises
    ------
    ValueError
        If an ε is not between 0 and 1, or `n_samples` is less than 1.
    """

    info = wsbench.MethodInfo(
        name="subspace-match",
        version="1",
        description="share of neurons that span the same activations, over a range of tolerances",
        invariances={"hidden-permutation", "positive-rescaling", "sign-flip"},
        needs={"activations"},
        paper_url="https://arxiv.org/abs/1810.11750",
    )

    def __init__(
        self,
        layer: str = "hidden-1",
        epsilons: float | tuple[float, ...] | list[float] = EPSILONS,
        n_samples: int | None = 500,
    ) -> None:
        squared_epsilons(epsilons)
        if n_samples is not None and (type(n_samples) is not int or n_samples < 1):
            raise ValueError(f"n_samples={n_samples!r}: expected a whole number from 1, or None")
        self.layer = layer
        self.epsilons = epsilons
        self.n_samples = n_samples

    def pairwise(self, checkpoints: wsbench.Checkpoints) -> Doubles:
        """Return distances in [0, 1], ``(n_checkpoints, n_checkpoints)``.

        Dead neurons match nothing, so a checkpoint that has some differs even from its own copy.
        """
        activations = checkpoints.activations(self.layer)
        n = activations.shape[2]
        used = np.linspace(0, n - 1, min(n, self.n_samples or n)).round().astype(np.intp)
        return pairwise_distances(activations[:, :, used], self.epsilons)


def pairwise_distances(
    activations: npt.NDArray[np.floating], epsilons: float | Sequence[float] = EPSILONS
) -> Doubles:
    """Return 1 − s(ε) of every two layers, averaged over the values of ε.

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

    Raises
    ------
    ValueError
        If `activations` has another shape or no elements, or an ε is not between 0 and 1.

    Examples
    --------
    >>> X, Y = [[1, 0.5, 0], [0, 1, 0]], [[0, 1, 0], [0, 0, 1]]
    >>> pairwise_distances(np.array([X, Y]), 0.5)
    array([[0. , 0.5],
           [0.5, 0. ]])
    """
    bounds = squared_epsilons(epsilons)
    if activations.ndim != 3 or not activations.size:
        raise ValueError(
            f"activations of shape {activations.shape}: expected (n_layers, n_neurons, n_inputs)"
        )
    unit = unit_rows(activations.astype(np.float64))
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


def unit_rows(rows: Doubles) -> Doubles:
    """Scale the rows ``(…, n_inputs)`` to length 1.

    Dead rows become zero: at distance 1 of every span, beyond any ε, and without a span themselves.
    """
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    alive = (lengths > 0) & np.isfinite(lengths)
    unit: Doubles = np.divide(rows, lengths, out=np.zeros_like(rows), where=alive)
    return unit


def squared_epsilons(epsilons: float | Sequence[float]) -> Doubles:
    """Return ε² for one or more values of ε, descending.

    Raises
    ------
    ValueError
        If a value is not between 0 and 1.
    """
    try:
        values = np.sort(np.atleast_1d(np.asarray(epsilons, np.float64)))
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.ndim != 1 or not values.size or not (values[0] > 0 and values[-1] < 1):
        raise ValueError(f"epsilons={epsilons!r}: expected one or more numbers between 0 and 1")
    bounds: Doubles = values[::-1] ** 2
    return bounds


@_kernel
def prune(gram_x, gram_y, cross, kept_x, kept_y, bounds):  # type: ignore[no-untyped-def]
    """Reduce the kept neurons to their maximum match for each ε² in turn, in place.

    The bounds descend, so each match lies within the one before. Returns the number of neurons that
    are left, summed over the bounds.
    """
    squares_x, squares_y = np.empty(kept_x.size), np.empty(kept_y.size)
    n_both = kept_x.size + kept_y.size
    rows = np.zeros((max(kept_x.size, kept_y.size), -(-n_both // _WIDTH) * _WIDTH))
    n_matched = 0
    _measure(gram_y, cross.T, kept_y, squares_x, rows)
    y_is_measured = False  # waits until some of x are dropped: a quarter less time at ε = .05
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


@_kernel
def _drop(kept, squares, bound):  # type: ignore[no-untyped-def]
    n_dropped = 0
    for v in range(kept.size):
        if kept[v] and squares[v] > bound:
            kept[v] = False
            n_dropped += 1
    return n_dropped


@_kernel
def _measure(gram, cross, kept, squares, rows):  # type: ignore[no-untyped-def]
    """Set the squared distances of the neurons v from the span of the kept neurons u.

    Cholesky's elimination: the rows [⟨u, v⟩ | ⟨u, u'⟩] lose, one after the other, the direction of
    each neuron above. The remaining ⟨u, u⟩ is the squared length of the part that u adds to the
    span. That part reduces the squared distance of v by ⟨u, v⟩² / ⟨u, u⟩.
    """
    n_u, n_v = 0, squares.size
    for u in range(kept.size):
        if kept[u]:
            for v in range(n_v):
                rows[n_u, v] = cross[u, v]
            n = n_v
            for other in range(kept.size):
                if kept[other]:
                    rows[n_u, n] = gram[u, other]
                    n += 1
            n_u += 1
    squares[:] = 1.0
    for u in range(n_u):
        pivot = rows[u]
        length = pivot[n_v + u]
        if length > _THIN:
            inverse = 1.0 / length
            for v in range(n_v):
                squares[v] -= pivot[v] * pivot[v] * inverse
            for below in range(u + 1, n_u):
                row = rows[below]
                part = row[n_v + u] * inverse
                for j in range(rows.shape[1]):
                    row[j] -= part * pivot[j]


@_kernel
def _fill_row(distances, x, products, grams, bounds):  # type: ignore[no-untyped-def]
    """Set the distances of layer x to the layers before it, from its inner products with all."""
    n = products.shape[0]
    kept_x, kept_y = np.empty(n, np.bool_), np.empty(n, np.bool_)
    for y in range(x):
        cross = products[:, y * n : (y + 1) * n]
        kept_x[:] = kept_y[:] = True
        n_matched = prune(grams[x], grams[y], cross, kept_x, kept_y, bounds)
        distances[x, y] = distances[y, x] = 1 - n_matched / (2 * n * bounds.size)
