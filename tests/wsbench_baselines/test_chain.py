import numpy as np
import pytest

import wsbench
from support.symmetric_copies import acted_on, permuted
from wsbench.networks.symmetries import flip_signs, permute_hidden
from wsbench_baselines.chain import (
    Chain,
    ChainNormalised,
    chain_distances,
    chain_factors,
    chain_kernel,
    layer_matrices,
)

METHODS = {"chain": Chain, "chain-normalised": ChainNormalised}
TAPS = ("row", "column")
NETWORKS = {
    "MLP": wsbench.Layout.of(
        [
            ("a", (5, 9), ("hidden-1", "input")),
            ("b", (6, 5), ("hidden-2", "hidden-1")),
            ("c", (4, 6), ("hidden-3", "hidden-2")),
            ("d", (3, 4), ("output", "hidden-3")),
        ],
        "tanh",
    ),
    "CNN": wsbench.Layout.of(
        [
            ("a", (5, 2, 3, 3), ("hidden-1", "input", *TAPS)),
            ("b", (4, 5, 2, 3), ("hidden-2", "hidden-1", *TAPS)),
            ("c", (6, 4, 1, 2), ("hidden-3", "hidden-2", *TAPS)),
            ("d", (3, 6), ("output", "hidden-3")),
        ],
        "tanh",
    ),
}
CHAINS = (1, 2, 3, 4)


@pytest.fixture(params=NETWORKS)
def network(request):
    """20 networks, the second ten not far from the first."""
    layout = NETWORKS[request.param]
    weights = np.random.default_rng(1).normal(size=(20, layout.n_parameters))
    weights[10:] = weights[:10] + 0.1 * weights[10:]
    return wsbench.Checkpoints(weights.astype(np.float32), layout)


@pytest.fixture(params=[(name, d) for name in METHODS for d in ("plain", "cosine")], ids="-".join)
def method(request):
    """Makes the method that measures by a chain, given its number."""
    name, distance = request.param
    return lambda chain: METHODS[name](chain, distance)


def rescaled(checkpoints, group):
    """The weights to the units of a hidden layer times powers of two, those from it by them."""
    layout, weights = checkpoints.layout, checkpoints.weights.copy()
    for tensor in layout.tensors:
        values = weights[:, tensor.start : tensor.stop].reshape(-1, *tensor.shape)
        for axis in (0, 1):
            if tensor.axes[axis] == group:
                powers = np.resize([0.25, 1, 8], tensor.shape[axis]) ** (1 - 2 * axis)
                values *= powers.reshape(-1, *[1] * (len(tensor.shape) - 1 - axis))
    return wsbench.Checkpoints(weights, layout)


def explicit_features(checkpoints, n_layers, *, normalised):
    """X Xᵀ of every checkpoint, with a row for every input and combination of taps."""
    features = []
    for row in range(len(checkpoints)):
        X = np.ones((1, 1))
        for name in checkpoints.layout.names[:n_layers]:
            W = checkpoints.tensors(name)[row].astype(np.float64)
            W = W.reshape(*W.shape[:2], -1).transpose(1, 2, 0)  # (n_in, taps, n_out)
            if normalised and n_layers > 1:
                W = W / np.linalg.norm(W, axis=2, keepdims=True)
            if name == "a":
                X = np.eye(len(W))
            # Every row of X so far, once for each tap of the new layer.
            X = np.einsum("pi,ito->pto", X, W).reshape(-1, W.shape[2])
        features.append((X @ X.T).ravel())
    return np.array(features)


def assert_same(found, expected):
    """Equal up to rounding, which in squared distances is 1e-15 of the squared norms."""
    scale = expected.max() ** 2
    np.testing.assert_allclose(found**2, expected**2, rtol=1e-9, atol=1e-13 * scale)


@pytest.mark.parametrize("chain", CHAINS)
def test_pairwise__is_the_distance_of_the_explicit_features(network, method, chain):
    measure = method(chain)
    normalised = isinstance(measure, ChainNormalised)
    features = explicit_features(network, chain, normalised=normalised)
    if measure.distance == "cosine":
        features /= np.linalg.norm(features, axis=1, keepdims=True)
    assert_same(measure.pairwise(network), wsbench.pairwise_euclidean(features))


@pytest.mark.parametrize("chain", CHAINS)
def test_chain_kernel__holds_the_inner_products_of_the_explicit_features(network, chain):
    features = explicit_features(network, chain, normalised=False)
    factors = chain_factors(layer_matrices(network, chain))
    found = chain_kernel([f[:12] for f in factors], [f[7:] for f in factors])
    np.testing.assert_allclose(found, features[:12] @ features[7:].T, rtol=1e-10)


def test_chain_kernel__is_the_squared_norm_of_the_product_of_the_chains():
    """⟨X Xᵀ, Y Yᵀ⟩ = ‖Xᵀ Y‖², of which all follows."""
    X, Y = np.random.default_rng(0).normal(size=(2, 8, 3))
    found = chain_kernel([X.T[None]], [Y.T[None]])
    np.testing.assert_allclose(found, [[np.sum((X @ X.T) * (Y @ Y.T))]], rtol=1e-13)
    np.testing.assert_allclose(found, [[np.sum((X.T @ Y) ** 2)]], rtol=1e-13)


def test_chain_kernel__needs_no_matrix_with_a_row_for_every_combination_of_taps():
    """Six layers of nine taps: the explicit X has 9⁶ rows."""
    rng = np.random.default_rng(0)
    matrices = [rng.normal(size=(2, 1 if i == 0 else 3, 9, 3)) for i in range(6)]
    factors = chain_factors(matrices)
    X = np.ones((2, 1, 1))
    for W in matrices:
        X = np.einsum("npi,nito->npto", X, W).reshape(2, -1, 3)
    expected = [[np.sum((x.T @ y) ** 2) for y in X] for x in X]
    np.testing.assert_allclose(chain_kernel(factors, factors), expected, rtol=1e-11)


def test_chain_kernel__gives_an_embedding_with_the_distances_of_the_features(network):
    factors = chain_factors(layer_matrices(network, 2))
    values, vectors = np.linalg.eigh(chain_kernel(factors, factors))
    embedding = vectors * np.sqrt(np.maximum(values, 0))
    assert_same(wsbench.pairwise_euclidean(embedding), chain_distances(factors))


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("action", [permute_hidden, flip_signs])
def test_pairwise__does_not_see_permutations_and_sign_flips(network, method, chain, action):
    measure = method(chain)
    assert_same(measure.pairwise(acted_on(network, action)), measure.pairwise(network))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_pairwise__does_not_see_a_permutation_of_trained_networks(small_zoo, method):
    checkpoints = small_zoo.checkpoints()
    expected = method().pairwise(checkpoints)
    assert_same(method().pairwise(permuted(checkpoints)), expected)
    assert (expected > 0).sum() == len(checkpoints) * (len(checkpoints) - 1)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("ends", [1, 2, 3])
def test_pairwise__sees_positive_rescaling_only_where_the_chain_ends(network, chain, ends):
    for distance in ("plain", "cosine"):
        measure = Chain(chain, distance)
        before = measure.pairwise(network)
        after = measure.pairwise(rescaled(network, f"hidden-{ends}"))
        if ends == chain:
            assert np.abs(after - before).max() > 0.01 * before.max()
        else:
            assert_same(after, before)


@pytest.mark.parametrize("group", [1, 2, 3])
def test_pairwise__normalised_sees_positive_rescaling_before_the_end_too(network, group):
    measure = ChainNormalised(4)
    before = measure.pairwise(network)
    change = measure.pairwise(rescaled(network, f"hidden-{group}")) - before
    assert np.abs(change).max() > 0.01 * before.max()


def test_pairwise__of_one_network_in_other_orders_is_exactly_zero(network, method):
    copies = wsbench.Checkpoints(np.repeat(network.weights[:3], 40, axis=0), network.layout)
    distances = method(2).pairwise(permuted(copies))
    np.testing.assert_array_equal(distances == 0, np.kron(np.eye(3), np.ones((40, 40))) == 1)


def test_pairwise__is_symmetric_and_does_not_depend_on_the_tile_a_row_is_in(network, method):
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(350, network.layout.n_parameters)).astype(np.float32)
    distances = method(2).pairwise(wsbench.Checkpoints(weights, network.layout))
    np.testing.assert_array_equal(distances, distances.T)
    np.testing.assert_array_equal(distances == 0, np.eye(350) == 1)
    rows = rng.permutation(350)[:70]
    some = method(2).pairwise(wsbench.Checkpoints(weights[rows], network.layout))
    assert_same(some, distances[np.ix_(rows, rows)])


def test_pairwise__takes_networks_whose_weights_are_all_zero(network, method):
    weights = network.weights.copy()
    weights[[3, 7]] = 0
    distances = method(2).pairwise(wsbench.Checkpoints(weights, network.layout))
    assert np.isfinite(distances).all()
    assert distances[3, 7] == 0
    assert (np.delete(distances[3], [3, 7]) > 0.5).all()


def test_pairwise__of_the_first_chain_is_the_same_in_both_variants(network):
    np.testing.assert_array_equal(Chain(1).pairwise(network), ChainNormalised(1).pairwise(network))


def test_pairwise__passes_over_biases(network):
    tensors = [(t.name, t.shape, t.axes) for t in network.layout.tensors]
    bias = ("a.bias", tensors[0][1][:1], ("hidden-1",))
    layout = wsbench.Layout.of([tensors[0], bias, *tensors[1:]], "tanh")
    end = network.layout.tensors[0].stop
    weights = np.insert(network.weights, [end] * 5, 9.0, axis=1)
    found = Chain().pairwise(wsbench.Checkpoints(weights, layout))
    np.testing.assert_array_equal(found, Chain().pairwise(network))


def test_order__finds_the_order_of_permuted_weights_that_grow(network):
    growth = np.array([2.0, 1.0, 1.8, 1.5, 1.95], np.float32)[:, None]
    grown = wsbench.Checkpoints(growth * network.weights[:1], network.layout)
    order = Chain(distance="plain").order(permuted(grown)).tolist()
    assert order in ([1, 3, 2, 4, 0], [0, 4, 2, 3, 1])


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_chain__says_which_chains_there_are(network, method):
    with pytest.raises(wsbench.MethodError) as refused:
        method(5).pairwise(network)
    assert str(refused.value) == "chain=5: this layout has 4 layers, a, b, c, d; expected 1 to 4"
    for wrong in (0, -1, 1.5, True, "two"):
        with pytest.raises(ValueError, match=f"^chain={wrong!r}: expected a whole number from 1$"):
            method(wrong)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_chain__says_which_distances_there_are(method):
    with pytest.raises(ValueError, match=r"^distance='euclidean': expected 'cosine' or 'plain'$"):
        method(distance="euclidean")


def test_chain__refuses_layers_that_do_not_follow_each_other():
    layout = wsbench.Layout.of(
        [("a", (2, 3), ("hidden-1", "input")), ("skip", (2, 3), ("output", "input"))], "relu"
    )
    checkpoints = wsbench.Checkpoints(np.zeros((2, 12), np.float32), layout)
    with pytest.raises(wsbench.MethodError, match=r"^chain=2: tensor 'skip' takes 'input', but"):
        Chain(2).pairwise(checkpoints)
