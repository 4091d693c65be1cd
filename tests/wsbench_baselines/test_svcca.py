import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import wsbench
from support.known_activations import answering, rotating, three_of_six_dead
from wsbench_baselines.svcca import SVCCA


def distances(activations, **parameters):
    return SVCCA(**parameters).pairwise(answering(activations))


def reduced(x, variance):
    """The SV step: (u, m) activations on the fewest principal directions with this variance."""
    x = (x - x.mean(axis=1, keepdims=True)).T  # (m, u)
    values, vectors = scipy.linalg.eigh(x.T @ x)
    values, vectors = values[::-1], vectors[:, ::-1]
    shares = np.cumsum(values) / max(values.sum(), 1e-300)
    k = min(int((shares < variance - 1e-12).sum()) + 1, int((values > 1e-9).sum()))
    return x @ vectors[:, :k]


def naive_distance(x, y, variance):
    """The CCA step by whitening: singular values of Cxx^(-1/2) Cxy Cyy^(-1/2)."""
    x, y = reduced(x, variance), reduced(y, variance)
    if not x.size or not y.size:
        return 1.0
    whiten_x, whiten_y = (np.real(scipy.linalg.inv(scipy.linalg.sqrtm(z.T @ z))) for z in (x, y))
    return 1 - scipy.linalg.svdvals(whiten_x @ x.T @ y @ whiten_y).mean()


def naive_distances(activations, variance):
    found = [[naive_distance(x, y, variance) for y in activations] for x in activations]
    np.fill_diagonal(found := np.array(found), 0)
    return found


sizes = st.tuples(st.integers(2, 4), st.integers(1, 4), st.integers(2, 8))


@given(sizes, st.integers(0, 10**6), st.sampled_from([0.3, 0.9, 0.99]))
def test_pairwise__agrees_with_the_definition_pair_by_pair(size, seed, variance):
    activations = (
        np.random.default_rng(seed).normal(size=size) * 2.0 ** -np.arange(size[1])[:, None]
    )
    activations = activations.astype(np.float32).astype(np.float64)
    expected = naive_distances(activations, variance)
    np.testing.assert_allclose(distances(activations, variance=variance), expected, atol=1e-5)


@given(arrays(np.float64, sizes, elements=st.integers(-4, 4)))
def test_pairwise__agrees_with_the_definition_where_units_are_dead_or_dependent(activations):
    """Small integers make both common."""
    expected = naive_distances(activations, 1.0)
    np.testing.assert_allclose(distances(activations, variance=1), expected, atol=1e-6)


def test_pairwise__of_many_in_blocks_equals_two_at_a_time():
    activations = np.random.default_rng(0).normal(size=(23, 90, 100)) + 1  # 11 to a block
    activations[::2] *= np.linspace(0, 1, 90)[:, None] ** 3  # of which fewer directions are kept
    found = distances(activations, variance=0.9)
    for i, j in [(0, 1), (10, 11), (3, 22), (21, 22)]:
        alone = distances(activations[[i, j]], variance=0.9)[0, 1]
        assert found[i, j] == found[j, i] == pytest.approx(alone, abs=1e-12)


def test_pairwise__with_all_variance_does_not_see_invertible_linear_maps_and_shift():
    rng = np.random.default_rng(0)
    activations = rng.normal(size=(6, 5, 40))
    changed = rng.normal(size=(6, 5, 5)) @ activations + rng.normal(size=(6, 5, 1))
    before = distances(activations, variance=1.0)
    np.testing.assert_allclose(distances(changed, variance=1.0), before, atol=1e-5)


def test_pairwise__with_less_does_not_see_units_of_little_variance():
    rng = np.random.default_rng(0)
    activations = np.repeat(rng.normal(size=(1, 5, 400)), 2, axis=0)
    activations[:, 4] = 1e-3 * rng.normal(size=(2, 400))
    assert distances(activations, variance=0.99)[0, 1] < 1e-4
    assert distances(activations, variance=1.0)[0, 1] > 0.1


def test_pairwise__divides_by_the_smaller_number_of_directions():
    """Three directions that lie within five are wholly correlated."""
    five = np.random.default_rng(0).normal(size=(5, 40))
    three = five.copy()
    three[3:] = 0
    assert distances(np.stack([five, three]), variance=1)[0, 1] == pytest.approx(0, abs=1e-6)


def test_pairwise__is_zero_between_equal_layers():
    activations = np.repeat(np.random.default_rng(0).normal(size=(1, 5, 40)), 3, axis=0)
    np.testing.assert_allclose(distances(activations), 0, atol=1e-12)


def test_pairwise__of_independent_gaussians_is_near_its_expected_value():
    """Q_xᵀQ_y is nearly Gaussian: quarter-circle law, of mean 8/(3π) √(u/m)."""
    u, m = 40, 2000
    found = distances(np.random.default_rng(0).normal(size=(8, u, m)), variance=1)
    correlation = 1 - found[~np.eye(8, dtype=bool)]
    np.testing.assert_allclose(correlation, 8 / (3 * np.pi) * np.sqrt(u / m), rtol=0.05)


def test_pairwise__is_one_from_a_dead_layer():
    found = SVCCA().pairwise(three_of_six_dead())
    expected = 1 - np.eye(6)
    np.testing.assert_array_equal(found[:3], expected[:3])
    np.testing.assert_array_equal(found[:, :3], expected[:, :3])
    assert found[3:, 3:].max() < 1


def test_pairwise__of_dead_layers_only_is_one():
    np.testing.assert_array_equal(distances(np.ones((3, 2, 5))), 1 - np.eye(3))


def test_layer__is_the_last_hidden_one_unless_named(checkpoints):
    inputs = np.random.default_rng(0).random((20, 6), np.float32)
    view = wsbench.Checkpoints(checkpoints.weights, checkpoints.layout, probe_inputs=inputs)
    default = SVCCA().pairwise(view)
    np.testing.assert_array_equal(default, SVCCA(layer="hidden-1").pairwise(view))
    assert np.abs(default - SVCCA(layer="output").pairwise(view)).max() > 0.01


def test_layer__that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(wsbench.FormatError, match=r"^no units 'hidden-7' .* it has output$"):
        distances(np.ones((2, 3, 4)), layer="hidden-7")


@pytest.mark.parametrize("variance", [0, -0.1, 1.01, 99, float("nan"), True, "most", None])
def test_variance__must_be_a_share(variance):
    with pytest.raises(ValueError, match=r"^variance=.*: expected a number in \(0, 1\]$"):
        SVCCA(variance=variance)


def test_order__follows_a_rotation_of_the_activations():
    shuffle = np.random.default_rng(1).permutation(12)
    order = SVCCA().order(answering(rotating()[shuffle]))
    np.testing.assert_array_equal(shuffle[order], np.arange(12))
