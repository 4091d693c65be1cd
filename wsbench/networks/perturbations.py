"""Perturbations: changes of the weights before a method sees them, each with a name and a kind.

- ``none`` is what the others are compared with.
- A *compression* measures how much of the weights' precision a method needs. ``svd-k`` keeps the
  part on the k leading singular directions of the train models; ``float16``, ``bfloat16``, ``int8``
  and ``int4`` round; ``prune-s`` sets the smallest s per cent of each weight tensor to zero.
- A *symmetry* shows whether a method depends on the function or on its parametrisation.
  ``permute``, ``rescale`` and ``permute+rescale`` leave the function unchanged, and so does
  ``widen``, which splits hidden units. ``permute+int8`` and
  ``permute+rescale+int8`` leave that of ``int8``: rounding comes before rescaling. Afterwards it
  would cost more, as the largest weight of a tensor sets its step: the accuracy of digits-cnn-v1
  fell from .41 to .32.

Rounding applies to every tensor by itself, biases and batch norm's vectors included. Pruning leaves
them alone, as a network has few of them. A variance stays positive when rounded (at least one
step), and at least zero in ``svd-k``, so that batch norm stays defined.

All return new float32 weights, and expect finite ones. They are those of the layout that
`layout_after` returns: only ``widen`` changes it. All except ``svd-k`` promise bits. That one is a
product of matrices, and promises bits only where the BLAS and its number of threads are the same.
"""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Literal, TypeAlias

import numpy as np

from wsbench.networks.directions import singular_directions
from wsbench.networks.layout import Layout
from wsbench.networks.symmetries import APPLIES_TO, obstacle, permute_hidden, rescale_hidden
from wsbench.networks.widening import widen_hidden, widened
from wsbench.suggestions import unknown_name_error
from wsbench.typing import Doubles, Floats

Kind = Literal["none", "compression", "symmetry"]
Perturbation = Callable[[Floats, Layout, np.random.Generator], Floats]

# Takes the values of one tensor, (n_checkpoints, size); returns them rounded, and the smallest
# positive value that rounding can give in each row.
_Rounding = Callable[[Floats], tuple[Floats, Floats]]

_LARGEST_FLOAT16 = np.float32(65504)
_LARGEST_BFLOAT16 = np.uint32(0x7F7F0000).view(np.float32)  # about 3.39e38


def _to_float16(values: Floats) -> tuple[Floats, Floats]:
    finite = np.clip(values, -_LARGEST_FLOAT16, _LARGEST_FLOAT16)
    return finite.astype(np.float16).astype(np.float32), np.full((1, 1), 2.0**-24, np.float32)


def _to_bfloat16(values: Floats) -> tuple[Floats, Floats]:
    """Keep the upper 16 bits, rounded to nearest, ties to even."""
    bits = np.clip(values, -_LARGEST_BFLOAT16, _LARGEST_BFLOAT16).view(np.uint32)
    is_odd = (bits >> np.uint32(16)) & np.uint32(1)
    rounded = (bits + np.uint32(0x7FFF) + is_odd) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32), np.full((1, 1), 2.0**-133, np.float32)


def _to_levels(levels: int, values: Floats) -> tuple[Floats, Floats]:
    """Round the values of each row to multiples of max|w| / levels, ties to even.

    Krishnamoorthi 2018 (arXiv:1806.08342), section 2.2, on as many levels below zero as above. In
    float64, where w · levels is exact: ties are ties, the largest value stays as it is, and to
    quantise again changes no bit. In float32 that does not hold.
    """
    wide = values.astype(np.float64)
    largest = np.abs(wide).max(axis=1, keepdims=True)
    largest[largest == 0] = 1
    rounded: Floats = (np.rint(wide * levels / largest) * largest / levels).astype(np.float32)
    return rounded, (largest / levels).astype(np.float32)


def _pruned(per_cent: int, values: Floats) -> Floats:
    """Set the smallest of each row to zero, the earlier of two that are as small.

    A partition may choose among ties by the processor's vector width, so it gives the value at the
    cut alone. That takes an eighth of the time of a stable sort.
    """
    sizes = np.abs(values)
    n_zeros = values.shape[1] * per_cent // 100
    if not n_zeros:
        return values.copy()
    at_cut = np.partition(sizes, n_zeros - 1, axis=1)[:, n_zeros - 1 : n_zeros]
    is_zero = sizes < at_cut
    is_tied = sizes == at_cut
    n_tied = n_zeros - is_zero.sum(axis=1, keepdims=True)
    is_zero |= is_tied & (np.cumsum(is_tied, axis=1) <= n_tied)
    pruned: Floats = np.where(is_zero, np.float32(0), values)
    return pruned


class Perturbations:
    """The perturbations by name, with what they need of the train models.

    Parameters
    ----------
    train_weights
        The train models' checkpoints, ``(n_checkpoints, n_parameters)``. Only ``svd-k`` reads them.

    Examples
    --------
    >>> layout = Layout.of([("fc.weight", (2, 3), ("output", "input"))], "relu")
    >>> weights = np.array([[1, -2, 3, -4, 5, -6]], np.float32)
    >>> prune = Perturbations(train_weights=weights).get("prune-50")
    >>> prune(weights, layout, np.random.default_rng(0))
    array([[ 0.,  0.,  0., -4.,  5., -6.]], dtype=float32)
    """

    def __init__(self, train_weights: Floats) -> None:
        self._train_weights = train_weights

    def get(self, name: str) -> Perturbation:
        """Return the perturbation of this name.

        Raises
        ------
        UnknownIdError
            If it is not one of `PERTURBATIONS`.
        """
        _check_name(name)
        _, function = _TABLE[name]
        return partial(function, self)

    @cached_property
    def directions(self) -> Doubles:
        """The `singular_directions` of the train weights, computed once for every k."""
        return singular_directions(self._train_weights)


# The functions of the table, each (…, perturbations, weights, layout, rng) → weights.


def _copy(_: Perturbations, weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    return weights.copy()


def _project(
    k: int, of: Perturbations, weights: Floats, layout: Layout, rng: np.random.Generator
) -> Floats:
    directions = of.directions[:, :k]
    projected: Floats = (weights.astype(np.float64) @ directions @ directions.T).astype(np.float32)
    for tensor in layout.tensors:
        if tensor.role == "variance":
            part = projected[:, tensor.start : tensor.stop]
            np.maximum(part, 0, out=part)
    return projected


def _round(
    rounding: _Rounding,
    _: Perturbations,
    weights: Floats,
    layout: Layout,
    rng: np.random.Generator,
) -> Floats:
    result = np.empty_like(weights)
    for tensor in layout.tensors:
        values = weights[:, tensor.start : tensor.stop]
        rounded, step = rounding(values)
        if tensor.role == "variance":
            rounded = np.where(values > 0, np.maximum(rounded, step), rounded)
        result[:, tensor.start : tensor.stop] = rounded
    return result


def _prune(
    per_cent: int, _: Perturbations, weights: Floats, layout: Layout, rng: np.random.Generator
) -> Floats:
    result = weights.copy()
    for tensor in layout.tensors:
        if tensor.role == "weight":
            part = slice(tensor.start, tensor.stop)
            result[:, part] = _pruned(per_cent, weights[:, part])
    return result


def _permute(_: Perturbations, weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    return permute_hidden(weights, layout, rng)


def _permute_int8(
    of: Perturbations, weights: Floats, layout: Layout, rng: np.random.Generator
) -> Floats:
    return of.get("int8")(permute_hidden(weights, layout, rng), layout, rng)


def _rescale(_: Perturbations, weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    if reason := obstacle("positive-rescaling", layout):
        raise ValueError(f"rescale: {reason}")
    return rescale_hidden(weights, layout, rng)


def _permute_rescale(
    of: Perturbations, weights: Floats, layout: Layout, rng: np.random.Generator
) -> Floats:
    return of.get("rescale")(permute_hidden(weights, layout, rng), layout, rng)


def _permute_rescale_int8(
    of: Perturbations, weights: Floats, layout: Layout, rng: np.random.Generator
) -> Floats:
    return of.get("permute+rescale")(of.get("int8")(weights, layout, rng), layout, rng)


def _widen(_: Perturbations, weights: Floats, layout: Layout, rng: np.random.Generator) -> Floats:
    return widen_hidden(weights, layout, rng)


_Function: TypeAlias = Callable[[Perturbations, Floats, Layout, np.random.Generator], Floats]

_TABLE: dict[str, tuple[Kind, _Function]] = {
    "none": ("none", _copy),
    **{f"svd-{k}": ("compression", partial(_project, k)) for k in (500, 100, 50, 25, 10, 5)},
    "float16": ("compression", partial(_round, _to_float16)),
    "bfloat16": ("compression", partial(_round, _to_bfloat16)),
    "int8": ("compression", partial(_round, partial(_to_levels, 127))),
    "int4": ("compression", partial(_round, partial(_to_levels, 7))),
    **{f"prune-{s}": ("compression", partial(_prune, s)) for s in (50, 80, 90, 95)},
    "permute": ("symmetry", _permute),
    "permute+int8": ("symmetry", _permute_int8),
    "rescale": ("symmetry", _rescale),
    "permute+rescale": ("symmetry", _permute_rescale),
    "permute+rescale+int8": ("symmetry", _permute_rescale_int8),
    "widen": ("symmetry", _widen),
}
_LAYOUT_CHANGES: dict[str, Callable[[Layout], Layout]] = {"widen": widened}

# Kinds by name, in the order of tables.
PERTURBATIONS: dict[str, Kind] = {name: kind for name, (kind, _) in _TABLE.items()}
COMPRESSION = tuple(name for name, kind in PERTURBATIONS.items() if kind == "compression")
SYMMETRY = tuple(name for name, kind in PERTURBATIONS.items() if kind == "symmetry")

# What each does to a checkpoint, for lists and legends.
MEANINGS: dict[str, str] = {
    "none": "weights as written",
    **{f"svd-{k}": f"the part on the {k} leading directions of train models"
       for k in (500, 100, 50, 25, 10, 5)},
    "float16": "rounded to half precision",
    "bfloat16": "rounded to bfloat16",
    "int8": "each tensor rounded to 255 levels",
    "int4": "each tensor rounded to 15 levels",
    **{f"prune-{s}": f"the smallest {s} % of each weight tensor set to zero"
       for s in (50, 80, 90, 95)},
    "permute": "hidden units in a random order",
    "permute+int8": "hidden units in a random order, then int8",
    "rescale": "hidden units scaled, and what takes them scaled back",
    "permute+rescale": "hidden units in a random order and scaled",
    "permute+rescale+int8": "int8, then hidden units in a random order and scaled",
    "widen": "hidden units split into copies that share their outputs",
}  # fmt: skip


def networks_that_allow(name: str) -> str:
    """Return the networks that a perturbation applies to, in words.

    Examples
    --------
    >>> networks_that_allow("permute"), networks_that_allow("rescale")
    ('all networks', 'networks with identity, leaky-relu or relu')
    """
    _check_name(name)
    if "rescale" not in name.split("+"):
        return "all networks"
    *others, last = APPLIES_TO["positive-rescaling"]
    return f"networks with {', '.join(others)} or {last}"


def applicable(name: str, layout: Layout) -> bool:
    """Return whether a perturbation applies to networks of a layout.

    All do, except those with ``rescale`` where scaling hidden units could change the function.

    Raises
    ------
    UnknownIdError
        If the name is not one of `PERTURBATIONS`.

    Examples
    --------
    >>> layout = Layout.of([("fc.weight", (2, 3), ("output", "input"))], "sigmoid")
    >>> applicable("permute", layout), applicable("rescale", layout)
    (True, False)
    """
    _check_name(name)
    return "rescale" not in name.split("+") or obstacle("positive-rescaling", layout) is None


def layout_after(name: str, layout: Layout) -> Layout:
    """Return the layout of weights after a perturbation.

    Raises
    ------
    UnknownIdError
        If the name is not one of `PERTURBATIONS`.

    Examples
    --------
    >>> fc1 = ("fc1.weight", (5, 4), ("hidden-1", "input"))
    >>> fc2 = ("fc2.weight", (3, 5), ("output", "hidden-1"))
    >>> layout = Layout.of([fc1, fc2], "relu")
    >>> layout_after("permute", layout) == layout
    True
    >>> layout_after("widen", layout).hidden_units
    {'hidden-1': 8}
    """
    _check_name(name)
    change = _LAYOUT_CHANGES.get(name)
    return change(layout) if change else layout


def _check_name(name: str) -> None:
    if name not in PERTURBATIONS:
        raise unknown_name_error("perturbation", name, PERTURBATIONS)
