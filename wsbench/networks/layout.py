"""Which slice of a flat weight vector is which tensor, and which of its axes are hidden units."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from wsbench.errors import FormatError, UnknownIdError


@dataclass(frozen=True)
class Tensor:
    """One weight tensor within the flat vector, stored row-major, as in a PyTorch ``state_dict``.

    Parameters
    ----------
    name
        Name of the parameter, for instance ``"fc1.weight"``.
    shape
        Length of each axis; the first counts outputs.
    axes
        What each axis counts: ``"input"``, ``"output"``, ``"row"``, ``"column"``, or
        ``"hidden-1"``, ``"hidden-2"``, … for the units of a hidden layer. Permuting every axis of
        one hidden name in the same way leaves the network's function as it is.
    start
        Where the tensor begins in the flat vector.
    """

    name: str
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    start: int

    @property
    def stop(self) -> int:
        """Where the tensor ends in the flat vector."""
        return self.start + math.prod(self.shape)


@dataclass(frozen=True)
class Convolution:
    """How a convolution's filter moves over its input, and the max-pooling that follows it."""

    stride: int = 1
    padding: int = 0
    pool: int = 1


@dataclass(frozen=True)
class Layout:
    """The tensors of an architecture in the order of the flat vector, without gaps.

    Parameters
    ----------
    tensors
        In the order in which the network applies them; `of` places them.
    activation
        What follows every layer but the last: ``"sigmoid"``, ``"leaky-relu"`` (slope 0.01), ….
    convolutions
        By the name of its tensor, what a convolution's shape does not say.

    Examples
    --------
    >>> layout = Layout.of([("fc1.weight", (10, 196), ("hidden-1", "input"))], "sigmoid")
    >>> layout.n_parameters
    1960
    """

    tensors: tuple[Tensor, ...]
    activation: str
    convolutions: Mapping[str, Convolution] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        tensors: Sequence[tuple[str, tuple[int, ...], tuple[str, ...]]],
        activation: str,
        convolutions: Mapping[str, Convolution] | None = None,
    ) -> "Layout":
        """Return the layout of tensors, given as (name, shape, axes), one after the other."""
        placed: list[Tensor] = []
        for name, shape, axes in tensors:
            placed.append(Tensor(name, shape, axes, placed[-1].stop if placed else 0))
        return cls(tuple(placed), activation, convolutions or {})

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
        """Return the layout as the JSON text of a zoo's ``layout`` attribute."""
        tensors = [
            {"name": t.name, "shape": list(t.shape), "axes": list(t.axes), "start": t.start}
            for t in self.tensors
        ]
        convolutions = {name: asdict(c) for name, c in self.convolutions.items()}
        return json.dumps(
            {"activation": self.activation, "tensors": tensors, "convolutions": convolutions}
        )

    @classmethod
    def from_json(cls, text: str) -> "Layout":
        """Return the layout of a JSON text; raise `FormatError` if it is not one without gaps."""
        try:
            content = json.loads(text)
            given = tuple(_tensor(**entry) for entry in content["tensors"])
            convolutions = {n: _convolution(**c) for n, c in content["convolutions"].items()}
            layout = cls(**{**content, "tensors": given, "convolutions": convolutions})
            if not isinstance(layout.activation, str):
                raise TypeError(f"activation {layout.activation!r}")
            triples = [(t.name, t.shape, t.axes) for t in given]
            placed = cls.of(triples, layout.activation, convolutions)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise FormatError(f"layout: not the JSON text of a layout ({error})") from None
        if layout != placed or len(set(layout.names)) != len(given):
            raise FormatError(
                "layout: tensors must have different names and follow each other without gaps"
            )
        if unknown := sorted(set(convolutions) - set(layout.names)):
            raise FormatError(f"layout: convolutions of unknown tensors {', '.join(unknown)}")
        return layout


def _tensor(name: object, shape: object, axes: object, start: object) -> Tensor:
    """Return the tensor of four values from JSON, or raise `TypeError`."""
    match name, shape, axes, start:
        case str(), list(), list(), int():
            lengths = all(type(length) is int and length > 0 for length in shape)
            names = all(isinstance(axis, str) for axis in axes)
            if lengths and names and len(shape) == len(axes):
                return Tensor(name, tuple(shape), tuple(axes), start)
    raise TypeError(f"tensor {name!r}: shape {shape!r}, axes {axes!r}, start {start!r}")


def _convolution(**values: object) -> Convolution:
    """Return the convolution of values from JSON, or raise `TypeError`."""
    if any(type(value) is not int or value < 0 for value in values.values()):
        raise TypeError(f"convolution {values!r}: expected whole numbers")
    return Convolution(**values)  # type: ignore[arg-type]
