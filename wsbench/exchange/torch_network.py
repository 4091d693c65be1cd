"""Torch networks: a checkpoint as a plain `torch.nn.Sequential`, to be run or trained further."""

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np

from wsbench.errors import FormatError
from wsbench.networks.layers import EPSILON, BatchNorm, Layer, layers
from wsbench.networks.layout import Layout, Tensor
from wsbench.typing import Floats

if TYPE_CHECKING:
    import torch

_ACTIVATIONS = {
    "identity": "Identity", "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "ReLU",
    "leaky-relu": "LeakyReLU",
}  # fmt: skip


def torch_network(weights: Floats, layout: Layout) -> "torch.nn.Sequential":
    """Return a checkpoint as a network of torch, in evaluation mode.

    Parameters
    ----------
    weights
        Flat weights of one checkpoint, ``(n_parameters,)``.
    layout
        Theirs, of layers that `wsbench.networks.layers` supports.

    Returns
    -------
    network
        Takes inputs ``(n, …)``. Its layers are named after the weights: ``fc1`` holds
        ``fc1.weight``.

    Raises
    ------
    FormatError
        If the layout holds something that is not supported.

    Examples
    --------
    >>> layout = Layout.of([("fc.weight", (1, 2), ("output", "input"))], "relu")
    >>> torch_network(np.float32([3, 4]), layout)
    Sequential(
      (flatten): Flatten(start_dim=1, end_dim=-1)
      (fc): Linear(in_features=2, out_features=1, bias=False)
    )
    """
    import torch

    if layout.activation not in _ACTIVATIONS:
        raise FormatError(
            f"activation {layout.activation!r}: known are {', '.join(sorted(_ACTIVATIONS))}"
        )
    parts: OrderedDict[str, Any] = OrderedDict()
    is_flat = False
    for layer in layers(layout):
        name = _name(layer.weight)
        if layer.convolution is None and not is_flat:
            parts["flatten"] = torch.nn.Flatten()
            is_flat = True
        parts[name] = _weighted(layer)
        if layer.norm is not None:
            parts[f"{name}_norm"] = _normalising(layer)
        if layer.convolution and layer.convolution.pool > 1:
            parts[f"{name}_pool"] = torch.nn.MaxPool2d(layer.convolution.pool)
        if not layer.is_last:
            parts[f"{name}_activation"] = getattr(torch.nn, _ACTIVATIONS[layout.activation])()
    network = torch.nn.Sequential(parts)
    with torch.no_grad():
        for layer in layers(layout):
            _fill(network, layer, np.asarray(weights, np.float32))
    return network.eval()


def _name(weight: Tensor) -> str:
    return (weight.name.rpartition(".")[0] or weight.name).replace(".", "_")


def _weighted(layer: Layer) -> Any:
    import torch

    n_units, n_inputs, *taps = layer.weight.shape
    has_bias, how = layer.bias is not None, layer.convolution
    if how is None:
        return torch.nn.Linear(n_inputs * int(np.prod(taps)), n_units, bias=has_bias)
    rows, columns = taps
    return torch.nn.Conv2d(
        n_inputs, n_units, (rows, columns), how.stride, how.padding, bias=has_bias
    )


def _normalising(layer: Layer) -> Any:
    import torch

    kind = torch.nn.BatchNorm1d if layer.convolution is None else torch.nn.BatchNorm2d
    return kind(layer.weight.shape[0], eps=EPSILON)


def _fill(network: Any, layer: Layer, weights: Floats) -> None:
    """Copy a layer's numbers into its part of the network."""
    name = _name(layer.weight)
    part = network.get_submodule(name)
    _copy(part.weight, weights, layer.weight)
    if layer.bias is not None:
        _copy(part.bias, weights, layer.bias)
    if layer.norm is not None:
        _fill_norm(network.get_submodule(f"{name}_norm"), layer.norm, weights)


def _fill_norm(part: Any, norm: BatchNorm, weights: Floats) -> None:
    for target, tensor in (
        (part.weight, norm.scale), (part.bias, norm.shift),
        (part.running_mean, norm.mean), (part.running_var, norm.variance),
    ):  # fmt: skip
        _copy(target, weights, tensor)


def _copy(target: Any, weights: Floats, tensor: Tensor) -> None:
    import torch

    values = torch.from_numpy(weights[tensor.start : tensor.stop].copy())
    target.copy_(values.reshape(target.shape))
