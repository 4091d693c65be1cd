import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import ortho_group

import wsbench
from support.known_activations import answering, rotating, three_of_six_dead
from wsbench_baselines.cka import CKA


def distances(activations, **parameters):
    return CKA(**parameters).pairwise(answering(activations))


def hsic(x, y):
    """As the paper defines it, from m × m kernels and the centring matrix."""
    m = x.shape[1]
    centre = np.eye(m) - 1 / m
    return np.trace(x.T @ x @ centre @ y.T @ y @ centre) / (m - 1) ** 2


def naive_distance(x, y):
    scale = np.sqrt(max(0.0, hsic(x, x) * hsic(y, y)))  # of a dead layer, rounding is left
    return 1 - hsic(x, y) / scale if scale > 1e-9 else 1.0


shapes = st.tuples(st.integers(2, 4), st.integers(1, 4), st.integers(2, 6))


@given(arrays(np.float64, shapes, elements=st.integers(-4, 4)))
def test_pairwise__agrees_with_the_definition_pair_by_pair(activations):
    """Small integers: dead units, dead layers, and layers that are equal, are common."""
    expected = [[naive_distance(x, y) for y in activations] for x in activations]
    np.fill_diagonal(expected := np.array(expected), 0)
    np.testing.assert_allclose(distances(activations), expected, atol=1e-9)


def test_pairwise__of_many_in_blocks_equals_two_at_a_time():
    activations = np.random.default_rng(0).normal(size=(23, 90, 12)) + 1  # 11 to a block
    found = distances(activations)
    for i, j in [(0, 1), (10, 11), (3, 22), (21, 22)]:
        alone = distances(activations[[i, j]])[0, 1]
        assert found[i, j] == found[j, i] == pytest.approx(alone, abs=1e-12)


def test_pairwise__does_not_see_orthogonal_maps_scale_and_shift():
    rng = np.random.default_rng(0)
    activations = rng.normal(size=(6, 5, 40)) * np.arange(1, 6)[:, None]
    maps = ortho_group(5, seed=0).rvs(6) * rng.uniform(0.1, 10, (6, 1, 1))
    changed = maps @ activations + rng.normal(size=(6, 5, 1))
    np.testing.assert_allclose(distances(changed), distances(activations), atol=1e-6)


def test_pairwise__sees_an_invertible_linear_map():
    activations = np.random.default_rng(0).normal(size=(1, 5, 40))
    stretched = activations * np.array([1, 1, 1, 1, 5.0])[:, None]
    assert distances(np.concatenate([activations, stretched]))[0, 1] > 0.1


def test_pairwise__is_zero_between_equal_layers():
    activations = np.repeat(np.random.default_rng(0).normal(size=(1, 5, 40)), 3, axis=0)
    np.testing.assert_allclose(distances(activations), 0, atol=1e-12)


def test_pairwise__of_independent_gaussians_is_near_its_expected_value():
    """E‖YᵀX‖² = u²m and E‖XᵀX‖² ≈ um² + u²m, so that CKA ≈ u / (m + u)."""
    u, m = 40, 2000
    found = distances(np.random.default_rng(0).normal(size=(8, u, m)))
    similarity = 1 - found[~np.eye(8, dtype=bool)]
    np.testing.assert_allclose(similarity, u / (m + u), rtol=0.1)


def test_pairwise__is_one_from_a_dead_layer():
    found = CKA().pairwise(three_of_six_dead())
    expected = 1 - np.eye(6)
    np.testing.assert_array_equal(found[:3], expected[:3])
    np.testing.assert_array_equal(found[:, :3], expected[:, :3])
    assert found[3:, 3:].max() < 1


def test_layer__is_the_last_hidden_one_unless_named(checkpoints):
    inputs = np.random.default_rng(0).random((20, 6), np.float32)
    view = wsbench.Checkpoints(checkpoints.weights, checkpoints.layout, probe_inputs=inputs)
    default = CKA().pairwise(view)
    np.testing.assert_array_equal(default, CKA(layer="hidden-1").pairwise(view))
    assert np.abs(default - CKA(layer="output").pairwise(view)).max() > 0.01


def test_layer__that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(wsbench.FormatError, match=r"^no units 'hidden-7' .* it has output$"):
        distances(np.ones((2, 3, 4)), layer="hidden-7")


def test_order__follows_a_rotation_of_the_activations():
    shuffle = np.random.default_rng(1).permutation(12)
    order = CKA().order(answering(rotating()[shuffle]))
    np.testing.assert_array_equal(shuffle[order], np.arange(12))
