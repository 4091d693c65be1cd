"""Layers: a layout's tensors grouped to the layers of a sequential network.

Supported is one chain of layers from ``"input"`` over ``"hidden-…"`` to ``"output"``. Each is, in
this order:

1. linear, or a convolution (cross-correlation, as in PyTorch) with stride and zero padding;
2. plus a bias, if it has one;
3. batch norm with running statistics, if it has one: (z − mean) / √(variance + 1e-5) · scale +
   shift;
4. max-pooling with a stride equal to its size, for convolutions; rows and columns that do not fill
   a window are left out;
5. the activation, except in the last layer.

A layout with anything else, recurrent or residual for instance, is refused by name.
"""

from dataclasses import dataclass

from wsbench.errors import FormatError
from wsbench.networks.layout import Convolution, Layout, Role, Tensor

EPSILON = 1e-5  # of batch norm, PyTorch's default
_NORM: tuple[Role, ...] = ("scale", "shift", "mean", "variance")


@dataclass(frozen=True)
class BatchNorm:
    """The vectors of a batch norm, one number each for every unit."""

    scale: Tensor
    shift: Tensor
    mean: Tensor
    variance: Tensor


@dataclass(frozen=True)
class Layer:
    """A weight with what follows it up to the next weight."""

    weight: Tensor
    bias: Tensor | None
    norm: BatchNorm | None
    convolution: Convolution | None
    is_last: bool

    @property
    def units(self) -> str:
        """Name of the layer's units, as axes name them."""
        return self.weight.axes[0]


def layers(layout: Layout) -> tuple[Layer, ...]:
    """Return the layers of a sequential network, from input to output.

    Raises
    ------
    FormatError
        If the layout holds a tensor that the forward pass does not support; the message names it.

    Examples
    --------
    >>> fc1 = ("fc1.weight", (10, 4), ("hidden-1", "input"))
    >>> fc2 = ("fc2.weight", (3, 10), ("output", "hidden-1"))
    >>> [layer.units for layer in layers(Layout.of([fc1, fc2], "relu"))]
    ['hidden-1', 'output']
    """
    groups: list[list[Tensor]] = []
    for tensor in layout.tensors:
        if tensor.role == "weight":
            _check_weight(tensor, groups[-1][0] if groups else None)
            groups.append([])
        groups[-1].append(tensor)
    if not groups:
        raise FormatError("forward pass: this layout has no weights")
    names = [group[0].axes[0] for group in groups]
    if names[-1] != "output":
        raise FormatError(
            f"forward pass: the last layer, {groups[-1][0].name!r}, gives {names[-1]!r}, not"
            " 'output'"
        )
    for i, name in enumerate(names[:-1]):
        if not name.startswith("hidden-") or name in names[:i]:
            raise FormatError(
                f"forward pass: {groups[i][0].name!r} gives {name!r}; layers before the last give"
                " different units, each named 'hidden-…'"
            )
    return tuple(_layer(group, layout, group is groups[-1]) for group in groups)


def _layer(group: list[Tensor], layout: Layout, is_last: bool) -> Layer:
    weight, *vectors = group
    of_role = {tensor.role: tensor for tensor in vectors}
    norm = [of_role[role] for role in _NORM if role in of_role]
    if norm and len(norm) < len(_NORM):
        lacking = ", ".join(role for role in _NORM if role not in of_role)
        raise FormatError(
            f"forward pass: the batch norm after {weight.name!r} has no {lacking}; it needs"
            f" {', '.join(_NORM)}"
        )
    return Layer(
        weight,
        of_role.get("bias"),
        BatchNorm(*norm) if norm else None,
        layout.convolutions.get(weight.name),
        is_last,
    )


def _check_weight(weight: Tensor, before: Tensor | None) -> None:
    """Raise `FormatError` unless the forward pass can apply a weight after the one before."""
    if len(weight.axes) not in (2, 4) or weight.axes[2:] not in ((), ("row", "column")):
        raise FormatError(
            f"forward pass: tensor {weight.name!r} with axes ({', '.join(weight.axes)}) is not"
            " supported; a weight has axes (units, inputs) or (units, inputs, row, column), and a"
            " vector has a role: bias, scale, shift, mean or variance"
        )
    units = before.axes[0] if before else "input"
    if weight.axes[1] != units:
        raise FormatError(
            f"forward pass: tensor {weight.name!r} takes {weight.axes[1]!r}, and the layer before"
            f" it gives {units!r}"
        )
