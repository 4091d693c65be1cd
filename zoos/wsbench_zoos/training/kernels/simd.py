"""Sixteen float32 lanes as one value in numba: the vocabulary the training kernels are written in.

Each operation is one LLVM instruction on ``<16 x float>`` without fast-math flags, so it is rounded
as IEEE 754 says, lane by lane, whether the machine does it in one AVX-512 register, two AVX ones or
four SSE ones. Nothing is left to an auto-vectoriser: no sum can be reassociated and no product
contracted into an FMA, which is why a kernel written in lanes gives the same bits on any CPU
(``tests/wsbench_zoos/test_determinism.py``), and why it is fast on all of them.

In numba code, where ``a`` is a flat float32 array and ``s`` a float32::

    v = load(a, i)        # a[i : i + 16]
    v = s * v + w         # element by element; a product and a sum, each rounded
    store(a, i, v)

Indices are not checked and not wrapped: a kernel keeps its bounds itself. (Wrapping negative
indices, as numba does for ``a[i]``, took a third of the MLP's time: 0.86 µs a step against 0.59.)
"""

import operator
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import float32 as f32
from numba import types
from numba.core import cgutils
from numba.core.typing import signature as typed
from numba.core.typing.templates import AbstractTemplate, infer_global
from numba.extending import intrinsic, lower_builtin, models, register_model

from wsbench_zoos.training.kernels.numba_policy import part

N_LANES = 16
_FLOAT = ir.FloatType()
_INT = ir.IntType(32)
_VECTOR = ir.VectorType(_FLOAT, N_LANES)
_INT_VECTOR = ir.VectorType(_INT, N_LANES)


def aligned(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return a flat copy that begins at a multiple of 64 bytes, as one cache line of lanes does.

    numpy promises 16. Lanes across two cache lines made the MLP's step half as slow again.
    """
    flat = np.ravel(values)
    spare = np.empty(flat.size + N_LANES, np.float32)
    start = -spare.ctypes.data % 64 // 4
    spare[start : start + flat.size] = flat
    return spare[start : start + flat.size]


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name="float32x16")


LANES = _Lanes()


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _VECTOR)


def _is_place(array: Any, index: Any) -> bool:
    return (
        isinstance(array, types.Array)
        and (array.dtype, array.layout, array.ndim) == (types.float32, "C", 1)
        and isinstance(index, types.Integer)
    )


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Address of ``args[0][args[1]]`` as a pointer to float."""
    array_type, index_type = signature.args[:2]
    index = context.cast(builder, args[1], index_type, types.intp)
    return builder.gep(context.make_array(array_type)(context, builder, args[0]).data, [index])


def _widen(builder: Any, value: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, value, _INT(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(_INT_VECTOR, [0] * N_LANES))


@intrinsic
def load(typing_context: Any, array: Any, index: Any) -> Any:
    """Lanes from ``array[index : index + 16]``."""
    if not _is_place(array, index):
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature, args)
        return builder.load(builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)

    return LANES(array, index), generate


@intrinsic
def store(typing_context: Any, array: Any, index: Any, value: Any) -> Any:
    """Write lanes to ``array[index : index + 16]``."""
    if not (_is_place(array, index) and value == LANES):
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature, args)
        builder.store(args[2], builder.bitcast(pointer, _VECTOR.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(array, index, value), generate


@intrinsic
def broadcast(typing_context: Any, array: Any, index: Any) -> Any:
    """Lanes that all hold ``array[index]``."""
    if not _is_place(array, index):
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _widen(builder, builder.load(_pointer(context, builder, signature, args)))

    return LANES(array, index), generate


@intrinsic
def splat(typing_context: Any, value: Any) -> Any:
    """Lanes that all hold one float32."""
    if value != types.float32:
        return None
    return LANES(value), lambda context, builder, signature, args: _widen(builder, args[0])


@intrinsic
def prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of ``array[index]``; changes nothing but the time."""
    if not _is_place(array, index):
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, _INT, _INT, _INT])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        pointer = builder.bitcast(_pointer(context, builder, signature, args), byte)
        for_reading, keep_close, data = _INT(0), _INT(3), _INT(1)
        builder.call(function, [pointer, for_reading, keep_close, data])
        return context.get_dummy_value()

    return types.void(array, index), generate


def _define(python_operator: Any, instruction: str) -> None:
    """Give an operator its meaning on (lanes, lanes), (lanes, float32) and (float32, lanes)."""

    @infer_global(python_operator)
    class _Typing(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if LANES in args and all(arg in (LANES, types.float32) for arg in args):
                return typed(LANES, *args)
            return None

    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = [
            value if kind == LANES else _widen(builder, value)
            for value, kind in zip(args, signature.args, strict=True)
        ]
        return getattr(builder, instruction)(*wide)

    for kinds in ((LANES, LANES), (LANES, types.float32), (types.float32, LANES)):
        lower_builtin(python_operator, *kinds)(lower)


_define(operator.add, "fadd")
_define(operator.sub, "fsub")
_define(operator.mul, "fmul")
_define(operator.truediv, "fdiv")


@intrinsic
def where_greater(typing_context: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    """In each lane ``x`` where ``a > b``, else ``y`` (also where either is not a number)."""
    if not all(argument == LANES for argument in (a, b, x, y)):
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", args[0], args[1]), args[2], args[3])

    return LANES(a, b, x, y), generate


@intrinsic
def _two_to_the(typing_context: Any, shifted: Any) -> Any:
    """2ⁿ of lanes that hold n + 1.5·2²³, whose low mantissa bits are therefore the integer n."""
    if shifted != LANES:
        return None

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        def each(value: int) -> ir.Constant:
            return ir.Constant(_INT_VECTOR, [value] * N_LANES)

        exponent = builder.add(builder.bitcast(args[0], _INT_VECTOR), each(127))
        return builder.bitcast(builder.shl(exponent, each(23)), _VECTOR)

    return LANES(shifted), generate


# x (l) → (l)
@part
def exp(x):
    """Exponential, within 2 units in the last place on [-87, 88] and clamped to it outside.

    Split x = n·ln 2 + r with |r| ≤ 0.35, ln 2 in two parts of which the first times n is exact
    (Cody and Waite 1980), then e^r by its Taylor series, whose first omitted term is below 6e-9.
    """
    lowest, highest = splat(f32(-87.0)), splat(f32(88.0))
    x = where_greater(x, lowest, x, lowest)
    x = where_greater(highest, x, x, highest)
    shifted = x * f32(1.4426950408889634) + f32(12582912.0)
    n = shifted - f32(12582912.0)
    r = (x - n * f32(0.693359375)) - n * f32(-2.12194440e-4)
    p = r * f32(1 / 5040) + f32(1 / 720)
    p = p * r + f32(1 / 120)
    p = p * r + f32(1 / 24)
    p = p * r + f32(1 / 6)
    p = p * r + f32(1 / 2)
    p = p * r + f32(1.0)
    p = p * r + f32(1.0)
    return p * _two_to_the(shifted)


# x (l) → (l)
@part
def sigmoid(x):
    """Logistic function 1 / (1 + e⁻ˣ)."""
    return f32(1.0) / (f32(1.0) + exp(f32(0.0) - x))


@intrinsic
def _evens(typing_context: Any, a: Any, b: Any) -> Any:
    """Lanes 0, 2, … 14 of ``a``, then those of ``b``."""
    return _picked(a, b, 0)


@intrinsic
def _odds(typing_context: Any, a: Any, b: Any) -> Any:
    """Lanes 1, 3, … 15 of ``a``, then those of ``b``."""
    return _picked(a, b, 1)


def _picked(a: Any, b: Any, first: int) -> Any:
    if not (a == LANES and b == LANES):
        return None
    places = ir.Constant(_INT_VECTOR, list(range(first, 2 * N_LANES, 2)))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.shuffle_vector(args[0], args[1], places)

    return LANES(a, b), generate


# array (16, l) → (l)
@part
def row_sums(array, index):
    """Lane i: the sum of ``array[index + 16 i : index + 16 i + 16]``, of 16 rows at once.

    Neighbours are added, then neighbouring sums, and so on: for each row ``a``, four times,
    ``a = a[0::2] + a[1::2]``.
    """
    return _fold(_sums_of_8(array, index), _sums_of_8(array, index + 8 * N_LANES))


# a, b (l) → (l)
@part
def _fold(a, b):
    return _evens(a, b) + _odds(a, b)


# array (8, l) → (l)
@part
def _sums_of_8(array, index):
    return _fold(_sums_of_4(array, index), _sums_of_4(array, index + 4 * N_LANES))


# array (4, l) → (l)
@part
def _sums_of_4(array, index):
    return _fold(_sums_of_2(array, index), _sums_of_2(array, index + 2 * N_LANES))


# array (2, l) → (l)
@part
def _sums_of_2(array, index):
    return _fold(load(array, index), load(array, index + N_LANES))
