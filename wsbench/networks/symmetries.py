"""Changes of the weights that leave a network's function as it is.

Each acts on the units of every hidden layer: on the axis of the tensor that makes them, and on the
axis of the tensor that takes them, both of which a layout names ``"hidden-k"``. Every checkpoint
gets an element of the group of its own.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from wsbench.networks.layout import Layout

Floats = npt.NDArray[np.float32]

# The activations that each commutes with: any; odd functions; positively homogeneous functions.
APPLIES_TO = {
    "hidden-permutation": ("identity", "leaky-relu", "relu", "sigmoid", "tanh"),
    "sign-flip": ("identity", "tanh"),
    "positive-rescaling": ("identity", "leaky-relu", "relu"),
}


def permute_hidden(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    """Return the weights with the units of every hidden layer in a random order.

    Parameters
    ----------
    weights
        ``(n_checkpoints, n_parameters)``.
    layout
        Which slice of a row is which tensor.
    rng
        Draws an order for each layer of each checkpoint.
    """
    result = weights.copy()
    for group, size in layout.hidden_units.items():
        orders = np.argsort(rng.random((len(weights), size)), axis=1)
        _on_axes(result, layout, group, partial(_take, orders))
    return result


def flip_signs(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    """Return the weights with random hidden units negated, going in and coming out.

    Leaves the function as it is where the activation is odd. Arguments as in `permute_hidden`.
    """
    result = weights.copy()
    for group, size in layout.hidden_units.items():
        signs = rng.choice(np.array([-1, 1], np.float32), (len(weights), size))
        _on_axes(result, layout, group, partial(_scale, signs, signs))
    return result


def rescale_hidden(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    """Return the weights with hidden units scaled by 2⁻² … 2², and what takes them by the inverse.

    Leaves the function as it is where the activation is positively homogeneous; powers of two round
    nothing. Arguments as in `permute_hidden`.
    """
    result = weights.copy()
    for group, size in layout.hidden_units.items():
        scales = np.exp2(rng.integers(-2, 3, (len(weights), size)), dtype=np.float32)
        _on_axes(result, layout, group, partial(_scale, scales, np.reciprocal(scales)))
    return result


ACTIONS: dict[str, Callable[[Floats, Layout, np.random.Generator], Floats]] = {
    "hidden-permutation": permute_hidden,
    "positive-rescaling": rescale_hidden,
    "sign-flip": flip_signs,
}


def _on_axes(
    weights: Floats, layout: Layout, group: str, change: Callable[[Floats, int], Floats]
) -> None:
    """Change, in place, every tensor that has the group's axis; axis 0 counts checkpoints."""
    for tensor in layout.tensors:
        if group in tensor.axes:
            values = weights[:, tensor.start : tensor.stop].reshape(-1, *tensor.shape)
            changed = change(values, 1 + tensor.axes.index(group))
            weights[:, tensor.start : tensor.stop] = changed.reshape(len(weights), -1)


def _take(orders: npt.NDArray[np.intp], values: Floats, axis: int) -> Floats:
    taken: Floats = np.take_along_axis(values, _along(orders, values, axis), axis)
    return taken


def _scale(going_in: Floats, coming_out: Floats, values: Floats, axis: int) -> Floats:
    """Scale the units' weights: axis 1 of a tensor counts what it gives, others what it takes."""
    scaled: Floats = values * _along(going_in if axis == 1 else coming_out, values, axis)
    return scaled


def _along(of_units: npt.NDArray, values: Floats, axis: int) -> npt.NDArray:  # type: ignore[type-arg]
    """Reshape (n_checkpoints, n_units) so that it broadcasts over the other axes of values."""
    shape = [1] * values.ndim
    shape[0], shape[axis] = of_units.shape
    return of_units.reshape(shape)
