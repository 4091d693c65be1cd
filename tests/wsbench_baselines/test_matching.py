import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

import wsbench
from support.symmetric_copies import permuted
from wsbench_baselines.matching import Matching, assign

TAPS = ("row", "column")
NETWORKS = {
    "MLP": wsbench.Layout.of(
        [
            ("a", (5, 9), ("hidden-1", "input")),
            ("b", (7, 5), ("hidden-2", "hidden-1")),
            ("c", (3, 7), ("output", "hidden-2")),
        ],
        "tanh",
    ),
    "deep MLP": wsbench.Layout.of(
        [
            ("a", (5, 9), ("hidden-1", "input")),
            ("b", (6, 5), ("hidden-2", "hidden-1")),
            ("c", (4, 6), ("hidden-3", "hidden-2")),
            ("d", (3, 4), ("output", "hidden-3")),
        ],
        "relu",
    ),
    "CNN": wsbench.Layout.of(
        [
            ("a", (5, 2, 3, 3), ("hidden-1", "input", *TAPS)),
            ("b", (4, 5, 2, 3), ("hidden-2", "hidden-1", *TAPS)),
            ("c", (3, 4), ("output", "hidden-2")),
        ],
        "leaky-relu",
    ),
}
N_MODELS, N_EPOCHS = 6, 5


@pytest.fixture(params=NETWORKS)
def network(request):
    """Six models on five steps of training that slow down."""
    layout = NETWORKS[request.param]
    start, end = np.random.default_rng(1).normal(size=(2, N_MODELS, 1, layout.n_parameters))
    way = np.array([0, 0.5, 0.8, 0.9, 0.99])[:, None]
    weights = (1 - way) * start + way * end
    return wsbench.Checkpoints(weights.reshape(30, -1).astype(np.float32), layout)


def assigned(cost):
    column_of, row_of, before = np.empty((3, len(cost)), np.intp)
    assign(cost, column_of, *np.empty((3, len(cost))), row_of, before)
    return column_of


@st.composite
def costs(draw):
    """Square matrices: generic, with ties, constant, of rank one, mostly zero; of any scale."""
    n, kind = draw(st.integers(1, 20)), draw(st.integers(0, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cost = {
        0: rng.normal(size=(n, n)),
        1: rng.integers(-2, 3, (n, n)).astype(np.float64),
        2: np.full((n, n), rng.normal()),
        3: np.outer(rng.normal(size=n), rng.normal(size=n)),
        4: np.diag(rng.normal(size=n)),
    }[kind]
    return cost * 10.0 ** draw(st.integers(-150, 150))


@given(costs())
def test_assign__costs_what_scipys_assignment_costs(cost):
    column_of, rows = assigned(cost), np.arange(len(cost))
    assert sorted(column_of) == rows.tolist()
    best = cost[linear_sum_assignment(cost)].sum()
    assert abs(cost[rows, column_of].sum() - best) <= 1e-12 * np.abs(cost).sum()


@given(st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_assign__of_whole_numbers_costs_exactly_the_least(n, seed):
    cost = np.random.default_rng(seed).integers(-4, 5, (n, n)).astype(np.float64)
    assert cost[np.arange(n), assigned(cost)].sum() == cost[linear_sum_assignment(cost)].sum()


@pytest.mark.parametrize("n", [1, 2, 10, 16, 64])
def test_assign__is_scipys_assignment_where_there_is_but_one(n):
    rng = np.random.default_rng(n)
    for _ in range(50):
        cost = rng.normal(size=(n, n))
        np.testing.assert_array_equal(assigned(cost), linear_sum_assignment(cost)[1])


def test_assign__comes_to_an_end_where_costs_are_not_numbers():
    for cost in (np.full((4, 4), np.nan), np.full((4, 4), np.inf), np.diag([1.0, np.nan, 0, 2])):
        assert sorted(assigned(cost)) == [0, 1, 2, 3]


def naive_distance(left, right, layout):
    """The distance of two weight vectors after matching, with scipy, tensor by tensor."""
    A, B = (
        {t.name: w[t.start : t.stop].reshape(t.shape).astype(np.float64) for t in layout.tensors}
        for w in (left, right)
    )
    for i, tensor in enumerate(layout.tensors[:-1]):
        following = layout.tensors[i + 1]
        a, b = (N[tensor.name].reshape(len(N[tensor.name]), -1) for N in (A, B))
        gain = a @ b.T
        a, b = (np.moveaxis(N[following.name], 1, 0).reshape(len(gain), -1) for N in (A, B))
        if i + 2 == len(layout.tensors):
            gain += a @ b.T
        else:
            gain += 0.01 * np.outer(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1))
        _, columns = linear_sum_assignment(gain, maximize=True)
        B[tensor.name] = B[tensor.name][columns]
        B[following.name] = B[following.name][:, columns]
    return np.sqrt(sum(np.sum((A[name] - B[name]) ** 2) for name in A))


def test_pairwise__agrees_with_scipy_pair_by_pair(network):
    checkpoints = permuted(network)
    rows = checkpoints.weights
    expected = [[naive_distance(x, y, network.layout) for y in rows] for x in rows]
    np.testing.assert_allclose(Matching().pairwise(checkpoints), expected, rtol=1e-7)


def test_pairwise__is_mostly_less_than_the_euclidean_distance_between_models(network):
    """Mostly: layer by layer is not the best matching of all layers together."""
    matched, raw = Matching().pairwise(network), wsbench.pairwise_euclidean(network.weights)
    model = np.arange(30) // N_EPOCHS
    between = model[:, None] != model
    assert (matched[between] < raw[between]).mean() > 0.9


@pytest.mark.parametrize("pruned", [0.0, 0.8])
def test_pairwise__does_not_see_a_permutation(network, pruned):
    """Not even of units that lost all the weights by which they are matched, which are ties."""
    size = np.abs(network.weights)
    weights = np.where(size >= np.quantile(size, pruned), network.weights, 0)
    checkpoints = wsbench.Checkpoints(weights, network.layout)
    expected = Matching().pairwise(checkpoints)
    np.testing.assert_allclose(Matching().pairwise(permuted(checkpoints)), expected, rtol=1e-7)


def test_pairwise__does_not_see_a_permutation_of_trained_networks(small_zoo):
    checkpoints = small_zoo.checkpoints()
    found = Matching().pairwise(permuted(checkpoints))
    np.testing.assert_allclose(found, Matching().pairwise(checkpoints), rtol=1e-7)
    within = small_zoo.model[:, None] == small_zoo.model
    raw = wsbench.pairwise_euclidean(checkpoints.weights)
    np.testing.assert_allclose(found[within], raw[within], rtol=1e-7)


def test_pairwise__of_one_network_in_other_orders_is_exactly_zero(network):
    distinct = network.weights[::N_EPOCHS]
    copies = wsbench.Checkpoints(np.repeat(distinct, 4, axis=0), network.layout)
    distances = Matching().pairwise(permuted(copies))
    same = np.kron(np.eye(N_MODELS), np.ones((4, 4))) == 1
    np.testing.assert_array_equal(distances == 0, same)
    assert (wsbench.pairwise_euclidean(permuted(copies).weights)[same] > 0).mean() > 0.7


def test_pairwise__keeps_the_digits_of_small_distances(network):
    near = network.weights[:8] + np.float32(2e-6) * network.weights[8:16]
    both = wsbench.Checkpoints(np.concatenate([network.weights[:8], near]), network.layout)
    expected = wsbench.pairwise_euclidean(both.weights).diagonal(8)
    assert expected.max() < 1e-4
    found = Matching().pairwise(permuted(both)).diagonal(8)
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_pairwise__is_symmetric_and_does_not_depend_on_the_tile_a_row_is_in(network):
    rng = np.random.default_rng(3)
    weights = network.weights[rng.integers(30, size=450)]  # three tiles a side
    weights = weights + rng.normal(size=weights.shape).astype(np.float32)
    distances = Matching().pairwise(wsbench.Checkpoints(weights, network.layout))
    np.testing.assert_array_equal(distances, distances.T)
    np.testing.assert_array_equal(distances == 0, np.eye(450) == 1)
    rows = rng.permutation(450)[:70]
    some = Matching().pairwise(wsbench.Checkpoints(weights[rows], network.layout))
    np.testing.assert_allclose(some, distances[np.ix_(rows, rows)], rtol=1e-7)


def test_pairwise__reads_layouts_with_biases_and_skips():
    layout = wsbench.Layout.of(
        [
            ("a", (5, 9), ("hidden-1", "input")),
            ("a.bias", (5,), ("hidden-1",)),
            ("b", (7, 5), ("hidden-2", "hidden-1")),
            ("skip", (3, 5), ("output", "hidden-1")),
            ("c", (3, 7), ("output", "hidden-2")),
            ("c.bias", (3,), ("output",)),
        ],
        "relu",
    )
    weights = np.random.default_rng(4).normal(size=(6, layout.n_parameters)).astype(np.float32)
    weights = np.repeat(weights, 2, axis=0)
    weights[1::2, -3:] += 2  # the output's biases, which no matching changes
    distances = Matching().pairwise(permuted(wsbench.Checkpoints(weights, layout)))
    np.testing.assert_allclose(distances.diagonal(1)[::2], np.sqrt(12), rtol=1e-6)


def test_pairwise__without_hidden_units_is_the_euclidean_distance():
    layout = wsbench.Layout.of([("w", (3, 4), ("output", "input"))], "identity")
    weights = np.random.default_rng(5).normal(size=(9, 12)).astype(np.float32)
    found = Matching().pairwise(wsbench.Checkpoints(weights, layout))
    np.testing.assert_allclose(found, wsbench.pairwise_euclidean(weights), rtol=1e-7)


def test_pairwise__of_weights_that_are_all_zero_is_zero():
    layout = NETWORKS["CNN"]
    checkpoints = wsbench.Checkpoints(np.zeros((3, layout.n_parameters), np.float32), layout)
    assert not Matching().pairwise(checkpoints).any()


@pytest.mark.parametrize("axes", [("hidden-1",) * 2, ("hidden-1", "hidden-2", "hidden-3")])
def test_pairwise__says_which_layers_it_cannot_match(axes):
    layout = wsbench.Layout.of([("odd", (3,) * len(axes), axes)], "tanh")
    checkpoints = wsbench.Checkpoints(np.zeros((2, layout.n_parameters), np.float32), layout)
    with pytest.raises(wsbench.MethodError) as refused:
        Matching().pairwise(checkpoints)
    assert str(refused.value) == (
        f"matching: tensor 'odd' joins {' and '.join(axes)};"
        " expected tensors that belong to one hidden layer or join two different ones"
    )


def test_order__finds_the_order_of_permuted_trajectories(network):
    shuffle = np.random.default_rng(0).permutation(N_EPOCHS)
    for model in range(N_MODELS):
        weights = network.weights[N_EPOCHS * model :][:N_EPOCHS][shuffle]
        order = Matching().order(permuted(wsbench.Checkpoints(weights, network.layout)))
        assert shuffle[order].tolist() == [0, 1, 2, 3, 4]
