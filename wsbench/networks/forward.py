"""The forward pass of many checkpoints at once, in numpy, from their layout alone.

Axis letters: n checkpoints, v units of a layer, u units of the one before, h w rows and columns, i
inputs, t taps of a filter. Inputs stand last, so that a layer is one matrix product a checkpoint.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from wsbench.errors import FormatError
from wsbench.networks.layout import Convolution, Layout

Floats = npt.NDArray[np.float32]

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
    """Return what the units of a layer answer to the inputs.

    Parameters
    ----------
    weights
        Flat weights, ``(n_checkpoints, n_parameters)``.
    layout
        Which slice of a row is which tensor, and what happens between them.
    inputs
        ``(n_inputs, …)``, as many values each as the first layer takes.
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
        If the layout's activation is not one of `ACTIVATIONS`, or no layer has these units.
    """
    groups = [tensor.axes[0] for tensor in layout.tensors]
    if group not in groups:
        raise FormatError(f"no units {group!r} in this layout; it has {', '.join(groups)}")
    if layout.activation not in ACTIVATIONS:
        raise FormatError(
            f"activation {layout.activation!r}: known are {', '.join(sorted(ACTIVATIONS))}"
        )
    rows = max(1, _BLOCK_BYTES // (4 * len(inputs) * max(t.shape[0] for t in layout.tensors) * 9))
    blocks = (weights[start : start + rows] for start in range(0, len(weights), rows))
    return np.concatenate([_of_block(block, layout, inputs, group) for block in blocks])


def _of_block(weights: Floats, layout: Layout, inputs: Floats, group: str) -> Floats:
    x = next(x for units, x in _layers(weights, layout, inputs) if units == group)
    return x.reshape(len(weights), x.shape[1], -1)


def _layers(weights: Floats, layout: Layout, inputs: Floats) -> Iterator[tuple[str, Floats]]:
    """Yield the units of each layer and what they answer: (n, v, i) or (n, v, h, w, i)."""
    x = np.moveaxis(inputs, 0, -1)[None, None]  # one checkpoint stands for all: (1, 1, h, w, i)
    activate = ACTIVATIONS[layout.activation]
    for tensor in layout.tensors:
        w = weights[:, tensor.start : tensor.stop].reshape(len(weights), tensor.shape[0], -1)
        convolution = layout.convolutions.get(tensor.name)
        if convolution is None:
            x = w @ x.reshape(len(x), w.shape[2], -1)
        else:
            x = _convolve(w, x, tensor.shape[2:], convolution)
        if tensor is not layout.tensors[-1]:
            x = activate(x)
        yield tensor.axes[0], x


def _convolve(w: Floats, x: Floats, taps: tuple[int, ...], how: Convolution) -> Floats:
    """Return the convolution of x (n, u, h, w, i) by w (n, v, u·t), max-pooled: (n, v, h, w, i)."""
    border = (how.padding, how.padding)
    x = np.pad(x, ((0, 0), (0, 0), border, border, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, taps, axis=(2, 3))
    windows = windows[:, :, :: how.stride, :: how.stride]  # (n, u, h, w, i, *taps)
    n, _, rows, columns, i = windows.shape[:5]
    columns_of_taps = np.moveaxis(windows, (5, 6), (2, 3)).reshape(n, -1, rows * columns * i)
    z = (w @ columns_of_taps).reshape(len(w), -1, rows, columns, i)
    rows, columns = rows // how.pool, columns // how.pool
    z = z[:, :, : rows * how.pool, : columns * how.pool]
    pooled: Floats = z.reshape(len(w), -1, rows, how.pool, columns, how.pool, i).max(axis=(3, 5))
    return pooled
