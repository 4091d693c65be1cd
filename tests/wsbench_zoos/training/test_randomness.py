import numpy as np
import pytest
from scipy import special, stats

from wsbench import Layout
from wsbench_zoos.training.randomness import (
    data_order,
    initial_weights,
    permutation,
    standard_normal,
)

LAYOUT = Layout.of(
    [("a", (10, 196), ("hidden-1", "input")), ("b", (8, 16, 3, 3), ("o", "i", "r", "c"))], "sigmoid"
)

PUBLISHED_WEIGHTS = [1041402390, 1030918185, 3178623995]
PUBLISHED_ORDER = [1415, 252, 1421, 402, 570, 1213]


def test_standard_normal__inverts_the_distribution_function_also_far_out():
    ends = np.array([0, 1, 2**12, 2**20, 2**40, 2**63, 2**64 - 2**12, 2**64 - 1], np.uint64)
    raw = np.concatenate([ends, np.random.default_rng(0).integers(2**64, size=9999, dtype="u8")])
    uniform = ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    # In the upper tail 1 − u is exact and u is not what scipy can invert.
    upper = uniform > 0.5
    exact = np.where(upper, -special.ndtri(1 - uniform), special.ndtri(uniform))
    normal = standard_normal(raw)
    np.testing.assert_allclose(normal, exact, rtol=1e-13, atol=1e-15)
    assert np.abs(normal).max() > 8


def test_standard_normal__is_normal():
    raw = np.random.Philox(key=3).random_raw(100_000)
    assert stats.kstest(standard_normal(raw), "norm").pvalue > 0.01


def test_initial_weights__are_kaiming_normal_in_each_tensor():
    many = np.array([initial_weights("x-v1", 0, m, LAYOUT) for m in range(40)], np.float64)
    assert many.shape == (40, 1960 + 1152)
    for tensor, fan_in in zip(LAYOUT.tensors, (196, 144), strict=True):
        values = many[:, tensor.start : tensor.stop].ravel() / np.sqrt(2 / fan_in)
        assert stats.kstest(values, "norm").pvalue > 0.01


def test_initial_weights__depend_on_recipe_seed_and_model_only():
    weights = initial_weights("x-v1", 0, 3, LAYOUT)
    np.testing.assert_array_equal(weights, initial_weights("x-v1", 0, 3, LAYOUT))
    for other in (("y-v1", 0, 3), ("x-v1", 1, 3), ("x-v1", 0, 4)):
        assert (weights != initial_weights(*other, LAYOUT)).all()


def test_initial_weights__have_published_bits():
    """These bits are in every published zoo; numpy's Philox, and the arithmetic, must keep them."""
    weights = initial_weights("digits-mlp-v1", 1, 0, LAYOUT)
    np.testing.assert_array_equal(weights[:3].view(np.uint32), PUBLISHED_WEIGHTS)


def test_data_order__has_published_places():
    assert data_order("digits-mlp-v1", 1, 0, 1, 1437)[:6].tolist() == PUBLISHED_ORDER


def test_data_order__is_a_fresh_permutation_each_epoch_and_model():
    orders = [data_order("x-v1", 0, m, e, 500) for m in range(3) for e in range(1, 4)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), np.arange(500))
    assert len({order.tobytes() for order in orders}) == 9


def test_permutation__agrees_with_the_shuffle_in_python_integers():
    raw = np.random.Philox(key=1).random_raw(300)
    order = list(range(300))
    for i in range(299, 0, -1):
        j = int(raw[i]) * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    assert permutation(raw).tolist() == order


@pytest.mark.parametrize("n", [1, 2, 3])
def test_permutation__is_uniform(n):
    counts: dict[tuple[int, ...], int] = {}
    raw = np.random.Philox(key=2).random_raw(6000 * n).reshape(-1, n)
    for row in raw:
        key = tuple(permutation(row).tolist())
        counts[key] = counts.get(key, 0) + 1
    assert len(counts) == {1: 1, 2: 2, 3: 6}[n]
    assert n == 1 or stats.chisquare(list(counts.values())).pvalue > 0.001
