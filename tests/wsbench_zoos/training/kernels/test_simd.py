import mpmath
import numpy as np
import pytest
from numba import njit

from wsbench_zoos.training.kernels import simd
from wsbench_zoos.training.kernels.simd import (
    N_LANES,
    aligned,
    broadcast,
    load,
    store,
    where_greater,
)


@njit
def _map_exp(x, y):
    for i in range(0, x.size, N_LANES):
        store(y, i, simd.exp(load(x, i)))


@njit
def _map_sigmoid(x, y):
    for i in range(0, x.size, N_LANES):
        store(y, i, simd.sigmoid(load(x, i)))


@njit
def _arithmetic(x, y, scalar):
    a, b = load(x, 0), load(x, 1)
    store(y, 0, a + b)
    store(y, 16, a - b)
    store(y, 32, a * b)
    store(y, 48, a / b)
    store(y, 64, scalar * a + broadcast(x, 3))
    store(y, 80, where_greater(a, b, a, b))


def exp(x):
    """The kernels' exponential, element by element."""
    padded = aligned(np.append(np.float32(x), np.zeros(-np.size(x) % N_LANES, np.float32)))
    result = np.empty_like(padded)
    _map_exp(padded, result)
    return result[: np.size(x)].reshape(np.shape(x))


def test_lanes__operate_element_by_element_and_round_each_result():
    x = np.random.default_rng(0).standard_normal(32).astype(np.float32)
    y = np.empty(96, np.float32)
    _arithmetic(x, y, np.float32(0.3))
    a, b = x[:16], x[1:17]
    expected = [a + b, a - b, a * b, a / b, np.float32(0.3) * a + x[3], np.maximum(a, b)]
    np.testing.assert_array_equal(y.reshape(6, 16), expected)


@pytest.mark.parametrize(("low", "high"), [(-87, 88), (-1, 1), (-1e-3, 1e-3)])
def test_exp__agrees_with_mpmath_within_two_units_in_the_last_place(low, high):
    x = np.random.default_rng(1).uniform(low, high, 4096).astype(np.float32)
    exact = np.array([float(mpmath.exp(float(value))) for value in x])
    ulps = np.abs(exp(x).astype(np.float64) - exact) / np.spacing(exact.astype(np.float32))
    assert ulps.max() < 2


def test_exp__is_exact_at_zero_and_clamped_far_out():
    values = exp(np.float32([0, -0.0, -1e9, 1e9, -np.inf, np.inf]))
    assert values[0] == values[1] == 1
    assert values[2] == values[4] == exp(np.float32([-87]))[0] > 0
    assert values[3] == values[5] == exp(np.float32([88]))[0] < np.inf


def test_sigmoid__is_bounded_and_one_half_at_zero():
    x = np.linspace(-100, 100, 4000, dtype=np.float32)
    y = np.empty_like(x)
    _map_sigmoid(x, y)
    assert ((y >= 0) & (y <= 1)).all()
    assert (np.diff(y) >= 0).all()
    np.testing.assert_allclose(y, 1 / (1 + np.exp(-x.astype(np.float64))), rtol=1e-6, atol=1e-37)


def test_aligned__begins_at_a_cache_line_and_copies():
    for n in range(1, 40):
        values = np.arange(n, dtype=np.float32)
        copy = aligned(values)
        assert copy.ctypes.data % 64 == 0
        np.testing.assert_array_equal(copy, values)
        copy[0] = -1
        assert values[0] == 0
