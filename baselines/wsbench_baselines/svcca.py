"""`svcca`: one minus the mean canonical correlation of two checkpoints' activations.

*SVCCA: Singular Vector Canonical Correlation Analysis for Deep Learning Dynamics and
Interpretability* (Raghu, Gilmer, Yosinski and Sohl-Dickstein 2017, arXiv 1706.05806, section 2).
X and Y hold the activations of one layer, a row for each sample and a column for each unit, and
every column has mean 0. In two steps:

1. SV: X = Q_x S Vᵀ. The leading columns of Q_x that hold 99 % of the variance are kept.
2. CCA: the canonical correlations of the kept directions are the singular values of Q_xᵀQ_y, the
   cosines of the angles between two subspaces (Björck and Golub 1973).

There are as many correlations as the smaller of the two numbers of kept directions; their mean is
taken over that number.
"""

import numpy as np
import numpy.typing as npt
from numba import config, njit

import wsbench

Array = npt.NDArray[np.float64]

# Compiled code is kept if NUMBA_CACHE_DIR names a folder. Numba's key of it covers this file, and
# so all functions that a kernel calls.
_kernel = njit(nogil=True, cache=bool(config.CACHE_DIR))


class SVCCA:
    """Compare checkpoints by the directions in which one layer's activations vary.

    Parameters
    ----------
    layer
        ``"hidden-1"``, ``"hidden-2"``, … or ``"output"``; None for the last hidden layer.

        The default was chosen on the validation models, by MAP@R. On mnist-mlp-v1 it is .588 and
        .618 for the two hidden layers and .621 for the output; on mnist-cnn-v1 .754 for the last
        hidden layer and .625 for the output. The first layer of the CNN scores higher still, .821
        against .783 on twelve models, but takes minutes.
    variance
        Share of a layer's variance that is kept, in (0, 1]. With 1, invertible linear maps of the
        units do not change the distance.

    Raises
    ------
    ValueError
        If `variance` is not in (0, 1].
    """

    info = wsbench.MethodInfo(
        name="svcca",
        version="1",
        description="1 - mean SVCCA correlation of the last hidden layer's activations",
        invariances={"hidden-permutation", "sign-flip"},
        needs={"activations"},
        paper_url="https://arxiv.org/abs/1706.05806",
    )

    def __init__(self, layer: str | None = None, variance: float = 0.99) -> None:
        if type(variance) not in (int, float) or not 0 < variance <= 1:
            raise ValueError(f"variance={variance!r}: expected a number in (0, 1]")
        self.layer = layer
        self.variance = variance

    def pairwise(self, checkpoints: wsbench.Checkpoints) -> Array:
        """Return 1 − mean correlation, ``(n_checkpoints, n_checkpoints)``, in [0, 1].

        A dead layer, with the same activations for every sample, has distance 1 from every other.
        """
        layer = _last_hidden(checkpoints.layout) if self.layer is None else self.layer
        bases, kept = _bases(checkpoints.activations(layer), self.variance)
        smaller = np.maximum(np.minimum.outer(kept, kept), 1)  # no direction: no correlation
        distances = np.clip(1 - _sum_of_correlations(bases, kept) / smaller, 0, 1)
        upper = np.triu(distances, 1)
        return upper + upper.T

    def order(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.intp]:
        """Put one model's checkpoints in the order of the curve that they lie on.

        It uses √(1 − correlation), which is proportional to a small angle, not to its square.
        Kendall's τ on the validation models is .45 on mnist-mlp-v1 and .95 on mnist-cnn-v1; by
        linkage heights .34 and .77.
        """
        if len(checkpoints) < 3:  # no distance tells which of two came first
            return np.arange(len(checkpoints))
        return wsbench.spectral_order(np.sqrt(self.pairwise(checkpoints)))


def _bases(
    activations: npt.NDArray[np.float32], variance: float
) -> tuple[Array, npt.NDArray[np.intp]]:
    """Return Qᵀ of every checkpoint, zero in rows that are not kept, and the numbers of kept rows.

    (n, u, m) activations give an (n, k, m) array, k the largest number of kept rows. A direction in
    which a layer varies by no more than the rounding of its float32 values is not kept either.
    """
    x = activations.astype(np.float64)
    rounding = 1e-6 * np.linalg.norm(x, axis=(1, 2))
    x -= x.mean(axis=2, keepdims=True)
    _, s, qt = np.linalg.svd(x, full_matrices=False)  # x is transposed: V S Qᵀ
    rest = np.cumsum(np.square(s)[:, ::-1], axis=1)[:, ::-1]  # variance from a direction on
    keep = (rest > (1 - variance) * rest[:, :1]) & (s > rounding[:, None])
    kept = keep.sum(axis=1)
    bases: Array = (qt * keep[:, :, None])[:, : max(1, kept.max())]
    return bases, kept


def _sum_of_correlations(bases: Array, kept: npt.NDArray[np.intp]) -> Array:
    """Return the sum of the singular values of Q_xᵀQ_y for all pairs i ≤ j of checkpoints.

    One product gives Q_xᵀQ_y for all pairs of two blocks, and memory holds one block of products.
    """
    n, k, m = bases.shape
    sums = np.zeros((n, n))
    size = max(1, 1000 // k)  # checkpoints in a block
    for i in range(0, n, size):
        left = bases[i : i + size].reshape(-1, m)
        for j in range(i, n, size):
            right = bases[j : j + size].reshape(-1, m)
            products = (left @ right.T).reshape(-1, k, len(right) // k, k)
            block = sums[i : i + size, j : j + size]
            _sum_singular_values(products, kept[i : i + size], kept[j : j + size], block)
    return sums


@_kernel
def _sum_singular_values(products, left, right, sums):  # type: ignore[no-untyped-def]
    """sums[x, y] = Σ_i σ_i of products[x, :left[x], y, :right[y]].

    They are roots of the eigenvalues of M Mᵀ, four times as fast as numpy's values of M. A root is
    off by the rounding of M Mᵀ, 1e-16, over twice itself: less than 1e-11 on the MNIST zoos.
    """
    k = products.shape[1]
    gram = np.empty((k, k))
    diagonal, squares, work = np.empty((3, k))
    for x in range(len(left)):
        for y in range(len(right)):
            M = products[x, :, y]
            n = min(left[x], right[y])
            if left[x] == n:
                _set_gram(M, n, right[y], gram)
            else:
                _set_gram(M.T, n, left[x], gram)
            _tridiagonalise(gram, n, diagonal, squares, work)
            _set_eigenvalues(n, diagonal, squares)
            for i in range(n):
                sums[x, y] += np.sqrt(max(diagonal[i], 0.0))


@_kernel
def _set_gram(M, n, m, gram):  # type: ignore[no-untyped-def]
    """Set the leading part of gram to M Mᵀ, of the leading n × m part of M."""
    for i in range(n):
        for j in range(i + 1):
            product = 0.0
            for t in range(m):
                product += M[i, t] * M[j, t]
            gram[i, j] = gram[j, i] = product


@_kernel
def _tridiagonalise(A, n, diagonal, squares, work):  # type: ignore[no-untyped-def]
    """Reduce a symmetric n × n matrix by Householder reflections, in place.

    Sets the diagonal of the tridiagonal matrix, and the squares of the elements beside it.
    """
    for k in range(n - 1):
        diagonal[k] = A[k, k]
        rest = 0.0
        for i in range(k + 2, n):
            rest += A[k, i] ** 2
        squares[k] = A[k, k + 1] ** 2 + rest
        if rest == 0.0:
            continue
        # The reflection I − scale · v vᵀ; v is row k from column k + 1 on.
        A[k, k + 1] += np.copysign(np.sqrt(squares[k]), A[k, k + 1])
        scale = 2.0 / (A[k, k + 1] ** 2 + rest)
        overlap = 0.0
        for i in range(k + 1, n):
            product = 0.0
            for j in range(k + 1, n):
                product += A[i, j] * A[k, j]
            work[i] = scale * product
            overlap += work[i] * A[k, i]
        for i in range(k + 1, n):
            work[i] -= 0.5 * scale * overlap * A[k, i]
        for i in range(k + 1, n):
            for j in range(k + 1, n):
                A[i, j] -= A[k, i] * work[j] + work[i] * A[k, j]
    diagonal[n - 1] = A[n - 1, n - 1]


@_kernel
def _set_eigenvalues(n, diagonal, squares):  # type: ignore[no-untyped-def]
    """Replace the diagonal of a symmetric tridiagonal matrix by its eigenvalues.

    The QL iteration without square roots of Pal, Walker and Kahan, as in LAPACK's dsterf, with
    Wilkinson's shift.
    """
    negligible = np.finfo(np.float64).eps ** 2
    for first in range(n):
        while True:
            last = first
            while last < n - 1 and squares[last] > negligible * abs(
                diagonal[last] * diagonal[last + 1]
            ):
                last += 1
            if last == first:
                break
            beside = np.sqrt(squares[first])
            half_gap = (diagonal[first + 1] - diagonal[first]) / (2.0 * beside)
            shift = diagonal[first] - beside / (
                half_gap + np.copysign(np.sqrt(half_gap * half_gap + 1.0), half_gap)
            )
            cosine, sine = 1.0, 0.0  # squared
            gamma = diagonal[last] - shift
            p = gamma * gamma
            for i in range(last - 1, first - 1, -1):
                square = squares[i]
                r = p + square
                if i < last - 1:
                    squares[i + 1] = sine * r
                cosine_before, cosine, sine = cosine, p / r, square / r
                gamma_before = gamma
                gamma = cosine * (diagonal[i] - shift) - sine * gamma
                diagonal[i + 1] = gamma_before + (diagonal[i] - gamma)
                p = gamma * gamma / cosine if cosine != 0.0 else cosine_before * square
            squares[first] = sine * p
            diagonal[first] = shift + gamma


def _last_hidden(layout: wsbench.Layout) -> str:
    """Return the last hidden layer, or the output of a network without any."""
    return ["output", *layout.hidden_units][-1]
