import dataclasses

import numpy as np
import pytest

from wsbench.networks.forward import activations
from wsbench.networks.symmetries import ACTIONS, APPLIES_TO
from wsbench_zoos.architectures import CNN, MLP

LAYOUTS = {"mlp": MLP((196, 10, 7, 10)).layout(), "cnn": CNN().layout()}
CASES = [(name, activation) for name, allowed in APPLIES_TO.items() for activation in allowed]


def random_weights(layout, n=6):
    return np.random.default_rng(0).standard_normal((n, layout.n_parameters)).astype(np.float32)


@pytest.fixture
def images():
    return np.random.default_rng(1).random((20, 14, 14), np.float32)


def outputs(weights, layout, images):
    return activations(weights, layout, images, "output")


@pytest.mark.parametrize("architecture", LAYOUTS)
@pytest.mark.parametrize(("name", "activation"), CASES)
def test_actions__leave_the_function_as_it_is(name, activation, architecture, images):
    if name == "sign-flip" and architecture == "cnn":
        pytest.skip("a maximum is not odd: max-pooling forbids it")
    layout = dataclasses.replace(LAYOUTS[architecture], activation=activation)
    weights = random_weights(layout)
    changed = ACTIONS[name](weights, layout, np.random.default_rng(2))
    assert (changed != weights).any(axis=1).all()
    before, after = outputs(weights, layout, images), outputs(changed, layout, images)
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4 * np.abs(before).max())


@pytest.mark.parametrize(
    ("name", "activation"),
    [("sign-flip", "sigmoid"), ("sign-flip", "relu"), ("positive-rescaling", "tanh")],
)
def test_actions__change_the_function_where_the_activation_forbids_them(name, activation, images):
    layout = dataclasses.replace(LAYOUTS["mlp"], activation=activation)
    weights = random_weights(layout)
    changed = ACTIONS[name](weights, layout, np.random.default_rng(2))
    before, after = outputs(weights, layout, images), outputs(changed, layout, images)
    assert np.abs(after - before).max() > 0.01 * np.abs(before).max()


@pytest.mark.parametrize("name", ACTIONS)
def test_actions__leave_their_input_alone_and_follow_the_rng(name):
    layout = LAYOUTS["mlp"]
    weights = random_weights(layout)
    copy = weights.copy()
    first = ACTIONS[name](weights, layout, np.random.default_rng(3))
    np.testing.assert_array_equal(weights, copy)
    np.testing.assert_array_equal(first, ACTIONS[name](weights, layout, np.random.default_rng(3)))
    assert (first != ACTIONS[name](weights, layout, np.random.default_rng(4))).any()


@pytest.mark.parametrize("name", ACTIONS)
def test_actions__differ_between_checkpoints(name):
    layout = LAYOUTS["mlp"]
    weights = np.tile(random_weights(layout, 1), (5, 1))
    changed = ACTIONS[name](weights, layout, np.random.default_rng(5))
    assert len(np.unique(changed, axis=0)) == 5


def test_permutation__keeps_the_values_of_each_tensor():
    layout = LAYOUTS["cnn"]
    weights = random_weights(layout)
    changed = ACTIONS["hidden-permutation"](weights, layout, np.random.default_rng(6))
    for tensor in layout.tensors:
        part = slice(tensor.start, tensor.stop)
        np.testing.assert_array_equal(np.sort(changed[:, part]), np.sort(weights[:, part]))
