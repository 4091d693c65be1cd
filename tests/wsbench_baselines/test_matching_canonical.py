import numpy as np
import pytest

import wsbench
from support.symmetric_copies import acted_on, permuted
from wsbench.networks.layout import Layout
from wsbench.networks.symmetries import rescale_hidden
from wsbench.networks.widening import widen_hidden, widened
from wsbench_baselines.matching_canonical import MatchingCanonical, canonical

TAPS = ("row", "column")
TENSORS = {
    "MLP": [
        ("a", (5, 9), ("hidden-1", "input")),
        ("a.bias", (5,), ("hidden-1",), "bias"),
        ("b", (7, 5), ("hidden-2", "hidden-1")),
        ("c", (3, 7), ("output", "hidden-2")),
    ],
    "CNN": [
        ("a", (5, 2, 3, 3), ("hidden-1", "input", *TAPS)),
        ("b", (4, 5, 2, 3), ("hidden-2", "hidden-1", *TAPS)),
        ("c", (3, 4), ("output", "hidden-2")),
    ],
}


@pytest.fixture(params=[(name, act) for name in TENSORS for act in ("leaky-relu", "sigmoid")])
def network(request):
    name, activation = request.param
    layout = Layout.of(TENSORS[name], activation)
    weights = np.random.default_rng(0).normal(size=(12, layout.n_parameters))
    return wsbench.Checkpoints(weights.astype(np.float32), layout)


def wider(checkpoints):
    weights = widen_hidden(checkpoints.weights, checkpoints.layout, np.random.default_rng(3))
    return wsbench.Checkpoints(weights, widened(checkpoints.layout))


def distances(checkpoints):
    return MatchingCanonical().pairwise(checkpoints)


def test_pairwise__does_not_see_a_permutation(network):
    np.testing.assert_allclose(distances(permuted(network)), distances(network), atol=1e-6)


def test_pairwise__does_not_see_a_rescaling_where_the_function_does_not(network):
    before, after = distances(network), distances(acted_on(network, rescale_hidden))
    if network.layout.activation == "sigmoid":
        assert np.abs(before - after).max() > 0.1
    else:
        np.testing.assert_allclose(after, before, atol=1e-6)


def test_pairwise__does_not_see_that_units_were_split(network):
    """Copies are joined again, and what is left of them is matched to what is left of others."""
    np.testing.assert_allclose(distances(wider(network)), distances(network), atol=1e-5)


def test_canonical__joins_a_unit_split_into_three():
    layout = Layout.of(
        [("a", (4, 2), ("hidden-1", "input")), ("b", (1, 4), ("output", "hidden-1"))], "sigmoid"
    )
    incoming = [[1, 2], [3, 4], [1, 2], [1, 2]]
    weights = np.r_[np.ravel(incoming), [0.5, 9.0, 0.25, 0.25]].astype(np.float32)[None]
    found = canonical(wsbench.Checkpoints(weights, layout)).weights[0]
    np.testing.assert_allclose(found[:4], np.array([1, 2, 3, 4]) / np.sqrt(30), rtol=1e-6)
    np.testing.assert_allclose(found[4:], np.array([1, 1]) / np.sqrt(2), rtol=1e-6)


def test_canonical__leaves_a_network_without_weights_as_it_is(network):
    nothing = wsbench.Checkpoints(np.zeros_like(network.weights), network.layout)
    assert not canonical(nothing).weights.any()
