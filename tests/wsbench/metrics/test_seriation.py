import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbench.metrics.distances import pairwise_euclidean
from wsbench.metrics.seriation import spectral_order


def trajectory(k, seed, n_dimensions=30):
    """Points on a smooth curve that slows down, with a little noise."""
    rng = np.random.default_rng(seed)
    way = 1 - np.exp(-3 * np.arange(k) / k)
    directions = rng.standard_normal((3, n_dimensions))
    curve = np.stack([way, way**2, np.sin(2 * way)], axis=1) @ directions
    return curve + 1e-4 * rng.standard_normal(curve.shape)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [3, 10, 50])
def test_spectral_order__finds_the_order_and_direction_of_a_curve_that_slows_down(k, seed):
    shuffle = np.random.default_rng(seed).permutation(k)
    distances = pairwise_euclidean(trajectory(k, seed)[shuffle])
    np.testing.assert_array_equal(shuffle[spectral_order(distances)], np.arange(k))


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_spectral_order__is_a_permutation_of_any_points(k, seed):
    points = np.random.default_rng(seed).standard_normal((k, 2))
    assert sorted(spectral_order(pairwise_euclidean(points))) == list(range(k))


def test_spectral_order__does_not_depend_on_scale_or_input_order():
    points = trajectory(20, 1)
    distances = pairwise_euclidean(points)
    expected = spectral_order(distances)
    np.testing.assert_array_equal(spectral_order(1e6 * distances), expected)
    shuffle = np.random.default_rng(2).permutation(20)
    shuffled = shuffle[spectral_order(distances[np.ix_(shuffle, shuffle)])]
    np.testing.assert_array_equal(shuffled, expected)


def test_spectral_order__takes_points_that_are_all_equal():
    assert sorted(spectral_order(np.zeros((5, 5)))) == list(range(5))
