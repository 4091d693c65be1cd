"""Asking a method, and refusing what is no answer."""

from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.errors import MethodError
from wsbench.methods.protocol import LoadedMethod
from wsbench.metrics.distances import pairwise_euclidean
from wsbench.networks.checkpoints import Checkpoints


def ask_distances(loaded: LoadedMethod, checkpoints: Checkpoints) -> npt.NDArray[np.float64]:
    """Return a method's distances, ``(n, n)``: its own, or those of its embedding.

    Raises
    ------
    MethodError
        If the answer has another shape, is not symmetric, or holds what is no number.
    """
    method: Any = loaded.method
    n = len(checkpoints)
    if loaded.gives_distances:
        return _checked_distances(method.pairwise(checkpoints), n)
    return pairwise_euclidean(_checked_embedding(method.transform(checkpoints), n))


def ask_order(loaded: LoadedMethod, checkpoints: Checkpoints) -> npt.NDArray[np.intp]:
    """Return a method's order of one model's checkpoints, ``(k,)``.

    Raises
    ------
    MethodError
        If the answer is no permutation.
    """
    method: Any = loaded.method
    n, order = len(checkpoints), np.asarray(method.order(checkpoints))
    if order.shape != (n,) or order.dtype.kind not in "iu" or set(order.tolist()) != set(range(n)):
        raise MethodError(f"order must return a permutation of 0 … {n - 1}, got {order!r:.80}")
    return order.astype(np.intp)


def _checked_embedding(embedding: Any, n: int) -> npt.NDArray[np.floating[Any]]:
    array = _numbers("transform", embedding)
    if array.ndim != 2 or len(array) != n or not array.shape[1]:
        raise MethodError(f"transform returned shape {array.shape}, expected ({n}, d) with d ≥ 1")
    _check_finite("transform", array)
    return array


def _checked_distances(distances: Any, n: int) -> npt.NDArray[np.float64]:
    array = _numbers("pairwise", distances).astype(np.float64, copy=False)
    if array.shape != (n, n):
        raise MethodError(f"pairwise returned shape {array.shape}, expected ({n}, {n})")
    _check_finite("pairwise", array)
    asymmetry = float(np.abs(array - array.T).max())
    if asymmetry > 1e-6 * float(np.abs(array).max()):
        raise MethodError(f"pairwise is not symmetric: d(i, j) and d(j, i) differ by {asymmetry:g}")
    return array


def _numbers(call: str, value: Any) -> npt.NDArray[np.floating[Any]]:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise MethodError(
            f"{call} returned {type(value).__name__} of {array.dtype}, expected numbers"
        )
    return array


def _check_finite(call: str, array: npt.NDArray[np.floating[Any]]) -> None:
    # Beyond 1e100 their squares would overflow, and distances be infinite or NaN.
    largest = np.abs(array).max(axis=1).astype(np.float64)
    wrong = ~(largest <= 1e100)
    if wrong.any():
        raise MethodError(
            f"{call} returned NaN, infinity or a number beyond 1e100 in {wrong.sum()} of"
            f" {len(array)} rows"
        )
