"""`cka`: one minus the linear centred kernel alignment of two checkpoints' activations.

*Similarity of Neural Network Representations Revisited* (Kornblith, Norouzi, Lee and Hinton 2019,
arXiv 1905.00414, section 3 and Table 1). X and Y hold the activations of one layer, a row for each
sample and a column for each unit, and every column has mean 0. With linear kernels,

    HSIC(X, Y) = ‖YᵀX‖²_F        CKA(X, Y) = HSIC(X, Y) / √(HSIC(X, X) · HSIC(Y, Y))

where HSIC stands without the factor (n_samples − 1)⁻², which cancels. CKA is in [0, 1]. Orthogonal
maps of the units, permutations among them, and a scale common to a whole layer do not change it.
"""

import numpy as np
import numpy.typing as npt

import wsbench

Array = npt.NDArray[np.float64]


class CKA:
    """Compare checkpoints by one layer's activations on the probe inputs.

    Parameters
    ----------
    layer
        ``"hidden-1"``, ``"hidden-2"``, … or ``"output"``; None for the last hidden layer.

        The default was chosen on the validation models, by MAP@R. On mnist-mlp-v1 it is .626 and
        .636 for the two hidden layers, .571 for the output, .637 for the mean over all three; on
        mnist-cnn-v1 .680, .740 and .740. There the first layer, 4,500 samples for each of 16 units,
        takes minutes where the last hidden one takes seconds, and so would a mean over layers.
    """

    info = wsbench.MethodInfo(
        name="cka",
        version="1",
        description="1 - linear CKA of the last hidden layer's activations",
        invariances={"hidden-permutation", "sign-flip"},
        needs={"activations"},
        paper_url="https://arxiv.org/abs/1905.00414",
    )

    def __init__(self, layer: str | None = None) -> None:
        self.layer = layer

    def pairwise(self, checkpoints: wsbench.Checkpoints) -> Array:
        """Return 1 − CKA, ``(n_checkpoints, n_checkpoints)``, in [0, 1].

        A dead layer, with the same activations for every sample, has distance 1 from every other.
        """
        layer = _last_hidden(checkpoints.layout) if self.layer is None else self.layer
        hsic = _hsic(checkpoints.activations(layer))
        norms = np.sqrt(hsic.diagonal())
        norms = np.where(norms > 0, norms, 1.0)  # of a dead layer, whose HSIC is 0 with any other
        distances = np.clip(1 - hsic / norms / norms[:, None], 0, 1)
        upper = np.triu(distances, 1)
        return upper + upper.T

    def order(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.intp]:
        """Put one model's checkpoints in the order of the curve that they lie on.

        It uses √(1 − CKA), which is proportional to a small change, not to its square. With 1 − CKA
        the affinity of early and late epochs is 0, and rounding decides (on mnist-mlp-v1 τ varied
        between .51 and .57). Kendall's τ on the validation models is .56 on mnist-mlp-v1 and .90 on
        mnist-cnn-v1; by linkage heights .40 and .76.
        """
        if len(checkpoints) < 3:  # no distance tells which of two came first
            return np.arange(len(checkpoints))
        return wsbench.spectral_order(np.sqrt(self.pairwise(checkpoints)))


def _hsic(activations: npt.NDArray[np.float32]) -> Array:
    """Return ‖YᵀX‖²_F for all pairs i ≤ j of ``(n_checkpoints, n_units, n_samples)`` activations.

    The units of a block of checkpoints stand below each other in one matrix, so that one product
    gives YᵀX for all pairs of two blocks, and memory holds one block of products. In float64: the
    smallest distances are 1e-6 (mnist-cnn-v1, first layer), and float32 errs by up to 6e-7.
    """
    n, u, _ = activations.shape
    hsic = np.zeros((n, n))
    size = max(1, 1000 // u)  # checkpoints in a block: products of 1000 × 1000 stay in the caches
    for i in range(0, n, size):
        left = _centred(activations[i : i + size])
        for j in range(i, n, size):
            right = _centred(activations[j : j + size])
            products = (left @ right.T).reshape(-1, u, len(right) // u, u)
            squares = np.einsum("xayb,xayb->xy", products, products)
            hsic[i : i + size, j : j + size] = squares
    return hsic


def _centred(activations: npt.NDArray[np.float32]) -> Array:
    """Subtract its mean from every unit and set dead layers to 0: (n, u, m) becomes (n·u, m).

    A layer is dead if it varies by no more than the rounding of its float32 values. Units with the
    same inputs in every sample can still differ in the last digit: BLAS sums in several orders.
    """
    x = activations.astype(np.float64)
    rounding = 1e-6 * np.linalg.norm(x, axis=(1, 2))
    x -= x.mean(axis=2, keepdims=True)
    x[np.linalg.norm(x, axis=(1, 2)) <= rounding] = 0
    centred: Array = x.reshape(-1, x.shape[2])
    return centred


def _last_hidden(layout: wsbench.Layout) -> str:
    """Return the last hidden layer, or the output of a network without any."""
    return ["output", *layout.hidden_units][-1]
