"""Widening: hidden units split into copies, which leaves a network's function unchanged.

A unit's copies have the same incoming weights, bias and batch norm, so each gives what the unit
gave, whatever the activation. They share out its outgoing weights (Net2WiderNet; Chen, Goodfellow
and Shlens 2016, arXiv:1511.05641). The paper shares them out equally; here the shares are random,
so a copy's outgoing weights differ from those of its unit's other copies.
"""

from dataclasses import dataclass

import numpy as np

from wsbench.networks.layout import Layout
from wsbench.typing import Floats, Indices


def widened(layout: Layout) -> Layout:
    """Return the layout after `widen_hidden`: half as many units more in every hidden layer.

    Examples
    --------
    >>> fc1 = ("fc1.weight", (5, 4), ("hidden-1", "input"))
    >>> fc2 = ("fc2.weight", (3, 5), ("output", "hidden-1"))
    >>> [tensor.shape for tensor in widened(Layout.of([fc1, fc2], "relu")).tensors]
    [(8, 4), (3, 8)]
    """
    sizes = {group: _width(size) for group, size in layout.hidden_units.items()}
    tensors = []
    for tensor in layout.tensors:
        lengths = zip(tensor.axes, tensor.shape, strict=True)
        shape = tuple(sizes.get(axis, length) for axis, length in lengths)
        tensors.append((tensor.name, shape, tensor.axes, tensor.role))
    return Layout.of(tensors, layout.activation, layout.convolutions)


def widen_hidden(weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    """Return the weights of wider networks with the same function.

    Which units are split, the shares of their copies and the order of all units are random in every
    hidden layer of every checkpoint. Needs nothing except axes that name the hidden units.

    Parameters
    ----------
    weights
        ``(n_checkpoints, n_parameters)``.
    layout
        Theirs; that of the result is `widened`.
    rng
        Draws the splits.

    Returns
    -------
    weights
        ``(n_checkpoints, n_parameters)`` float32, with more parameters. Outgoing weights are
        rounded: outputs change by 1e-6 of the largest at most, in the networks of the tests.
    """
    n, after = len(weights), widened(layout)
    splits = {group: _split(n, size, rng) for group, size in layout.hidden_units.items()}
    result = np.empty((n, after.n_parameters), np.float32)
    for tensor, wider in zip(layout.tensors, after.tensors, strict=True):
        values = weights[:, tensor.start : tensor.stop].reshape(n, *tensor.shape)
        for axis, group in enumerate(tensor.axes):
            if group in splits:
                values = splits[group].on_axis(values, axis)
        result[:, wider.start : wider.stop] = values.reshape(n, wider.stop - wider.start)
    return result


@dataclass(frozen=True, eq=False)
class _Split:
    """The units of a wider layer.

    Attributes
    ----------
    unit
        The unit that each is a copy of, ``(n_checkpoints, n_wider)``.
    share
        The share that each has of its unit's outgoing weights, ``(n_checkpoints, n_wider)``.
    """

    unit: Indices
    share: Floats

    def on_axis(self, values: Floats, axis: int) -> Floats:
        """Return a tensor of every checkpoint with its units split: copied on axis 0, else shared.

        Axis 0 counts the tensor's outputs; the other axes take units.
        """
        shape = [1] * values.ndim
        shape[0], shape[axis + 1] = self.unit.shape
        copies: Floats = np.take_along_axis(values, self.unit.reshape(shape), axis + 1)
        return copies * self.share.reshape(shape) if axis else copies


def _width(size: int) -> int:
    """Return one and a half times the number of units, rounded up."""
    return -(-3 * size // 2)


def _split(n: int, size: int, rng: np.random.Generator) -> _Split:
    """Draw the split of a layer's units in n checkpoints."""
    wide = _width(size)
    every = np.broadcast_to(np.arange(size), (n, size))
    unit = np.concatenate([every, rng.integers(size, size=(n, wide - size))], axis=1)
    # A random order: otherwise the first `size` units would be the network as it was.
    unit = np.take_along_axis(unit, np.argsort(rng.random((n, wide)), axis=1), axis=1)
    # Of two copies each has a share of a quarter to three quarters; an only one has all.
    part = rng.uniform(1, 3, (n, wide))
    whole, row = np.zeros((n, size)), np.arange(n)[:, None]
    np.add.at(whole, (row, unit), part)
    return _Split(unit, (part / whole[row, unit]).astype(np.float32))
