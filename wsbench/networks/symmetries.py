"""Symmetries: changes of the weights that leave a network's function unchanged.

Each acts on the units of every hidden layer: on the tensors that produce them (weight, bias, batch
norm) and on the tensors that take them. Every checkpoint gets a group element of its own.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.errors import FormatError
from wsbench.networks.layers import layers
from wsbench.networks.layout import Layout, Tensor
from wsbench.typing import Floats, Indices

# The activations that each commutes with: any; odd functions; positively homogeneous functions.
APPLIES_TO = {
    "hidden-permutation": ("identity", "leaky-relu", "relu", "sigmoid", "tanh"),
    "sign-flip": ("identity", "tanh"),
    "positive-rescaling": ("identity", "leaky-relu", "relu"),
}


def obstacle(symmetry: str, layout: Layout) -> str | None:
    """Return why a symmetry may change the function of a layout's networks, or None.

    A hidden permutation needs nothing except axes that name the hidden units. The others need
    layers that the forward pass supports, an activation of `APPLIES_TO`, and, for sign flips, no
    max-pooling, as a maximum is not odd.

    Examples
    --------
    >>> layout = Layout.of([("fc.weight", (2, 3), ("output", "input"))], "sigmoid")
    >>> obstacle("positive-rescaling", layout)
    "activation 'sigmoid' is not one of identity, leaky-relu, relu"
    """
    if symmetry == "hidden-permutation":
        return None
    if layout.activation not in APPLIES_TO[symmetry]:
        allowed = ", ".join(APPLIES_TO[symmetry])
        return f"activation {layout.activation!r} is not one of {allowed}"
    try:
        chain = layers(layout)
    except FormatError as error:
        return str(error)
    pooled = [
        layer.weight.name
        for layer in chain
        if not layer.is_last and layer.convolution is not None and layer.convolution.pool > 1
    ]
    if symmetry == "sign-flip" and pooled:
        return f"max-pooling after {pooled[0]!r} is not odd"
    return None


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
        for tensor in layout.tensors:
            _on_axes(result, tensor, group, partial(_take, orders))
    return result


def flip_signs(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    """Return the weights with random hidden units negated, and what takes them negated too.

    Leaves the function unchanged where the activation is odd and nothing is max-pooled. Arguments
    as in `permute_hidden`.
    """
    result = weights.copy()
    for group, size in layout.hidden_units.items():
        signs = rng.choice(np.array([-1, 1], np.float32), (len(weights), size))
        _scale_units(result, layout, group, signs, signs)
    return result


def rescale_hidden(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    """Return the weights with hidden units scaled by 2⁻² … 2², and what takes them by the inverse.

    Leaves the function unchanged where the activation is positively homogeneous; powers of two
    round nothing. Arguments as in `permute_hidden`.
    """
    result = weights.copy()
    for group, size in layout.hidden_units.items():
        scales = np.exp2(rng.integers(-2, 3, (len(weights), size)), dtype=np.float32)
        _scale_units(result, layout, group, scales, np.reciprocal(scales))
    return result


ACTIONS: dict[str, Callable[[Floats, Layout, np.random.Generator], Floats]] = {
    "hidden-permutation": permute_hidden,
    "positive-rescaling": rescale_hidden,
    "sign-flip": flip_signs,
}


def _scale_units(
    weights: Floats, layout: Layout, group: str, factors: Floats, inverse: Floats
) -> None:
    """Scale, in place, what the units of a group give by the factors, and what takes them back.

    Batch norm undoes a factor on the weight and bias before it, except for its epsilon. So the
    factor goes to its scale and shift, and the weight, the bias and the statistics stay.
    """
    is_normalised = any(t.role == "scale" and t.axes[0] == group for t in layout.tensors)
    producing = {"scale", "shift"} if is_normalised else {"weight", "bias"}
    for tensor in layout.tensors:
        if tensor.axes[0] == group:
            if tensor.role in producing:
                _on_axes(weights, tensor, group, partial(_scale, factors))
        else:
            _on_axes(weights, tensor, group, partial(_scale, inverse))


def _on_axes(
    weights: Floats, tensor: Tensor, group: str, change: Callable[[Floats, int], Floats]
) -> None:
    """Change, in place, a tensor along every axis of a group; axis 0 counts checkpoints."""
    for axis in (i for i, name in enumerate(tensor.axes, 1) if name == group):
        values = weights[:, tensor.start : tensor.stop].reshape(len(weights), *tensor.shape)
        changed = change(values, axis)
        weights[:, tensor.start : tensor.stop] = changed.reshape(len(weights), -1)


def _take(orders: Indices, values: Floats, axis: int) -> Floats:
    taken: Floats = np.take_along_axis(values, _along(orders, values, axis), axis)
    return taken


def _scale(factors: Floats, values: Floats, axis: int) -> Floats:
    scaled: Floats = values * _along(factors, values, axis)
    return scaled


def _along(of_units: npt.NDArray[Any], values: Floats, axis: int) -> npt.NDArray[Any]:
    """Reshape (n_checkpoints, n_units) so that it broadcasts over the other axes of values."""
    shape = [1] * values.ndim
    shape[0], shape[axis] = of_units.shape
    return of_units.reshape(shape)
