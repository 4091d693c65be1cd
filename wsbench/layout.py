"""Which slice of a flat weight vector is which tensor, and which of its axes are hidden units."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from wsbench.errors import FormatError, UnknownIdError

_KEYS = {"tensors", "activation"}
_TENSOR_KEYS = {"name", "shape", "axes", "start"}


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
class Layout:
    """The tensors of an architecture in the order of the flat vector, without gaps.

    Examples
    --------
    >>> layout = Layout.of([("fc1.weight", (10, 196), ("hidden-1", "input"))], "sigmoid")
    >>> layout.n_parameters
    1960
    """

    tensors: tuple[Tensor, ...]
    activation: str

    @classmethod
    def of(
        cls, tensors: Sequence[tuple[str, tuple[int, ...], tuple[str, ...]]], activation: str
    ) -> "Layout":
        """Return the layout of tensors, given as (name, shape, axes), one after the other."""
        placed: list[Tensor] = []
        for name, shape, axes in tensors:
            placed.append(Tensor(name, shape, axes, placed[-1].stop if placed else 0))
        return cls(tuple(placed), activation)

    @property
    def n_parameters(self) -> int:
        """Length of the flat vector."""
        return self.tensors[-1].stop if self.tensors else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tensors."""
        return tuple(tensor.name for tensor in self.tensors)

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
        return json.dumps({"activation": self.activation, "tensors": tensors})

    @classmethod
    def from_json(cls, text: str) -> "Layout":
        """Return the layout of a JSON text; raise `FormatError` if it is not one without gaps."""
        try:
            content = json.loads(text)
            if set(content) != _KEYS or any(set(t) != _TENSOR_KEYS for t in content["tensors"]):
                raise FormatError(
                    f"layout: expected the keys {_KEYS} and, in tensors, {_TENSOR_KEYS}"
                )
            given = tuple(
                Tensor(str(t["name"]), tuple(t["shape"]), tuple(t["axes"]), t["start"])
                for t in content["tensors"]
            )
            layout = cls.of([(t.name, t.shape, t.axes) for t in given], str(content["activation"]))
        except (ValueError, TypeError, KeyError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"layout: not the JSON text of a layout ({error})") from None
        if layout.tensors != given or any(len(t.shape) != len(t.axes) for t in given):
            raise FormatError(
                "layout: tensors must follow each other without gaps, an axis name each"
            )
        return layout
