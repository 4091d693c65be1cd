"""`chain` and `chain-normalised`: the chain alignment rule of function feature learning (FFL).

The product of the first l weight matrices, each as inputs × outputs, ends in the units of layer l.
Multiplied by its own transpose, it does not depend on the numbering of the units in any layer:

    X = W_1 W_2 … W_l,    X Xᵀ = W_1 W_2 … W_l W_lᵀ … W_2ᵀ W_1ᵀ

(equation 8 of *Function Feature Learning of Neural Networks*, under review at ICLR 2020). This
feature has as many rows and columns as the network has inputs, and it is never formed here. Inner
products, norms and distances of features follow from the products X alone:

    ⟨X Xᵀ, Y Yᵀ⟩ = ‖Xᵀ Y‖².

For an MLP, one matrix product gives them for all pairs. A convolution is contracted over channels
and keeps its taps, so that the rows of X become (input, tap, tap, …), nine times more with every
3 × 3 layer. The small matrix Xᵀ Y, units of one network by units of the other, does not need these
rows. It is a sum over all of them, and follows from layer to layer by a sum over the newest tap,

    K_l = Σ_t W_l[t]ᵀ K_(l−1) V_l[t]    for the chains W and V,

after which ‖Xᵀ Y‖² = ‖K_l‖². Biases, activations and normalisation layers are ignored.
"""

from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt

import wsbench

Array = npt.NDArray[np.float64]
Factors = list[Array]

# Memory for a tile of pairs. An MLP's tile is one product, of 72 × 72 pairs of ten units, at four
# fifths of the speed of a much larger one. A CNN's is many small ones, with operands in cache.
_TILE_BYTES = 1 << 22
# Share of two squared norms; rounding leaves some 1e-15 of them where two features are the same.
_RESOLUTION = 1e-13


class Chain:
    """Compare checkpoints by the features of chain l, the network up to layer l.

    Parameters
    ----------
    chain
        The layer l where the chain ends. The second tells models apart best: MAP@R is .59 on the
        MNIST MLPs and .84 on the CNNs. With the first it is .55 and .67; with the third, which is
        the whole network, .55 and .83.
    distance
        ``"cosine"`` divides every feature by its norm first, ``"plain"`` does not. Weights grow in
        training, and plain distances mostly measure that growth: MAP@R is .57 and .77.

    Raises
    ------
    ValueError
        If `chain` is not a whole number from 1, or `distance` is another word.
    """

    # Positive rescaling changes a chain that ends before the last layer.
    info = wsbench.MethodInfo(
        name="chain",
        version="1",
        description="chain alignment: the product of the first two layers, times its transpose",
        invariances={"hidden-permutation", "sign-flip"},
    )

    def __init__(self, chain: int = 2, distance: str = "cosine") -> None:
        if type(chain) is not int or chain < 1:
            raise ValueError(f"chain={chain!r}: expected a whole number from 1")
        if distance not in ("cosine", "plain"):
            raise ValueError(f"distance={distance!r}: expected 'cosine' or 'plain'")
        self.chain = chain
        self.distance = distance

    def pairwise(self, checkpoints: wsbench.Checkpoints) -> Array:
        """Return the distances of the features, ``(n_checkpoints, n_checkpoints)``."""
        factors = chain_factors(self._matrices(checkpoints))
        if self.distance == "cosine":
            factors = unit_features(factors)
        return chain_distances(factors)

    def order(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.intp]:
        """Put one model's checkpoints in the order of the curve that they lie on.

        Kendall's τ is .66 on the MNIST MLPs and 1.00 on the CNNs; by linkage heights .37 and .91.
        """
        return wsbench.spectral_order(self.pairwise(checkpoints))

    def _matrices(self, checkpoints: wsbench.Checkpoints) -> list[Array]:
        return layer_matrices(checkpoints, self.chain)


class ChainNormalised(Chain):
    """Compare checkpoints by chains of two layers or more, every row of their matrices at norm 1.

    "Note that we normalize the weights of each layer in MLP" (the paper, section 3.3). Every pixel
    and every unit then counts equally, however strong its outgoing weights are. MAP@R is .74 on the
    MNIST MLPs and .88 on the CNNs with the second chain, .70 and .86 with the third.

    Parameters
    ----------
    chain, distance
        As in `Chain`. With ``chain=1`` the two methods are the same.
    """

    info = wsbench.MethodInfo(
        name="chain-normalised",
        version="1",
        description="chain alignment of two layers, the weights from each unit at norm 1",
        invariances={"hidden-permutation", "sign-flip"},
    )

    def _matrices(self, checkpoints: wsbench.Checkpoints) -> list[Array]:
        matrices = layer_matrices(checkpoints, self.chain)
        return [rows_normalised(matrix) for matrix in matrices] if self.chain > 1 else matrices


def layer_matrices(checkpoints: wsbench.Checkpoints, n_layers: int) -> list[Array]:
    """Return W_1, …, W_n of every checkpoint.

    Parameters
    ----------
    checkpoints
        Checkpoints of a network in which every weight tensor takes the outputs of the one before.
    n_layers
        Number of layers.

    Returns
    -------
    matrices
        float64, each ``(n_checkpoints, n_in, n_taps, n_out)``; a linear layer has one tap.

    Raises
    ------
    wsbench.MethodError
        If the network has fewer layers, or a tensor does not follow the one before.
    """
    tensors = [tensor for tensor in checkpoints.layout.tensors if len(tensor.axes) > 1]  # no biases
    if n_layers > len(tensors):
        raise wsbench.MethodError(
            f"chain={n_layers}: this layout has {len(tensors)} layers,"
            f" {', '.join(tensor.name for tensor in tensors)}; expected 1 to {len(tensors)}"
        )
    units = "input"
    for tensor in tensors[:n_layers]:
        if tensor.axes[1] != units:
            raise wsbench.MethodError(
                f"chain={n_layers}: tensor {tensor.name!r} takes {tensor.axes[1]!r}, but the"
                f" tensor before it ends in {units!r}; expected layers that follow each other"
            )
        units = tensor.axes[0]
    return [_as_matrix(checkpoints.tensors(tensor.name)) for tensor in tensors[:n_layers]]


def _as_matrix(tensor: npt.NDArray[np.float32]) -> Array:
    taps_last = tensor.reshape(*tensor.shape[:3], -1)
    return np.array(taps_last.transpose(0, 2, 3, 1), np.float64, order="C")


def rows_normalised(matrix: Array) -> Array:
    """Divide the outgoing weights of each unit (and tap) by their norm, unless it is 0.

    Parameters
    ----------
    matrix
        ``(n_checkpoints, n_in, n_taps, n_out)``.
    """
    norm = np.linalg.norm(matrix, axis=3, keepdims=True)
    normalised: Array = matrix / np.where(norm > 0, norm, 1.0)
    return normalised


def chain_factors(matrices: list[Array]) -> Factors:
    """Multiply a chain out as far as that saves work on each pair.

    A layer with one tap only mixes the outputs of the layer before, so it is multiplied into it. An
    MLP is left with a single factor, X itself, transposed. A convolution is multiplied into X where
    the inner product of two X takes less than the sum over its taps: a fifth for the second layer
    of the MNIST CNNs, whose X then has 81 rows.

    Parameters
    ----------
    matrices
        W_1, …, W_l of every checkpoint, each ``(n_checkpoints, n_in, n_taps, n_out)``.

    Returns
    -------
    factors
        The first ``(n_checkpoints, n_1, n_rows)``, with inputs and taps in one axis; any others
        ``(n_checkpoints, n_(l-1), n_taps, n_l)``.

    Examples
    --------
    >>> [f.shape for f in chain_factors([np.ones((5, 196, 1, 10)), np.ones((5, 10, 1, 10))])]
    [(5, 10, 196)]
    >>> [f.shape for f in chain_factors([np.ones((5, 1, 9, 16)), np.ones((5, 16, 9, 8))])]
    [(5, 8, 81)]
    >>> [f.shape for f in chain_factors([np.ones((5, 3, 9, 8)), np.ones((5, 8, 9, 16))])]
    [(5, 8, 27), (5, 8, 9, 16)]
    """
    first, *others = matrices
    factors = [first]
    for matrix in others:
        n_rows, (_, n_in, n_taps, n_out) = factors[0][0, ..., 0].size, matrix.shape
        if n_taps == 1:
            factors[-1] = factors[-1] @ matrix[:, None, :, 0]
        elif len(factors) == 1 and n_rows * n_taps * n_out <= n_in * n_taps * (n_in + n_out):
            X = factors[0].reshape(len(first), n_rows, 1, n_in)
            factors = [np.einsum("arsm,amtn->arstn", X, matrix).reshape(len(first), -1, 1, n_out)]
        else:
            factors.append(matrix)
    rows_last = factors[0].reshape(len(first), -1, factors[0].shape[3]).swapaxes(1, 2)
    return [np.ascontiguousarray(rows_last), *factors[1:]]


def unit_features(factors: Factors) -> Factors:
    """Scale every chain so that its feature has norm 1, unless it is 0."""
    norms = np.sqrt(_squared_norms(factors))
    # A feature is of second degree in its chain, and scaling the first factor scales the chain.
    scale = 1.0 / np.sqrt(np.where(norms > 0, norms, 1.0))
    return [factors[0] * scale[:, None, None], *factors[1:]]


def chain_kernel(left: Factors, right: Factors) -> Array:
    """Compute the inner product ‖Xᵀ Y‖² of every feature on the left with every one on the right.

    All pairs are in memory at once, so pass some tens of checkpoints at a time. Axis letters: a, b
    checkpoints on the left and right; m, n their units; t taps.

    Parameters
    ----------
    left, right
        Factors of the same architecture, from `chain_factors`.

    Returns
    -------
    kernel
        ``(n_left, n_right)``.
    """
    # Units come first, so that the sum over them at the end runs along b, which is long.
    K = np.tensordot(left[0].swapaxes(0, 1), right[0].swapaxes(0, 1), axes=(2, 2))  # (m, a, n, b)
    K = K.transpose(1, 3, 0, 2)  # (a, b, m, n)
    for W, V in zip(left[1:], right[1:], strict=True):
        a, m, n_taps, _ = W.shape
        b, n, _, _ = V.shape
        KV = np.ascontiguousarray(K) @ V.reshape(b, n, -1)  # (a, b, m, tn'), all taps side by side
        W = W.reshape(a, 1, m * n_taps, -1)
        K = W.swapaxes(2, 3) @ KV.reshape(a, b, m * n_taps, -1)  # (a, b, m', n')
    kernel: Array = np.einsum("abmn,abmn->ab", K, K)
    return kernel


def chain_distances(factors: Factors) -> Array:
    """Compute the distance of every two features, ‖X Xᵀ − Y Yᵀ‖.

    Its square is ‖Xᵀ X‖² + ‖Yᵀ Y‖² − 2 ‖Xᵀ Y‖², in float64. A result below 1e-13 of the squared
    norms is rounding, and the distance is set to 0.

    Parameters
    ----------
    factors
        Factors of all checkpoints, from `chain_factors` or `unit_features`.

    Returns
    -------
    distances
        ``(n_checkpoints, n_checkpoints)``, exactly symmetric, the diagonal exactly 0.
    """
    n = len(factors[0])
    squared_norms = _squared_norms(factors)
    distances = np.empty((n, n))
    side = _tile_side(factors)
    parts = [slice(start, start + side) for start in range(0, n, side)]
    for rows, columns in combinations_with_replacement(parts, 2):
        squared = -2.0 * chain_kernel(_part(factors, rows), _part(factors, columns))
        scale = squared_norms[rows, None] + squared_norms[columns]
        squared += scale
        squared[squared < _RESOLUTION * scale] = 0.0
        tile = np.sqrt(squared)
        if rows == columns:
            tile = np.triu(tile, 1) + np.triu(tile, 1).T
        distances[rows, columns] = tile
        distances[columns, rows] = tile.T
    return distances


def _squared_norms(factors: Factors) -> Array:
    each = (_part(factors, slice(i, i + 1)) for i in range(len(factors[0])))
    return np.array([chain_kernel(one, one)[0, 0] for one in each])


def _part(factors: Factors, rows: slice) -> Factors:
    return [factor[rows] for factor in factors]


def _tile_side(factors: Factors) -> int:
    """Return the number of checkpoints on a side that keeps `chain_kernel` below `_TILE_BYTES`."""
    largest = max(factors[0].shape[1] ** 2, *(f[0].size for f in factors[1:]), 1)  # K, KV of a pair
    return max(1, int(np.sqrt(_TILE_BYTES / (8 * largest))))
