"""Sessions: one method on one zoo's networks, timed, with checked answers."""

import copy
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from wsbench.errors import MethodError, MethodFailedError
from wsbench.methods.protocol import LoadedMethod, MethodDescription
from wsbench.metrics.distances import pairwise_euclidean
from wsbench.networks.checkpoints import Labels
from wsbench.networks.layout import Layout
from wsbench.seeding import generator

T = TypeVar("T")
Floats = npt.NDArray[np.float32]
Distances = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


class Port(Protocol):
    """The connection to a method, in this process (`InProcess`) or another (`MethodProcess`)."""

    @property
    def description(self) -> MethodDescription:
        """What is known of the method."""

    def fit(
        self,
        weights: Floats,
        layout: Layout,
        probe_inputs: Floats,
        labels: Labels | None,
        rng: np.random.Generator,
    ) -> None:
        """Fit the method, if it can be."""

    def answer(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> npt.NDArray[Any]:
        """Return its distances or its embedding: numbers, otherwise unchecked."""

    def order(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> npt.NDArray[Any]:
        """Return its order of one model's checkpoints, unchecked."""

    def progress(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> npt.NDArray[Any]:
        """Return its number of each checkpoint, which grows with training, unchecked."""

    def leaves_input(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> bool:
        """Whether the weights are what they were when the method has answered."""

    def renew(self) -> bool:
        """Go on with an instance as it was after its fit; return whether it is fitted."""


class InProcess:
    """A method in this process."""

    def __init__(self, loaded: LoadedMethod) -> None:
        self.description = loaded.description
        self._loaded = loaded
        self._fitted: LoadedMethod | None = None  # a copy, made right after the fit

    def fit(
        self,
        weights: Floats,
        layout: Layout,
        probe_inputs: Floats,
        labels: Labels | None,
        rng: np.random.Generator,
    ) -> None:
        """Fit a new instance of the method, if it can be fitted."""
        self._loaded = _asked(self._loaded.renewed)
        view = self._loaded.view(weights, layout, probe_inputs, labels)
        _asked(lambda: self._loaded.fit(view, rng))
        self._fitted = _copied(self._loaded)

    def answer(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> npt.NDArray[Any]:
        """Return its distances or its embedding."""
        method: Any = self._loaded.method
        view = self._loaded.view(weights, layout, probe_inputs)
        if self.description.gives_distances:
            return _numbers("pairwise", _asked(lambda: method.pairwise(view)))
        return _numbers("transform", _asked(lambda: method.transform(view)))

    def leaves_input(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> bool:
        """Whether the weights are what they were when the method has answered."""
        method: Any = self._loaded.method
        view = self._loaded.view(weights, layout, probe_inputs)
        before = view.weights.copy()
        ask = method.pairwise if self.description.gives_distances else method.transform
        _asked(lambda: ask(view))
        return not view.weights.flags.writeable and bool((view.weights == before).all())

    def order(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> npt.NDArray[Any]:
        """Return its order of one model's checkpoints."""
        method: Any = self._loaded.method
        order = _asked(lambda: method.order(self._loaded.view(weights, layout, probe_inputs)))
        if np.asarray(order).dtype.kind not in "iu":
            raise MethodError(f"order must return a permutation, got {order!r:.80}")
        return np.asarray(order)

    def progress(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> npt.NDArray[Any]:
        """Return its number of each checkpoint."""
        method: Any = self._loaded.method
        view = self._loaded.view(weights, layout, probe_inputs)
        return _numbers("progress", _asked(lambda: method.progress(view)))

    def renew(self) -> bool:
        """Go on with an instance as it was after its fit; return whether it is fitted."""
        fitted = self._fitted and _copied(self._fitted)
        self._loaded = fitted or _asked(self._loaded.renewed)
        return fitted is not None


def _copied(loaded: LoadedMethod) -> LoadedMethod | None:
    """Return a method with a copy of its instance; None if that cannot be copied."""
    if loaded.make is None:
        return None
    try:
        return replace(loaded, method=copy.deepcopy(loaded.method))
    except Exception:  # an open file, for instance; it is fitted again instead
        return None


def _asked(call: Callable[[], T]) -> T:
    """Return what a method returns; its exceptions become `MethodFailedError`."""
    try:
        return call()
    except (Exception, SystemExit) as error:
        message = f"{type(error).__name__}: {error}"
        raise MethodFailedError(message, traceback.format_exc()) from error


class Session:
    """One method on one zoo's networks.

    Parameters
    ----------
    port
        The connection to the method.
    layout, probe_inputs
        Of the networks that are shown, and of the zoo.
    seed
        For the method's own ``rng``.

    Attributes
    ----------
    seconds
        Wall time of ``"fit"``, ``"embed"`` (distances) and ``"order"`` (order and progress) so far.
    """

    def __init__(self, port: Port, layout: Layout, probe_inputs: Floats, seed: int) -> None:
        self.seconds = dict.fromkeys(("fit", "embed", "order"), 0.0)
        self._port = port
        self._layout = layout
        self._probe_inputs = probe_inputs
        self._seed = seed
        self._fitted_on: Floats | None = None
        self._asked: tuple[Floats, Distances] | None = None

    def renew(self) -> None:
        """Go on with another instance of the method, fitted as before: a task must not teach it."""
        if not self._port.renew():
            self._fitted_on = None
        self._asked = None

    @property
    def has_order(self) -> bool:
        """Whether the method puts checkpoints in order itself."""
        return self._port.description.has_order

    @property
    def has_progress(self) -> bool:
        """Whether the method has a number for each checkpoint that grows with training."""
        return self._port.description.has_progress

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
        rng = generator(self._seed, "method")
        self._timed(
            "fit",
            lambda: self._port.fit(weights, self._layout, self._probe_inputs, labels, rng),
        )
        self._fitted_on, self._asked = weights, None

    def distances(self, weights: Floats, layout: Layout | None = None) -> Distances:
        """Return the distances between checkpoints, ``(n, n)``: the method's, or its embedding's.

        The distances of the last array are kept, and asking about it again costs nothing.

        Parameters
        ----------
        weights
            ``(n, n_parameters)``.
        layout
            Theirs; None for the session's.

        Raises
        ------
        MethodError
            If the answer has another shape, is not symmetric, or holds NaN or infinity.
        """
        if layout is None and self._asked is not None and self._asked[0] is weights:
            return self._asked[1]
        found = self._timed("embed", lambda: self._distances(weights, layout))
        self._asked = (weights, found) if layout is None else None
        return found

    def order(self, weights: Floats) -> Rows:
        """Return the method's order of one model's checkpoints, ``(k,)``, first epoch first.

        Raises
        ------
        MethodError
            If the answer is not a permutation.
        """
        order = self._timed(
            "order", lambda: self._port.order(weights, self._layout, self._probe_inputs)
        )
        n = len(weights)
        is_right = order.shape == (n,) and order.dtype.kind in "iu"
        if not is_right or set(order.tolist()) != set(range(n)):
            raise MethodError(f"order must return a permutation of 0 … {n - 1}, got {order!r:.80}")
        return order.astype(np.intp)

    def progress(self, weights: Floats) -> npt.NDArray[np.float64]:
        """Return the method's number of each checkpoint, ``(n,)``, which grows with training.

        Raises
        ------
        MethodError
            If the answer is not a number for each.
        """
        found = self._timed(
            "order", lambda: self._port.progress(weights, self._layout, self._probe_inputs)
        )
        if found.shape != (len(weights),):
            raise MethodError(f"progress returned shape {found.shape}, expected ({len(weights)},)")
        _check_finite("progress", found[:, None])
        return found.astype(np.float64)

    def answer(self, weights: Floats, layout: Layout | None = None) -> npt.NDArray[Any]:
        """Return the method's own answer, unchecked: its distances or its embedding."""
        return self._port.answer(weights, layout or self._layout, self._probe_inputs)

    def _distances(self, weights: Floats, layout: Layout | None) -> Distances:
        answer = self.answer(weights, layout)
        if self._port.description.gives_distances:
            return _checked_distances(answer, len(weights))
        return pairwise_euclidean(_checked_embedding(answer, len(weights)))

    def _timed(self, part: str, call: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = call()
        self.seconds[part] += time.perf_counter() - start
        return result


def _checked_embedding(array: npt.NDArray[Any], n: int) -> npt.NDArray[np.floating[Any]]:
    if array.ndim != 2 or len(array) != n or not array.shape[1]:
        raise MethodError(f"transform returned shape {array.shape}, expected ({n}, d) with d ≥ 1")
    _check_finite("transform", array)
    return array


def _checked_distances(distances: npt.NDArray[Any], n: int) -> Distances:
    array = distances.astype(np.float64, copy=False)
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
    if asymmetry or smallest < 0:  # neighbours, clusters and margin must agree with each other
        array = np.maximum((array + array.T) / 2, 0.0)
    return array


def _numbers(call: str, value: Any) -> npt.NDArray[np.floating[Any]]:
    if isinstance(value, np.ma.MaskedArray):
        raise MethodError(f"{call} returned a masked array, expected numbers without a mask")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:  # lists of different lengths
        raise MethodError(f"{call} returned {type(value).__name__}: {error}") from None
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
