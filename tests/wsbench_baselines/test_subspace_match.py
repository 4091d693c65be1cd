import numpy as np
import pytest

import wsbench
from support.naive_subspace_match import naive_maximum
from wsbench_baselines.subspace_match import EPSILONS, SubspaceMatch, pairwise_distances
from wsbench_baselines.subspace_match_pairs import maximum_match_similarity


@pytest.fixture(scope="module")
def activations(digits_zoo):
    """What the first hidden layer of 60 test checkpoints answers, (60, 10, 360)."""
    rows = np.random.default_rng(0).permutation(digits_zoo.rows("test"))[:60]
    return view(digits_zoo, digits_zoo.weights[rows]).activations("hidden-1")


def view(zoo, weights):
    return wsbench.Checkpoints(weights, zoo.layout, probe_inputs=zoo.probe_inputs)


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
              ("fc", (2, 3, 6, 6), ("output", "hidden-1", "row", "column"))]  # fmt: skip
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
        ({"epsilons": 2}, "^epsilons=2: expected one or more numbers between 0 and 1$"),
        ({"epsilons": []}, r"^epsilons=\[\]: expected"),
        ({"epsilons": [0.1, 1.5]}, r"^epsilons=\[0.1, 1.5\]: expected"),
        ({"epsilons": [[0.1]]}, r"^epsilons=\[\[0.1\]\]: expected"),
        ({"epsilons": "small"}, "^epsilons='small': expected"),
        ({"epsilons": None}, "^epsilons=None: expected"),
        ({"n_samples": 0}, "^n_samples=0: expected a whole number from 1, or None$"),
        ({"n_samples": 2.5}, "^n_samples=2.5: expected"),
        ({"n_samples": True}, "^n_samples=True: expected"),
    ],
)
def test_method__refuses_wrong_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        SubspaceMatch(**parameters)


def test_method__refuses_a_layer_that_is_not_there(digits_zoo):
    with pytest.raises(wsbench.FormatError, match=r"no units 'hidden-9'.*hidden-1, hidden-2"):
        SubspaceMatch(layer="hidden-9").pairwise(view(digits_zoo, digits_zoo.weights[:2]))
