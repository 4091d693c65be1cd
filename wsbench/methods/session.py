"""A session: one method on the networks of one layout, asked, timed, and its answers checked."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from wsbench.errors import MethodError
from wsbench.methods.protocol import LoadedMethod
from wsbench.metrics.distances import pairwise_euclidean
from wsbench.networks.checkpoints import Checkpoints, Labels
from wsbench.networks.layout import Layout
from wsbench.seeding import generator

T = TypeVar("T")
Floats = npt.NDArray[np.float32]
Distances = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


class Session:
    """One method on one zoo's networks.

    Parameters
    ----------
    loaded
        The method.
    layout, probe_inputs
        Of the zoo.
    seed
        For the method's own ``rng``.

    Attributes
    ----------
    seconds
        Wall time of ``"fit"``, ``"embed"`` (distances) and ``"order"`` so far.
    """

    def __init__(
        self, loaded: LoadedMethod, layout: Layout, probe_inputs: Floats, seed: int
    ) -> None:
        self.seconds = {"fit": 0.0, "embed": 0.0, "order": 0.0}
        self._loaded = loaded
        self._layout = layout
        self._probe_inputs = probe_inputs
        self._seed = seed
        self._fitted_on: Floats | None = None
        self._asked: tuple[Floats, Distances] | None = None

    @property
    def has_order(self) -> bool:
        """Whether the method puts checkpoints in order itself."""
        return hasattr(self._loaded.method, "order")

    def fit(self, weights: Floats, labels: Labels | None = None) -> None:
        """Fit the method, unless the last fit was on the same array.

        Parameters
        ----------
        weights
            ``(n_checkpoints, n_parameters)``.
        labels
            Their models and epochs, which the method sees if it declares that it needs them.
        """
        if weights is self._fitted_on:
            return
        view = self._loaded.view(weights, self._layout, self._probe_inputs, labels)
        self._timed("fit", lambda: self._loaded.fit(view, generator(self._seed, "method")))
        self._fitted_on, self._asked = weights, None

    def distances(self, weights: Floats, layout: Layout | None = None) -> Distances:
        """Return the distances between checkpoints, ``(n, n)``: the method's, or its embedding's.

        The distances of the last array are kept, and asking about it again costs nothing.

        Parameters
        ----------
        weights
            ``(n, n_parameters)``.
        layout
            Theirs; None for the zoo's.

        Raises
        ------
        MethodError
            If the answer has another shape, is not symmetric, or holds NaN or infinity.
        """
        if layout is None and self._asked is not None and self._asked[0] is weights:
            return self._asked[1]
        found = self._timed("embed", lambda: self._distances(self._view(weights, layout)))
        self._asked = (weights, found) if layout is None else None
        return found

    def order(self, weights: Floats) -> Rows:
        """Return the method's order of one model's checkpoints, ``(k,)``, first epoch first.

        Raises
        ------
        MethodError
            If the answer is not a permutation.
        """
        method: Any = self._loaded.method
        view = self._view(weights)
        n, order = len(view), np.asarray(self._timed("order", lambda: method.order(view)))
        is_right = order.shape == (n,) and order.dtype.kind in "iu"
        if not is_right or set(order.tolist()) != set(range(n)):
            raise MethodError(f"order must return a permutation of 0 … {n - 1}, got {order!r:.80}")
        return order.astype(np.intp)

    def answer(self, weights: Floats) -> npt.NDArray[Any]:
        """Return the method's own answer, unchecked: its distances or its embedding."""
        method: Any = self._loaded.method
        ask = method.pairwise if self._loaded.gives_distances else method.transform
        return np.asarray(ask(self._view(weights)))

    def _view(self, weights: Floats, layout: Layout | None = None) -> Checkpoints:
        return self._loaded.view(weights, layout or self._layout, self._probe_inputs)

    def _distances(self, view: Checkpoints) -> Distances:
        method: Any = self._loaded.method
        if self._loaded.gives_distances:
            return _checked_distances(method.pairwise(view), len(view))
        return pairwise_euclidean(_checked_embedding(method.transform(view), len(view)))

    def _timed(self, part: str, call: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = call()
        self.seconds[part] += time.perf_counter() - start
        return result


def _checked_embedding(embedding: Any, n: int) -> npt.NDArray[np.floating[Any]]:
    array = _numbers("transform", embedding)
    if array.ndim != 2 or len(array) != n or not array.shape[1]:
        raise MethodError(f"transform returned shape {array.shape}, expected ({n}, d) with d ≥ 1")
    _check_finite("transform", array)
    return array


def _checked_distances(distances: Any, n: int) -> Distances:
    array = _numbers("pairwise", distances).astype(np.float64, copy=False)
    if array.shape != (n, n):
        raise MethodError(f"pairwise returned shape {array.shape}, expected ({n}, {n})")
    _check_finite("pairwise", array)
    largest = float(np.abs(array).max())
    # Rounding may leave a distance of nearly zero below it, and d(i, j) beside d(j, i).
    asymmetry, smallest = float(np.abs(array - array.T).max()), float(array.min())
    if asymmetry > 1e-6 * largest:
        raise MethodError(f"pairwise is not symmetric: d(i, j) and d(j, i) differ by {asymmetry:g}")
    if smallest < -1e-6 * largest:
        raise MethodError(f"pairwise returned a negative distance: {smallest:g}")
    return array


def _numbers(call: str, value: Any) -> npt.NDArray[np.floating[Any]]:
    if isinstance(value, np.ma.MaskedArray):
        raise MethodError(f"{call} returned a masked array, expected numbers without a mask")
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise MethodError(
            f"{call} returned {type(value).__name__} of {array.dtype}, expected numbers"
        )
    return array


def _check_finite(call: str, array: npt.NDArray[np.floating[Any]]) -> None:
    # Beyond 1e100 the squares would overflow, and distances be infinite or NaN.
    largest = np.abs(array).max(axis=1).astype(np.float64)
    wrong = ~(largest <= 1e100)
    if wrong.any():
        raise MethodError(
            f"{call} returned NaN, infinity or a number beyond 1e100 in {wrong.sum()} of"
            f" {len(array)} rows"
        )
