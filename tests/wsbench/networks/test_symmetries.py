import dataclasses

import numpy as np
import pytest

from support.torch_networks import ARCHITECTURES, torch_networks
from wsbench import Layout
from wsbench.networks.forward import activations
from wsbench.networks.symmetries import ACTIONS, APPLIES_TO, obstacle
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


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize(("name", "activation"), CASES)
def test_actions__leave_what_torch_modules_compute(name, activation, architecture):
    networks = torch_networks(architecture, activation)
    reason = obstacle(name, networks.layout)
    if name == "sign-flip" and architecture.endswith("pooling"):
        assert reason == "max-pooling after '0.Conv2d.weight' is not odd"
        return
    assert reason is None
    changed = ACTIONS[name](networks.weights, networks.layout, np.random.default_rng(2))
    assert (changed != networks.weights).any(axis=1).all()
    expected = networks.answers()["output"]
    found = outputs(changed, networks.layout, networks.inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_sign_flip__of_what_is_pooled_changes_the_function():
    networks = torch_networks("convolution, pooling", "tanh")
    changed = ACTIONS["sign-flip"](networks.weights, networks.layout, np.random.default_rng(2))
    expected = networks.answers()["output"]
    found = outputs(changed, networks.layout, networks.inputs)
    assert np.abs(found - expected).max() > 0.01 * np.abs(expected).max()


def roles_changed(name, architecture):
    networks = torch_networks(architecture, "identity")
    changed = ACTIONS[name](networks.weights, networks.layout, np.random.default_rng(2))
    return {
        (tensor.role, tensor.axes[0])
        for tensor in networks.layout.tensors
        if (changed != networks.weights)[:, tensor.start : tensor.stop].any()
    }


def test_actions__act_on_biases_and_on_what_batch_norm_multiplies():
    biased = {("weight", "hidden-1"), ("bias", "hidden-1"), ("weight", "hidden-2")}
    biased |= {("bias", "hidden-2"), ("weight", "output")}
    hidden = {(role, f"hidden-{k}") for role in ("scale", "shift") for k in (1, 2)}
    statistics = {(role, f"hidden-{k}") for role in ("mean", "variance") for k in (1, 2)}
    for name in ACTIONS:
        assert roles_changed(name, "linear, bias") == biased
    for name in ("sign-flip", "positive-rescaling"):
        found = roles_changed(name, "linear, bias, batch norm")
        assert found == hidden | {("weight", "hidden-2"), ("weight", "output")}
    found = roles_changed("hidden-permutation", "linear, bias, batch norm")
    assert found == biased - {("bias", "hidden-1")} | hidden | statistics


def test_permutation__acts_on_both_axes_of_a_recurrent_weight():
    tensors = [
        ("in", (5, 3), ("hidden-1", "input")),
        ("again", (5, 5), ("hidden-1", "hidden-1")),
        ("out", (2, 5), ("output", "hidden-1")),
    ]
    layout = Layout.of(tensors, "tanh")
    weights = random_weights(layout, 2)
    changed = ACTIONS["hidden-permutation"](weights, layout, np.random.default_rng(2))

    def after_two_steps(row):
        w_in, w_again, w_out = (row[t.start : t.stop].reshape(t.shape) for t in layout.tensors)
        return w_out @ w_again @ w_again @ w_in

    for before, after in zip(weights, changed, strict=True):
        assert (before != after).any()
        np.testing.assert_allclose(after_two_steps(after), after_two_steps(before), rtol=1e-4)


def test_obstacle__is_a_network_that_the_forward_pass_does_not_support():
    tensors = [
        ("a", (5, 3), ("hidden-1", "input")),
        ("a.bias", (5,), ("hidden-1",)),
        ("b", (2, 5), ("output", "hidden-1")),
    ]
    layout = Layout.of(tensors, "identity")
    assert obstacle("hidden-permutation", layout) is None
    for name in ("sign-flip", "positive-rescaling"):
        assert "'a.bias' with axes (hidden-1) is not supported" in obstacle(name, layout)


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
