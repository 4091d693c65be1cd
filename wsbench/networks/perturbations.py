"""The changes made to the weights before a method sees them, each under its name in a task.

- ``none`` is what the others are compared with.
- Compression asks how much of the weights' precision a method needs. ``svd-k`` keeps the part on
  the k leading singular directions of the train models; ``float16``, ``bfloat16``, ``int8`` and
  ``int4`` round; ``prune-s`` sets the smallest s per cent of each tensor to zero.
- Symmetry asks whether a method reads the function or its parametrisation. ``permute`` and
  ``rescale`` leave the function as it is; ``permute+int8`` leaves that of ``int8``.

All return new float32 weights of the same shape, as weights are what a method takes, and expect
finite ones. All but ``svd-k`` promise bits; that one is a product of matrices, and promises bits
only where the BLAS and its number of threads are the same.
"""

from collections.abc import Callable
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from wsbench.networks.layout import Layout
from wsbench.networks.symmetries import APPLIES_TO, permute_hidden, rescale_hidden
from wsbench.suggestions import unknown_name_error

Floats = npt.NDArray[np.float32]
Directions = npt.NDArray[np.float64]
Perturbation = Callable[[Floats, Layout, np.random.Generator], Floats]

_LARGEST_FLOAT16 = np.float32(65504)
_LARGEST_BFLOAT16 = np.uint32(0x7F7F0000).view(np.float32)  # about 3.39e38


def _copied(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    return weights.copy()


def _projected(
    directions: Directions, weights: Floats, layout: Layout, rng: np.random.Generator
) -> Floats:
    return (weights.astype(np.float64) @ directions @ directions.T).astype(np.float32)


def _float16(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    finite = np.clip(weights, -_LARGEST_FLOAT16, _LARGEST_FLOAT16)
    return finite.astype(np.float16).astype(np.float32)


def _bfloat16(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    """Keep the upper 16 bits, rounded to nearest, ties to even."""
    bits = np.clip(weights, -_LARGEST_BFLOAT16, _LARGEST_BFLOAT16).view(np.uint32)
    is_odd = (bits >> np.uint32(16)) & np.uint32(1)
    rounded = (bits + np.uint32(0x7FFF) + is_odd) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32)


def _quantised(levels: int, values: Floats) -> Floats:
    """Round the values of each row to multiples of max|w| / levels, ties to even.

    Krishnamoorthi 2018 (arXiv:1806.08342), section 2.2, on as many levels below zero as above. In
    float64, where w · levels is exact: ties are ties, the largest value stays as it is, and to
    quantise again changes no bit. In float32 that does not hold.
    """
    wide = values.astype(np.float64)
    largest = np.abs(wide).max(axis=1, keepdims=True)
    largest[largest == 0] = 1
    quantised: Floats = (np.rint(wide * levels / largest) * largest / levels).astype(np.float32)
    return quantised


def _pruned(per_cent: int, values: Floats) -> Floats:
    """Set the smallest of each row to zero, the earlier of two that are as small.

    A stable sort, as a partition may choose among ties by the processor's vector width.
    """
    smallest_first = np.argsort(np.abs(values), axis=1, kind="stable")
    result = values.copy()
    n_zeros = values.shape[1] * per_cent // 100
    np.put_along_axis(result, smallest_first[:, :n_zeros], np.float32(0), axis=1)
    return result


def _each_tensor(
    change: Callable[[Floats], Floats], weights: Floats, layout: Layout, rng: np.random.Generator
) -> Floats:
    """Change every tensor of each checkpoint by itself: (n_checkpoints, size) at a time."""
    result = np.empty_like(weights)
    for tensor in layout.tensors:
        part = slice(tensor.start, tensor.stop)
        result[:, part] = change(weights[:, part])
    return result


_int8: Perturbation = partial(_each_tensor, partial(_quantised, 127))


def _permuted_int8(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    return _int8(permute_hidden(weights, layout, rng), layout, rng)


def _rescaled(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    if not applicable("rescale", layout):
        allowed = ", ".join(APPLIES_TO["positive-rescaling"])
        raise ValueError(f"rescale: activation {layout.activation!r} is not one of {allowed}")
    return rescale_hidden(weights, layout, rng)


_N_DIRECTIONS = {f"svd-{k}": k for k in (500, 100, 50, 25, 10, 5)}
_ROUNDING: dict[str, Perturbation] = {
    "float16": _float16,
    "bfloat16": _bfloat16,
    "int8": _int8,
    "int4": partial(_each_tensor, partial(_quantised, 7)),
}
_PRUNING: dict[str, Perturbation] = {
    f"prune-{share}": partial(_each_tensor, partial(_pruned, share)) for share in (50, 80, 90, 95)
}
_SYMMETRY: dict[str, Perturbation] = {
    "permute": permute_hidden,
    "permute+int8": _permuted_int8,
    "rescale": _rescaled,
}
_WITHOUT_TRAIN = {"none": _copied, **_ROUNDING, **_PRUNING, **_SYMMETRY}

COMPRESSION: tuple[str, ...] = (*_N_DIRECTIONS, *_ROUNDING, *_PRUNING)
SYMMETRY: tuple[str, ...] = tuple(_SYMMETRY)
PERTURBATIONS: tuple[str, ...] = ("none", *COMPRESSION, *SYMMETRY)


def applicable(name: str, layout: Layout) -> bool:
    """Return whether networks of a layout can be transformed.

    All can, except by ``rescale`` where the activation is not positively homogeneous.

    Raises
    ------
    UnknownIdError
        If the name is not one of `PERTURBATIONS`.

    Examples
    --------
    >>> layout = Layout.of([("fc.weight", (2, 3), ("output", "input"))], "sigmoid")
    >>> applicable("permute", layout), applicable("rescale", layout)
    (True, False)
    """
    if name not in PERTURBATIONS:
        raise unknown_name_error("perturbation", name, PERTURBATIONS)
    return name != "rescale" or layout.activation in APPLIES_TO["positive-rescaling"]


class Perturbations:
    """The perturbations by name, with what they need of the train models.

    Parameters
    ----------
    train_weights
        The train models' checkpoints, ``(n_checkpoints, n_parameters)``. Only ``svd-k`` reads them.

    Examples
    --------
    >>> layout = Layout.of([("fc.weight", (2, 3), ("output", "input"))], "relu")
    >>> weights = np.array([[1, -2, 3, -4, 5, -6]], np.float32)
    >>> prune = Perturbations(train_weights=weights).get("prune-50")
    >>> prune(weights, layout, np.random.default_rng(0))
    array([[ 0.,  0.,  0., -4.,  5., -6.]], dtype=float32)
    """

    def __init__(self, train_weights: Floats) -> None:
        self._train_weights = train_weights

    def get(self, name: str) -> Perturbation:
        """Return the perturbation of this name.

        Raises
        ------
        UnknownIdError
            If it is not one of `PERTURBATIONS`.
        """
        if name in _N_DIRECTIONS:
            return partial(_projected, self.directions[:, : _N_DIRECTIONS[name]])
        if name not in _WITHOUT_TRAIN:
            raise unknown_name_error("perturbation", name, PERTURBATIONS)
        return _WITHOUT_TRAIN[name]

    @cached_property
    def directions(self) -> Directions:
        """Right singular vectors of the train weights, uncentred: ``(n_parameters, n_directions)``.

        Leading first, and only those whose singular value is not zero but for rounding. Found once,
        for every k, as eigenvectors of the Gram matrix WᵀW in float64: for 7,500 × 2,160 in a
        third of the time of a truncated SVD.
        """
        weights = self._train_weights.astype(np.float64)
        values, vectors = np.linalg.eigh(weights.T @ weights)  # eigenvalues ascending
        is_zero = values <= values[-1] * max(weights.shape) * np.finfo(np.float64).eps
        return vectors[:, ~is_zero][:, ::-1][:, : len(weights)]
