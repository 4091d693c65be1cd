"""Checkpoints: what a method sees of a zoo, without labels unless it is fitted and asks for them.

A method gets the weights and the layout, and what it declares in ``info.needs``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.errors import UndeclaredNeedError
from wsbench.networks.forward import activations
from wsbench.networks.layout import Layout

NEEDS = {
    "activations": "checkpoints.activations(group)",
    "labels": "train.model and train.epoch in fit",
    "probe_inputs": "checkpoints.probe_inputs",
}


@dataclass(frozen=True, eq=False)
class Labels:
    """Model and epoch of each checkpoint; a method gets them in ``fit`` only, if it declares so."""

    model: npt.NDArray[np.int32]
    epoch: npt.NDArray[np.int16]


class Checkpoints:
    """A read-only view of checkpoints, in no particular order.

    Parameters
    ----------
    weights
        ``(n_checkpoints, n_parameters)`` float32; copied, so that nothing can change them.
    layout
        Which slice of a row is which tensor.
    probe_inputs
        ``(n_inputs, …)`` float32, or None if the method declares neither them nor activations.
    labels
        Models and epochs of the rows, or None if the method does not declare them.

    Examples
    --------
    >>> layout = Layout.of([("w", (1, 2), ("output", "input"))], "identity")
    >>> checkpoints = Checkpoints(np.zeros((3, 2), np.float32), layout)
    >>> checkpoints.tensors("w").shape
    (3, 1, 2)
    """

    __slots__ = ("_labels", "_layout", "_probe_inputs", "_weights")

    def __init__(
        self,
        weights: npt.NDArray[np.float32],
        layout: Layout,
        *,
        probe_inputs: npt.NDArray[np.float32] | None = None,
        labels: Labels | None = None,
    ) -> None:
        self._weights = _frozen(weights)
        self._layout = layout
        self._probe_inputs = None if probe_inputs is None else _frozen(probe_inputs)
        self._labels = labels and Labels(_frozen(labels.model), _frozen(labels.epoch))

    def __len__(self) -> int:
        return len(self._weights)

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[Any]:
        # A scikit-learn transformer takes checkpoints by this.
        return np.array(self._weights, dtype, copy=copy)

    def __repr__(self) -> str:
        n, p = self._weights.shape
        return f"Checkpoints({n} checkpoints of {p} parameters)"

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """The flat weights, ``(n_checkpoints, n_parameters)`` float32, read-only."""
        return self._weights

    @property
    def layout(self) -> Layout:
        """Which slice of a row of `weights` is which tensor."""
        return self._layout

    def tensors(self, name: str) -> npt.NDArray[np.float32]:
        """Return one tensor of every checkpoint, ``(n_checkpoints, *shape)``, a read-only view.

        Raises `UnknownIdError`, with the names in the layout, for any other name.
        """
        tensor = self._layout.tensor(name)
        return self._weights[:, tensor.start : tensor.stop].reshape(len(self), *tensor.shape)

    @property
    def probe_inputs(self) -> npt.NDArray[np.float32]:
        """The zoo's probe inputs, ``(n_inputs, …)``, if ``info.needs`` holds "probe_inputs"."""
        if self._probe_inputs is None:
            raise UndeclaredNeedError("probe_inputs", "probe_inputs")
        return self._probe_inputs

    def activations(self, group: str) -> npt.NDArray[np.float32]:
        """Return a layer's activations on the probe inputs, if ``info.needs`` has "activations".

        Parameters
        ----------
        group
            ``"hidden-1"``, ``"hidden-2"``, … for the units of a hidden layer, after activation and
            pooling, or ``"output"``.

        Returns
        -------
        activations
            ``(n_checkpoints, n_units, n_samples)`` float32. The channels of a convolution are
            units, and each position of each probe input is a sample.

        Raises
        ------
        FormatError
            If the layout has no such units, or a tensor that the forward pass does not support.
        """
        if self._probe_inputs is None:
            raise UndeclaredNeedError("activations", "activations")
        return activations(self._weights, self._layout, self._probe_inputs, group)

    @property
    def model(self) -> npt.NDArray[np.int32]:
        """The model of each train checkpoint, ``(n_checkpoints,)``, if ``info.needs`` "labels"."""
        if self._labels is None:
            raise UndeclaredNeedError("model", "labels")
        return self._labels.model

    @property
    def epoch(self) -> npt.NDArray[np.int16]:
        """The epoch of each train checkpoint, ``(n_checkpoints,)``, if ``info.needs`` "labels"."""
        if self._labels is None:
            raise UndeclaredNeedError("epoch", "labels")
        return self._labels.epoch


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Copy an array to memory that cannot be made writeable: that of a bytes object.

    An array that owns its memory, or a base that does, allows ``setflags(write=True)``.
    """
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)
