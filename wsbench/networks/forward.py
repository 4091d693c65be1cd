"""Forward pass: the activations of many checkpoints at once, in numpy, from their layout alone.

Axis letters: n checkpoints, v units of a layer, u units of the one before, h w rows and columns, i
inputs, t taps of a filter. Inputs stand last, so that a layer is one matrix product a checkpoint.
`layers` says which networks are supported.
"""

from collections.abc import Callable, Sequence

import numpy as np

from wsbench.errors import FormatError
from wsbench.networks.layers import EPSILON, BatchNorm, Layer, layers
from wsbench.networks.layout import Convolution, Layout, Tensor
from wsbench.typing import Floats

# Of the largest intermediate array; more is slower, as it no longer stays in the caches.
_BLOCK_BYTES = 32 << 20

ACTIVATIONS: dict[str, Callable[[Floats], Floats]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: np.float32(0.5) * (np.tanh(np.float32(0.5) * z) + np.float32(1)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, np.float32(0)),
    "leaky-relu": lambda z: np.maximum(z, np.float32(0.01) * z),
}


def activations(weights: Floats, layout: Layout, inputs: Floats, group: str) -> Floats:
    """Return a layer's activations on the inputs.

    Parameters
    ----------
    weights
        Flat weights, ``(n_checkpoints, n_parameters)``.
    layout
        The networks' layout, of layers that `wsbench.networks.layers` supports.
    inputs
        ``(n_inputs, …)``: as many values each as a linear first layer takes; for a convolution
        ``(n_inputs, n_rows, n_columns)`` or ``(n_inputs, n_channels, n_rows, n_columns)``.
    group
        ``"hidden-1"``, ``"hidden-2"``, … for the units of a hidden layer, after activation and
        pooling, or ``"output"``.

    Returns
    -------
    ndarray
        ``(n_checkpoints, n_units, n_samples)`` float32. For a convolution the channels are the
        units, and each position of each input is a sample, position-major.

    Raises
    ------
    FormatError
        If the layout holds something that is not supported, no layer has these units, the inputs do
        not fit, or a variance is negative.

    Examples
    --------
    >>> layout = Layout.of([("fc.weight", (1, 2), ("output", "input"))], "relu")
    >>> weights, inputs = np.float32([[3, 4]]), np.float32([[1, 1], [0, 2]])
    >>> activations(weights, layout, inputs, "output")
    array([[[7., 8.]]], dtype=float32)
    """
    chain = layers(layout)
    groups = [layer.units for layer in chain]
    if group not in groups:
        raise FormatError(f"no units {group!r} in this layout; it has {', '.join(groups)}")
    if layout.activation not in ACTIVATIONS:
        raise FormatError(
            f"activation {layout.activation!r}: known are {', '.join(sorted(ACTIVATIONS))}"
        )
    used = chain[: groups.index(group) + 1]
    x = _as_images(inputs, used[0])
    rows = max(1, _BLOCK_BYTES // (4 * len(inputs) * _largest(used, x.shape[1:-1])))
    activate = ACTIVATIONS[layout.activation]
    starts = range(0, len(weights), rows)
    blocks = [_of_block(weights[i : i + rows], used, x, activate) for i in starts]
    return np.concatenate(blocks)


def _as_images(inputs: Floats, first: Layer) -> Floats:
    """Return the inputs as (1, u, h, w, i), or (1, u, i) for a linear layer on flat inputs.

    One checkpoint stands for all.
    """
    weight = first.weight
    if len(weight.shape) == 2:
        x = inputs.reshape(len(inputs), -1)
    else:
        x = inputs[:, None] if inputs.ndim == 3 else inputs
    if x.ndim != len(weight.shape) or x.shape[1] != weight.shape[1]:
        raise FormatError(
            f"forward pass: probe inputs of shape {inputs.shape} do not fit {weight.name!r} of"
            f" shape {weight.shape}"
        )
    return np.moveaxis(x, 0, -1)[None]


def _largest(chain: Sequence[Layer], shape: tuple[int, ...]) -> int:
    """Return the numbers in the largest array of one checkpoint and input, with (u, h, w) given.

    Raises
    ------
    FormatError
        If an image does not fit a layer.
    """
    largest = 0
    for layer in chain:
        weight, how = layer.weight, layer.convolution
        if how is None:
            if int(np.prod(shape)) != int(np.prod(weight.shape[1:])):
                raise FormatError(
                    f"forward pass: {weight.name!r} takes {weight.shape[1:]} values, and the layer"
                    f" before it gives {shape}; a linear layer on an image has axes (units, inputs,"
                    " row, column)"
                )
            shape = weight.shape[:1]
        else:
            image, taps = shape[1:], weight.shape[2:]
            windows = [
                (n + 2 * how.padding - k) // how.stride + 1
                for n, k in zip(image, taps, strict=True)
            ]
            pooled = [n // how.pool for n in windows]
            if min(pooled) < 1:
                raise FormatError(
                    f"forward pass: {weight.name!r}, with filter {taps}, {how.padding} of padding"
                    f" and pooling by {how.pool}, leaves nothing of an image of {image}"
                )
            largest = max(largest, int(np.prod(weight.shape[1:])) * int(np.prod(windows)))
            shape = (weight.shape[0], *pooled)
        largest = max(largest, 9 * weight.shape[0])
    return largest


def _of_block(
    weights: Floats, chain: Sequence[Layer], x: Floats, activate: Callable[[Floats], Floats]
) -> Floats:
    for layer in chain:
        x = _apply(layer, weights, x)
        if not layer.is_last:
            x = activate(x)
    return x.reshape(len(weights), x.shape[1], -1)


def _apply(layer: Layer, weights: Floats, x: Floats) -> Floats:
    """Return what a layer gives before its activation: (n, v, i) or (n, v, h, w, i)."""
    weight, how = layer.weight, layer.convolution
    w = _slice(weights, weight).reshape(len(weights), weight.shape[0], -1)
    if how is None:
        z = w @ x.reshape(len(x), w.shape[2], -1)
    else:
        z = _convolve(w, x, weight.shape[2:], how)
    if layer.bias is not None:
        z += _beside(_slice(weights, layer.bias), z)
    if layer.norm is not None:
        z = _normalise(weights, layer.norm, z)
    return z if how is None else _max_pool(z, how.pool)


def _convolve(w: Floats, x: Floats, taps: tuple[int, ...], how: Convolution) -> Floats:
    """Return the convolution of x (n, u, h, w, i) by w (n, v, u·t): (n, v, h, w, i)."""
    border = (how.padding, how.padding)
    x = np.pad(x, ((0, 0), (0, 0), border, border, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, taps, axis=(2, 3))
    windows = windows[:, :, :: how.stride, :: how.stride]  # (n, u, h, w, i, *taps)
    n, _, rows, columns, i = windows.shape[:5]
    columns_of_taps = np.moveaxis(windows, (5, 6), (2, 3)).reshape(n, -1, rows * columns * i)
    z: Floats = (w @ columns_of_taps).reshape(len(w), -1, rows, columns, i)
    return z


def _normalise(weights: Floats, norm: BatchNorm, z: Floats) -> Floats:
    variance = _slice(weights, norm.variance)
    if (variance < 0).any():
        raise FormatError(
            f"forward pass: {norm.variance.name!r} is a variance, and negative in"
            f" {int((variance < 0).any(axis=1).sum())} checkpoints"
        )
    factor = _slice(weights, norm.scale) / np.sqrt(variance + np.float32(EPSILON))
    z -= _beside(_slice(weights, norm.mean), z)
    z *= _beside(factor, z)
    z += _beside(_slice(weights, norm.shift), z)
    return z


def _max_pool(z: Floats, size: int) -> Floats:
    """Return the largest of every size × size positions of z (n, v, h, w, i)."""
    n, v, rows, columns, i = z.shape
    rows, columns = rows // size, columns // size
    z = z[:, :, : rows * size, : columns * size]
    pooled: Floats = z.reshape(n, v, rows, size, columns, size, i).max(axis=(3, 5))
    return pooled


def _slice(weights: Floats, tensor: Tensor) -> Floats:
    return weights[:, tensor.start : tensor.stop]


def _beside(vectors: Floats, z: Floats) -> Floats:
    """Reshape (n, v) so that it broadcasts over z, (n, v, …)."""
    return vectors.reshape(*vectors.shape, *[1] * (z.ndim - 2))
