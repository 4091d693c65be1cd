"""Layouts: which slice of a flat weight vector is which tensor, and what its axes count."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec

from wsbench.errors import FormatError, UnknownIdError
from wsbench.storage.strict_json import read, shown

Role = Literal["weight", "bias", "scale", "shift", "mean", "variance"]
ROLES: tuple[Role, ...] = get_args(Role)

# Far above any network that a zoo holds, and far below what exhausts the memory of a reader.
_MOST_TENSORS = 10_000
_MOST_AXES = 8
_MOST_PARAMETERS = 2**40
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Tensor:
    """One tensor within the flat vector, stored row-major, as in a PyTorch ``state_dict``.

    Parameters
    ----------
    name
        Name of the parameter, for instance ``"fc1.weight"``.
    shape
        Length of each axis; the first counts outputs.
    axes
        What each axis counts: ``"input"``, ``"output"``, ``"row"``, ``"column"``, or
        ``"hidden-1"``, ``"hidden-2"``, … for the units of a hidden layer. Permuting every axis of
        one hidden name in the same way leaves the network's function unchanged.
    start
        Where the tensor begins in the flat vector.
    role
        ``"weight"``, or a vector with one number for each unit of the weight before it: ``"bias"``,
        or batch norm's ``"scale"``, ``"shift"``, running ``"mean"`` and running ``"variance"``.
    """

    name: str
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    start: int
    role: Role = "weight"

    @property
    def stop(self) -> int:
        """Where the tensor ends in the flat vector."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True)
class Convolution:
    """Stride and padding of a convolution, and the size of the max-pooling that follows it."""

    stride: int = 1
    padding: int = 0
    pool: int = 1


Shape: TypeAlias = tuple[int, ...]
Axes: TypeAlias = tuple[str, ...]
GivenTensor: TypeAlias = tuple[str, Shape, Axes] | tuple[str, Shape, Axes, Role]


@dataclass(frozen=True)
class Layout:
    """The tensors of an architecture in the order of the flat vector, without gaps.

    Parameters
    ----------
    tensors
        In the order in which the network applies them; `of` places and checks them.
    activation
        The function after every layer except the last: ``"sigmoid"``, ``"leaky-relu"`` (slope
        0.01), ….
    convolutions
        Stride, padding and pooling, by the name of the convolution's weight. A weight with rows and
        columns that is not named here is that of a linear layer on a whole image.

    Examples
    --------
    >>> layout = Layout.of(
    ...     [
    ...         ("fc1.weight", (10, 196), ("hidden-1", "input")),
    ...         ("fc1.bias", (10,), ("hidden-1",), "bias"),
    ...     ],
    ...     "sigmoid",
    ... )
    >>> layout.n_parameters
    1970
    """

    tensors: tuple[Tensor, ...]
    activation: str
    convolutions: Mapping[str, Convolution] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        tensors: Sequence[GivenTensor],
        activation: str,
        convolutions: Mapping[str, Convolution] | None = None,
    ) -> "Layout":
        """Return the layout of tensors, one after the other.

        Parameters
        ----------
        tensors
            Each as (name, shape, axes), or (name, shape, axes, role).
        activation, convolutions
            As in `Layout`.

        Raises
        ------
        FormatError
            If names repeat, or a tensor does not fit those before it; the message names it.
        """
        placed: list[Tensor] = []
        for name, shape, axes, *role in tensors:
            start = placed[-1].stop if placed else 0
            placed.append(Tensor(name, tuple(shape), tuple(axes), start, *role))
        layout = cls(tuple(placed), activation, convolutions or {})
        for fault in _faults(layout):
            raise FormatError(f"layout: {fault}")
        return layout

    @property
    def n_parameters(self) -> int:
        """Length of the flat vector."""
        return self.tensors[-1].stop if self.tensors else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tensors."""
        return tuple(tensor.name for tensor in self.tensors)

    @property
    def hidden_units(self) -> dict[str, int]:
        """Number of units of each hidden layer, by the name its axes have, in layout order.

        Examples
        --------
        >>> fc1 = ("fc1.weight", (10, 4), ("hidden-1", "input"))
        >>> fc2 = ("fc2.weight", (3, 10), ("output", "hidden-1"))
        >>> Layout.of([fc1, fc2], "relu").hidden_units
        {'hidden-1': 10}
        """
        return {
            axis: length
            for tensor in self.tensors
            for axis, length in zip(tensor.axes, tensor.shape, strict=True)
            if axis.startswith("hidden-")
        }

    def tensor(self, name: str) -> Tensor:
        """Return the tensor of this name, or raise `UnknownIdError` with the names there are."""
        for tensor in self.tensors:
            if tensor.name == name:
                return tensor
        raise UnknownIdError(f"no tensor {name!r} in this layout; it has {', '.join(self.names)}")

    def to_json(self) -> str:
        """Return the layout as the JSON text of a zoo's ``layout`` attribute.

        The role of a weight is left out.
        """
        tensors = [
            {"name": t.name, "shape": list(t.shape), "axes": list(t.axes), "start": t.start}
            | ({} if t.role == "weight" else {"role": t.role})
            for t in self.tensors
        ]
        convolutions = {name: asdict(c) for name, c in self.convolutions.items()}
        return json.dumps(
            {"activation": self.activation, "tensors": tensors, "convolutions": convolutions}
        )

    @classmethod
    def from_json(cls, text: str) -> "Layout":
        """Return the layout of a JSON text; raise `FormatError` with the first fault."""
        try:
            content = read(text, _Content)
        except ValueError as error:
            raise FormatError(f"layout: not the JSON text of a layout ({error})") from None
        layout = cls.of(
            [(t.name, tuple(t.shape), tuple(t.axes), t.role) for t in content.tensors],
            content.activation,
            {
                name: Convolution(c.stride, c.padding, c.pool)
                for name, c in content.convolutions.items()
            },
        )
        for given, placed in zip(content.tensors, layout.tensors, strict=True):
            if given.start != placed.start:
                raise FormatError(
                    f"layout: tensor {shown(given.name)} starts at {given.start}; without a gap it"
                    f" starts at {placed.start}"
                )
        return layout


_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_NAME)]
_Length = Annotated[int, msgspec.Meta(ge=1, le=_MOST_PARAMETERS)]
_Step = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
_Padding = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class _TensorEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: _Name
    shape: Annotated[list[_Length], msgspec.Meta(min_length=1, max_length=_MOST_AXES)]
    axes: Annotated[list[_Name], msgspec.Meta(min_length=1, max_length=_MOST_AXES)]
    start: Annotated[int, msgspec.Meta(ge=0, le=_MOST_PARAMETERS)]
    role: Role = "weight"


class _ConvolutionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    stride: _Step = 1
    padding: _Padding = 0
    pool: _Step = 1


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    activation: _Name
    tensors: Annotated[list[_TensorEntry], msgspec.Meta(max_length=_MOST_TENSORS)]
    convolutions: dict[str, _ConvolutionEntry]


def _faults(layout: Layout) -> Iterator[str]:
    """Yield what is wrong with a layout, a sentence each."""
    if len(layout.tensors) > _MOST_TENSORS:
        yield f"{len(layout.tensors)} tensors; allowed are {_MOST_TENSORS}"
    if layout.n_parameters > _MOST_PARAMETERS:
        yield f"{layout.n_parameters} parameters; allowed are {_MOST_PARAMETERS}"
    texts = [layout.activation, *layout.names, *(a for t in layout.tensors for a in t.axes)]
    for text in texts:
        if not (isinstance(text, str) and text.isprintable() and 0 < len(text) <= _LONGEST_NAME):
            yield f"the name {shown(text)} is not 1 to {_LONGEST_NAME} printable characters"
    by_name: dict[str, Tensor] = {}
    units: dict[str, tuple[int, str]] = {}
    for tensor in layout.tensors:
        if by_name.setdefault(tensor.name, tensor) is not tensor:
            yield f"two tensors have the name {tensor.name!r}"
        yield from _shape_faults(tensor, units)
    yield from _vector_faults(layout)
    for name, convolution in layout.convolutions.items():
        if name in by_name:
            yield from _convolution_faults(by_name[name], convolution)
        else:
            yield f"convolutions of unknown tensors {shown(name)}"


def _shape_faults(tensor: Tensor, units: dict[str, tuple[int, str]]) -> Iterator[str]:
    """Yield faults of a tensor's axes; collect each hidden layer's length and first tensor."""
    lengths_are_right = all(type(length) is int and length > 0 for length in tensor.shape)
    if not lengths_are_right or not 1 <= len(tensor.shape) == len(tensor.axes) <= _MOST_AXES:
        yield f"tensor {tensor.name!r}: shape {tensor.shape!r} does not fit axes {tensor.axes!r}"
        return
    if tensor.role not in ROLES:
        yield f"tensor {tensor.name!r}: role {tensor.role!r} is not one of {', '.join(ROLES)}"
    for axis, length in zip(tensor.axes, tensor.shape, strict=True):
        if axis.startswith("hidden-"):
            known, first = units.setdefault(axis, (length, tensor.name))
            if known != length:
                yield (
                    f"tensor {tensor.name!r} has {length} units {axis!r}, and {first!r} has {known}"
                )


def _vector_faults(layout: Layout) -> Iterator[str]:
    """Yield faults of biases and batch norm's vectors against the weight before them."""
    weight: Tensor | None = None
    owners: dict[Role, str] = {}
    for tensor in layout.tensors:
        if tensor.role == "weight":
            weight, owners = tensor, {}
        elif weight is None:
            yield f"tensor {tensor.name!r}: a {tensor.role} follows the weight of its layer"
        elif (tensor.axes, tensor.shape) != (weight.axes[:1], weight.shape[:1]):
            yield (
                f"tensor {tensor.name!r}: the {tensor.role} of {weight.name!r} has axes"
                f" {weight.axes[:1]!r} and shape {weight.shape[:1]!r}, not {tensor.axes!r} and"
                f" {tensor.shape!r}"
            )
        elif tensor.role in owners:
            yield (
                f"tensor {tensor.name!r}: {weight.name!r} has the {tensor.role}"
                f" {owners[tensor.role]!r} already"
            )
        else:
            owners[tensor.role] = tensor.name


def _convolution_faults(tensor: Tensor, convolution: Convolution) -> Iterator[str]:
    if tensor.role != "weight" or len(tensor.axes) != 4:
        yield (
            f"tensor {tensor.name!r} with axes {tensor.axes!r} is not a convolution; that has axes"
            " (units, inputs, row, column)"
        )
    elif min(convolution.stride, convolution.pool) < 1 or convolution.padding < 0:
        yield f"convolution {tensor.name!r}: stride and pool are at least 1, padding at least 0"
    elif convolution.padding >= min(tensor.shape[2:]):
        yield (
            f"convolution {tensor.name!r}: padding {convolution.padding} is not smaller than the"
            f" filter, {tensor.shape[2]} × {tensor.shape[3]}"
        )
