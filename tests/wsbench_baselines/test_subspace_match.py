import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis.extra.numpy import arrays

import wsbench
from wsbench_baselines.subspace_match import (
    EPSILONS,
    SubspaceMatch,
    maximum_match,
    maximum_match_similarity,
    minimum_match,
    minimum_match_similarity,
    pairwise_distances,
    simple_matches,
)

# A worked example: x0 and x1 span what y1 and y2 span, x2 is y3, x3 is y4, and nothing spans y0.
X = np.zeros((4, 6))
X[[0, 0, 1, 2, 3], [0, 1, 1, 3, 4]] = 1, 0.5, 1, 1, 1
Y = np.zeros((5, 6))
Y[[0, 1, 2, 2, 3, 4], [2, 0, 0, 1, 3, 4]] = 1, 1, 0.5, 1, 1, 1


def distances(x, y):
    """Distance of each row of x, relative to its length, from the span of y's."""
    x, y = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (x, y))
    coefficients = np.linalg.lstsq(y.T, x.T, rcond=1e-7)[0]
    return np.linalg.norm(x.T - y.T @ coefficients, axis=0)


def naive_maximum(x, y, epsilon, in_x, in_y, seen=None):
    """Algorithm 1 within given rows: a least-squares fit for every sweep."""
    in_x, in_y = [i for i in in_x if x[i].any()], [j for j in in_y if y[j].any()]
    while in_x and in_y:
        found = distances(x[in_x], y[in_y])
        left_x = [i for i, d in zip(in_x, found, strict=True) if d <= epsilon]
        back = distances(y[in_y], x[left_x]) if left_x else np.ones(len(in_y))
        left_y = [j for j, d in zip(in_y, back, strict=True) if d <= epsilon]
        if seen is not None:
            seen += [*found, *back]
        if (left_x, left_y) == (in_x, in_y):
            return in_x, in_y
        in_x, in_y = left_x, left_y
    return [], []


def naive_minimum(x, y, epsilon, v, seen=None):
    """Algorithm 2: try to remove every neuron, as long as v stays."""

    def holds_v(match):
        return v in match[0] or v - len(x) in match[1]

    match = naive_maximum(x, y, epsilon, range(len(x)), range(len(y)), seen)
    if not holds_v(match):
        return [], []
    for neuron in range(len(x) + len(y)):
        in_x = [i for i in match[0] if i != neuron]
        in_y = [j for j in match[1] if j + len(x) != neuron]
        smaller = naive_maximum(x, y, epsilon, in_x, in_y, seen)
        match = smaller if holds_v(smaller) else match
    return match


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


@pytest.fixture(scope="module")
def activations(digits_zoo):
    """What the first hidden layer of 60 test checkpoints answers, (60, 10, 360)."""
    rows = np.random.default_rng(0).permutation(digits_zoo.rows("test"))[:60]
    return view(digits_zoo, digits_zoo.weights[rows]).activations("hidden-1")


def view(zoo, weights):
    return wsbench.Checkpoints(weights, zoo.layout, probe_inputs=zoo.probe_inputs)


# --- two layers


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
        (X, Y, 0, "epsilon is 0: expected one or more numbers between 0 and 1"),
        (X, Y, 1.0, "epsilon is 1.0"),
        (X, Y, float("nan"), "epsilon is nan"),
        (X, Y, [0.1, 0.2], r"epsilon is \[0.1, 0.2\]: expected one number"),
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
    with pytest.raises(IndexError, match=f"v is {v}: .* 0 … 8"):
        minimum_match(X, Y, 0.1, v)


# --- all pairs


@pytest.mark.parametrize("epsilons", [0.05, (0.2, 0.05, 0.1), EPSILONS])
def test_pairwise_distances__are_those_of_two_layers_at_a_time(activations, epsilons):
    found = pairwise_distances(activations, epsilons)
    n = len(activations)
    for i in range(n):
        for j in range(i):
            pair = activations[i], activations[j]
            s = [maximum_match_similarity(*pair, e) for e in np.atleast_1d(epsilons)]
            assert found[i, j] == pytest.approx(1 - np.mean(s), abs=1e-12)
    assert len(np.unique(found)) > 10
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(found.diagonal(), 0)


@pytest.mark.parametrize("epsilon", [0.01, 0.05, 0.2])
def test_pairwise_distances__agree_with_least_squares_on_real_activations(activations, epsilon):
    layers = activations[:25].astype(np.float64)
    found = pairwise_distances(layers, epsilon)
    for i in range(len(layers)):
        for j in range(i):
            match = naive_maximum(layers[i], layers[j], epsilon, range(10), range(10))
            assert found[i, j] == pytest.approx(1 - (len(match[0]) + len(match[1])) / 20)


def test_pairwise_distances__do_not_depend_on_the_blocks(activations, monkeypatch):
    expected = pairwise_distances(activations)
    monkeypatch.setitem(pairwise_distances.__globals__, "_BLOCK_BYTES", 200_000)
    np.testing.assert_array_equal(pairwise_distances(activations), expected)


def test_pairwise_distances__count_dead_neurons_and_keep_a_zero_diagonal():
    layers = np.stack([np.eye(4, 6)] * 3)
    layers[1, 2:] = 0
    layers[2] = 0
    found = pairwise_distances(layers, 0.5)
    np.testing.assert_array_equal(found, [[0, 4 / 8, 1], [4 / 8, 0, 1], [1, 1, 0]])


@pytest.mark.parametrize("shape", [(3, 4), (0, 3, 4), (3, 4, 0)])
def test_pairwise_distances__refuse_other_shapes(shape):
    with pytest.raises(ValueError, match=r"shape .*: expected \(n_layers, n_neurons, n_inputs\)"):
        pairwise_distances(np.zeros(shape))


# --- the method


def test_method__uses_the_samples_of_its_layer(digits_zoo):
    checkpoints = view(digits_zoo, digits_zoo.weights[:20])
    answers = checkpoints.activations("output")
    found = SubspaceMatch(layer="output", epsilons=0.05, n_samples=None).pairwise(checkpoints)
    np.testing.assert_array_equal(found, pairwise_distances(answers, 0.05))
    found = SubspaceMatch(layer="output", epsilons=[0.05], n_samples=120).pairwise(checkpoints)
    used = np.linspace(0, 359, 120).round().astype(int)
    np.testing.assert_array_equal(found, pairwise_distances(answers[:, :, used], 0.05))


def test_method__takes_the_channels_of_a_convolution_for_neurons():
    shapes = [("conv", (3, 1, 3, 3), ("hidden-1", "input", "row", "column")),
              ("fc", (2, 3 * 36), ("output", "hidden-1"))]  # fmt: skip
    layout = wsbench.Layout.of(shapes, "leaky-relu", {"conv": wsbench.Convolution(pool=2)})
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(4, layout.n_parameters)).astype(np.float32)
    inputs = rng.random((15, 14, 14), np.float32)
    checkpoints = wsbench.Checkpoints(weights, layout, probe_inputs=inputs)
    answers = checkpoints.activations("hidden-1")
    assert answers.shape == (4, 3, 15 * 36)
    found = SubspaceMatch(n_samples=None).pairwise(checkpoints)
    np.testing.assert_array_equal(found, pairwise_distances(answers))


def test_method__keeps_a_zero_diagonal_for_a_checkpoint_with_dead_units():
    shapes = [("a", (3, 4), ("hidden-1", "input")), ("b", (2, 3), ("output", "hidden-1"))]
    layout = wsbench.Layout.of(shapes, "relu")
    rng = np.random.default_rng(0)
    weights = rng.random((3, layout.n_parameters), np.float32)
    weights[0, :8] *= -1  # two of three units answer 0 to all inputs
    inputs = rng.random((30, 4), np.float32)
    found = SubspaceMatch().pairwise(
        wsbench.Checkpoints(weights[[0, 0, 1, 2]], layout, probe_inputs=inputs)
    )
    np.testing.assert_array_equal(found.diagonal(), 0)
    assert np.isfinite(found).all()
    assert found[0, 1] == pytest.approx(1 - 2 / 6)  # its copy: one unit of three matches


def test_method__tells_models_apart(digits_zoo):
    rows = digits_zoo.rows("test")
    models = np.unique(digits_zoo.model[rows])[:4]
    rows = rows[np.isin(digits_zoo.model[rows], models) & (digits_zoo.epoch[rows] > 30)]
    distances = SubspaceMatch().pairwise(view(digits_zoo, digits_zoo.weights[rows]))
    np.fill_diagonal(distances, np.inf)
    nearest = digits_zoo.model[rows][distances.argmin(axis=1)]
    np.testing.assert_array_equal(nearest, digits_zoo.model[rows])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"epsilons": 2}, "epsilon is 2: expected one or more numbers between 0 and 1"),
        ({"epsilons": []}, r"epsilon is \[\]"),
        ({"epsilons": [0.1, 1.5]}, r"epsilon is \[0.1, 1.5\]"),
        ({"epsilons": [[0.1]]}, r"epsilon is \[\[0.1\]\]"),
        ({"epsilons": "small"}, "epsilon is 'small'"),
        ({"epsilons": None}, "epsilon is None"),
        ({"n_samples": 0}, "n_samples is 0: expected a whole number above 0, or None"),
        ({"n_samples": 2.5}, "n_samples is 2.5"),
    ],
)
def test_method__refuses_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        SubspaceMatch(**parameters)


def test_method__refuses_a_layer_that_is_not_there(digits_zoo):
    with pytest.raises(wsbench.FormatError, match=r"no units 'hidden-9'.*hidden-1, hidden-2"):
        SubspaceMatch(layer="hidden-9").pairwise(view(digits_zoo, digits_zoo.weights[:2]))


def test_method__conforms_with_what_it_declares():
    found = wsbench.check_method("wsbench_baselines.subspace_match:SubspaceMatch")
    assert [finding for finding in found if finding.status in ("failed", "hint")] == []
    passed = {finding.check for finding in found if finding.status == "passed"}
    assert {f"invariant under {name}" for name in SubspaceMatch.info.invariances} <= passed
