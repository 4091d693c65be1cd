import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis.extra.numpy import arrays

from support.naive_subspace_match import naive_maximum, naive_minimum
from wsbench_baselines.subspace_match import EPSILONS
from wsbench_baselines.subspace_match_pairs import (
    maximum_match,
    maximum_match_similarity,
    minimum_match,
    minimum_match_similarity,
    simple_matches,
)

# A worked example: x0 and x1 span what y1 and y2 span, x2 is y3, x3 is y4, and nothing spans y0.
X = np.zeros((4, 6))
X[[0, 0, 1, 2, 3], [0, 1, 1, 3, 4]] = 1, 0.5, 1, 1, 1
Y = np.zeros((5, 6))
Y[[0, 1, 2, 2, 3, 4], [2, 0, 0, 1, 3, 4]] = 1, 1, 0.5, 1, 1, 1


def as_lists(match):
    return tuple(rows.tolist() for rows in match)


def planted(seed, n_x=6, n_y=5, shared=2, n_inputs=20):
    """Layers whose first neurons lie near one subspace; the rest are random, and one dead."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(shared, n_inputs))
    x, y = rng.normal(size=(n_x, n_inputs)), rng.normal(size=(n_y, n_inputs))
    for rows in (x, y):
        n = int(rng.integers(shared, len(rows)))
        rows[:n] = rng.normal(size=(n, shared)) @ common + 0.05 * rng.normal(size=(n, n_inputs))
    x[-1] = 0
    return x, y


def test_worked_example():
    assert as_lists(maximum_match(X, Y, 0.1)) == ([0, 1, 2, 3], [1, 2, 3, 4])
    assert maximum_match_similarity(X, Y, 0.1) == pytest.approx(8 / 9)
    assert as_lists(minimum_match(X, Y, 0.1, v=0)) == ([0, 1], [1, 2])
    assert as_lists(minimum_match(X, Y, 0.1, v=4)) == ([], [])  # y0 is in no match
    assert [as_lists(match) for match in simple_matches(X, Y, 0.1)] == [
        ([0, 1], [1, 2]), ([2], [3]), ([3], [4])
    ]  # fmt: skip
    # Four neurons have a minimum match of four, four of two, and y0 has none.
    assert minimum_match_similarity(X, Y, 0.1) == pytest.approx((4 * 4 + 4 * 2) / 9 / 9)


def test_maximum_match__finds_planted_neurons():
    rng = np.random.default_rng(0)
    common = rng.normal(size=(10, 200))
    x, y = (
        np.concatenate([rng.normal(size=(20, 10)) @ common, rng.normal(size=(100, 200))])
        for _ in range(2)
    )
    assert as_lists(maximum_match(x, y, 0.1)) == (list(range(20)), list(range(20)))
    assert maximum_match_similarity(x, y, 0.1) == pytest.approx(40 / 240)


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.integers(1, 4), st.floats(0.02, 0.8))
def test_algorithms__agree_with_a_least_squares_fit_for_every_sweep(seed, shared, epsilon):
    x, y = planted(seed, shared=shared)
    seen = []
    maximum = naive_maximum(x, y, epsilon, range(len(x)), range(len(y)), seen)
    minima = [naive_minimum(x, y, epsilon, v, seen) for v in range(len(x) + len(y))]
    assume(np.abs(np.array(seen) - epsilon).min() > 1e-6)  # rounding does not decide
    assert as_lists(maximum_match(x, y, epsilon)) == maximum
    assert [as_lists(minimum_match(x, y, epsilon, v)) for v in range(len(x) + len(y))] == minima
    n = len(x) + len(y)
    sizes = [len(a) + len(b) for a, b in [maximum, *minima]]
    assert maximum_match_similarity(x, y, epsilon) == pytest.approx(sizes[0] / n)
    assert minimum_match_similarity(x, y, epsilon) == pytest.approx(sum(sizes[1:]) / n**2)


@given(arrays(float, (4, 3), elements=st.integers(-2, 2)), arrays(float, (3, 3), elements=st.integers(-2, 2)))  # fmt: skip  # noqa: E501
def test_maximum_match__agrees_with_least_squares_where_neurons_depend_on_each_other(x, y):
    seen = []
    expected = naive_maximum(x, y, 0.3, range(4), range(3), seen)
    assume(not seen or np.abs(np.array(seen) - 0.3).min() > 1e-6)
    assert as_lists(maximum_match(x, y, 0.3)) == expected


@given(st.integers(0, 2**32), st.floats(0.02, 0.8))
def test_simple_matches__are_matches_without_smaller_ones_and_their_union_is_the_maximum(
    seed, epsilon
):
    x, y = planted(seed)
    found = simple_matches(x, y, epsilon)
    for in_x, in_y in found:
        inner = x[in_x], y[in_y]
        assert maximum_match_similarity(*inner, epsilon) == 1
        neurons = range(len(in_x) + len(in_y))
        # It is the only minimum match of some neuron: no smaller matches make it up.
        sizes = [sum(map(len, minimum_match(*inner, epsilon, v))) for v in neurons]
        assert max(sizes) == len(neurons)
    union = [sorted({int(i) for match in found for i in match[side]}) for side in (0, 1)]
    assert tuple(union) == as_lists(maximum_match(x, y, epsilon))


@given(st.integers(0, 2**32), st.floats(0.05, 0.8))
def test_similarity__is_1_of_a_layer_with_itself_and_symmetric(seed, epsilon):
    x, y = planted(seed)
    assert maximum_match_similarity(x[:-1], x[:-1], epsilon) == 1
    assert maximum_match_similarity(x, y, epsilon) == maximum_match_similarity(y, x, epsilon)
    assert minimum_match_similarity(x[:-1], x[:-1], 1e-4) == pytest.approx(2 / 10)


@given(st.integers(0, 2**32), st.floats(0.02, 0.8))
def test_maximum_match__follows_permuted_and_rescaled_neurons(seed, epsilon):
    x, y = planted(seed)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    scales = 10.0 ** rng.integers(-30, 30, size=len(x)) * rng.choice([-1, 1], size=len(x))
    before = maximum_match(x, y, epsilon)
    after = maximum_match((x * scales[:, None])[order], y, epsilon)
    np.testing.assert_array_equal(np.sort(order[after[0]]), before[0])
    np.testing.assert_array_equal(after[1], before[1])


@given(st.integers(0, 2**32))
def test_similarity__is_1_of_a_layer_and_its_invertible_mixture(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(6, 20))
    mix = np.linalg.qr(rng.normal(size=(6, 6)))[0] * rng.uniform(0.1, 10, size=6)
    assert maximum_match_similarity(x, mix @ x, 1e-4) == 1


@given(st.integers(0, 2**32))
def test_similarity__does_not_fall_as_epsilon_grows(seed):
    x, y = planted(seed)
    similarities = [maximum_match_similarity(x, y, epsilon) for epsilon in EPSILONS]
    assert (np.diff(similarities) >= 0).all()


def test_similarity__is_0_where_all_are_dead():
    dead, alive = np.zeros((3, 5)), np.eye(3, 5)
    for other in (dead, alive):
        assert maximum_match_similarity(dead, other, 0.5) == 0
        assert minimum_match_similarity(other, dead, 0.5) == 0
        assert simple_matches(dead, other, 0.5) == []


def test_similarity__dead_neurons_match_nothing_but_count():
    layer = np.eye(5, 6)
    layer[2:, :] = [[0], [np.nan], [np.inf]]
    assert maximum_match_similarity(layer, layer, 0.1) == 4 / 10


def test_similarity__is_blind_to_isomorphic_layers_in_different_subspaces():
    """The known blind spot: Y does to the last inputs what X does to the first."""
    rows = np.random.default_rng(0).normal(size=(4, 6))
    x, y = np.hstack([rows, np.zeros((4, 6))]), np.hstack([np.zeros((4, 6)), rows])
    assert maximum_match_similarity(x, y, 0.9) == 0


def test_similarity__takes_rounding_errors_for_no_direction():
    """Ten units after a layer of eight, in float32: two of ten directions are rounding errors."""
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(8, 100)).astype(np.float32)
    x, y = (rng.normal(size=(10, 8)).astype(np.float32) @ hidden for _ in range(2))
    assert np.linalg.matrix_rank(x.astype(float)) == 10
    assert maximum_match_similarity(x, y, 1e-4) == 1
    stray = np.linalg.svd(x.astype(float))[2][8:10]  # what the rounding errors span
    match = maximum_match(x, np.concatenate([x[:8], stray]), 0.9)
    assert as_lists(match) == (list(range(10)), list(range(8)))


def test_similarity__keeps_the_direction_in_which_neurons_differ_by_a_thousandth():
    near, apart = np.eye(2, 5), np.eye(2, 5)
    near[1] = [1, 1e-3, 0, 0, 0]
    assert maximum_match_similarity(near, apart, 1e-4) == 1


@pytest.mark.parametrize(
    ("x", "y", "epsilon", "message"),
    [
        (np.ones(3), np.ones((1, 3)), 0.1, r"shapes \(3,\) and \(1, 3\): expected"),
        (np.ones((2, 3)), np.ones((2, 4)), 0.1, r"\(2, 3\) and \(2, 4\).*the same inputs"),
        (np.ones((0, 3)), np.ones((2, 3)), 0.1, r"\(0, 3\) and \(2, 3\)"),
        (X, Y, 0, "^epsilon=0: expected a number between 0 and 1$"),
        (X, Y, 1.0, "^epsilon=1.0: expected a number"),
        (X, Y, float("nan"), "^epsilon=nan: expected a number"),
        (X, Y, [0.1, 0.2], r"^epsilon=\[0.1, 0.2\]: expected a number"),
        (X, Y, "small", "^epsilon='small': expected a number"),
    ],
)
def test_functions__refuse_wrong_arguments(x, y, epsilon, message):
    for function in (
        maximum_match, maximum_match_similarity, minimum_match_similarity, simple_matches
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            function(x, y, epsilon)


@pytest.mark.parametrize("v", [-1, 9])
def test_minimum_match__refuses_a_neuron_that_is_not_there(v):
    with pytest.raises(IndexError, match=f"^v={v}: expected a neuron of X or Y, 0 to 8$"):
        minimum_match(X, Y, 0.1, v)
