import dataclasses

import numpy as np
import pytest

from support.torch_networks import ACTIVATIONS, ARCHITECTURES, torch_networks
from wsbench import Layout
from wsbench.networks.forward import activations
from wsbench.networks.widening import widen_hidden, widened
from wsbench_zoos.architectures import CNN, MLP

LAYOUTS = {"mlp": MLP((196, 10, 7, 10)).layout(), "cnn": CNN().layout()}
N_UNITS, N_WIDER = 40, 60
ONE_LAYER = Layout.of(
    [
        ("in", (N_UNITS, 6), ("hidden-1", "input")),
        ("in.bias", (N_UNITS,), ("hidden-1",), "bias"),
        ("out", (9, N_UNITS), ("output", "hidden-1")),
        ("out.bias", (9,), ("output",), "bias"),
    ],
    "tanh",
)


def random_weights(layout, n=6):
    return np.random.default_rng(0).standard_normal((n, layout.n_parameters)).astype(np.float32)


def widen(weights, layout, seed=2):
    return widen_hidden(weights, layout, np.random.default_rng(seed)), widened(layout)


def outputs(weights, layout, inputs):
    """The outputs in float64: sums in another order move float32 ones by more than the bound."""
    return activations(weights.astype(np.float64), layout, inputs.astype(np.float64), "output")


def assert_same_function(before, after):
    assert np.abs(after - before).max() < 1e-6 * np.abs(before).max()


def tensors(weights, layout):
    return {t.name: weights[:, t.start : t.stop].reshape(-1, *t.shape) for t in layout.tensors}


@pytest.mark.parametrize("architecture", LAYOUTS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_widen_hidden__leaves_the_function_of_the_zoos_networks(activation, architecture):
    layout = dataclasses.replace(LAYOUTS[architecture], activation=activation)
    weights, images = random_weights(layout), np.random.default_rng(1).random((20, 14, 14))
    changed, wider = widen(weights, layout)
    assert changed.shape == (len(weights), wider.n_parameters)
    assert_same_function(outputs(weights, layout, images), outputs(changed, wider, images))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_widen_hidden__leaves_what_torch_modules_compute(activation, architecture):
    networks = torch_networks(architecture, activation)
    changed, wider = widen(networks.weights, networks.layout)
    before = outputs(networks.weights, networks.layout, networks.inputs)
    after = outputs(changed, wider, networks.inputs)
    assert_same_function(before, after)
    expected = networks.answers()["output"]
    np.testing.assert_allclose(after, expected, rtol=0, atol=3e-6 * np.abs(expected).max())


def test_widen_hidden__splits_both_axes_of_a_recurrent_weight():
    layout = Layout.of(
        [
            ("in", (5, 3), ("hidden-1", "input")),
            ("again", (5, 5), ("hidden-1", "hidden-1")),
            ("out", (2, 5), ("output", "hidden-1")),
        ],
        "tanh",
    )
    weights = random_weights(layout, 3)

    def after_three_steps(weights, layout):
        of = {name: values.astype(np.float64) for name, values in tensors(weights, layout).items()}
        state = np.tanh(of["in"])
        for _ in range(2):
            state = np.tanh(of["again"] @ state + of["in"])
        return of["out"] @ state

    changed, wider = widen(weights, layout)
    assert wider.tensor("again").shape == (8, 8)
    before, after = after_three_steps(weights, layout), after_three_steps(changed, wider)
    assert_same_function(before, after)


def test_widen_hidden__splits_units_that_several_tensors_give_and_take_in_the_same_way():
    layout = Layout.of(
        [
            ("in", (5, 3), ("hidden-1", "input")),
            ("down", (4, 5), ("hidden-2", "hidden-1")),
            ("up", (5, 4), ("hidden-1", "hidden-2")),
            ("out", (2, 5), ("output", "hidden-1")),
        ],
        "relu",
    )
    weights = random_weights(layout, 3)

    def residual(weights, layout):
        of = {name: values.astype(np.float64) for name, values in tensors(weights, layout).items()}
        stream = of["in"]
        stream = stream + of["up"] @ np.maximum(of["down"] @ stream, 0)
        return of["out"] @ stream

    changed, wider = widen(weights, layout)
    assert wider.hidden_units == {"hidden-1": 8, "hidden-2": 6}
    assert_same_function(residual(weights, layout), residual(changed, wider))


def test_widened__has_half_as_many_units_more_rounded_up_and_changes_nothing_else():
    for size, wide in ((1, 2), (2, 3), (3, 5), (10, 15), (16, 24)):
        layout = MLP((196, size, size, 10)).layout()
        assert widened(layout).hidden_units == {"hidden-1": wide, "hidden-2": wide}
    layout = torch_networks("convolution, bias, batch norm, pooling", "relu").layout
    wider = widened(layout)
    assert (wider.activation, wider.convolutions) == (layout.activation, layout.convolutions)
    for before, after in zip(layout.tensors, wider.tensors, strict=True):
        assert (before.name, before.axes, before.role) == (after.name, after.axes, after.role)
        for axis, old, new in zip(before.axes, before.shape, after.shape, strict=True):
            assert (new > old) == axis.startswith("hidden-")


def split_layer(n=30):
    """The one-layer networks before and after, and the unit that each wider unit is a copy of."""
    weights = random_weights(ONE_LAYER, n)
    changed, wider = widen(weights, ONE_LAYER)
    before, after = tensors(weights, ONE_LAYER), tensors(changed, wider)
    is_copy = (before["in"][:, None] == after["in"][:, :, None]).all(axis=3)  # (n, wider, units)
    assert (is_copy.sum(axis=2) == 1).all()
    return before, after, is_copy.argmax(axis=2)


def test_widen_hidden__copies_what_comes_in_and_leaves_what_is_no_hidden_unit():
    before, after, unit = split_layer()
    expected = np.take_along_axis(before["in.bias"], unit, axis=1)
    np.testing.assert_array_equal(after["in.bias"], expected)
    np.testing.assert_array_equal(after["out.bias"], before["out.bias"])


def test_widen_hidden__keeps_every_unit_and_splits_some_once_and_some_more_often():
    _, _, unit = split_layer()
    copies = np.array([np.bincount(row, minlength=N_UNITS) for row in unit])
    assert (copies >= 1).all()
    assert set(np.unique(copies)) >= {1, 2, 3}
    np.testing.assert_array_equal(copies.sum(axis=1), N_WIDER)


def test_widen_hidden__shares_out_what_goes_out_unequally_and_completely():
    before, after, unit = split_layer()
    for row, units in enumerate(unit):
        ratio = after["out"][row] / before["out"][row][:, units]  # (outputs, wider)
        np.testing.assert_allclose(ratio, ratio[:1].repeat(9, axis=0), rtol=1e-6)
        for one in range(N_UNITS):
            shares = ratio[0, units == one]
            np.testing.assert_allclose(shares.sum(), 1, rtol=1e-6)
            if len(shares) == 1:
                assert (after["out"][row][:, units == one] == before["out"][row][:, [one]]).all()
            else:
                assert len(np.unique(shares)) == len(shares)
                low = 1 / (1 + 3 * (len(shares) - 1))  # a part of 1 beside parts of 3
                assert low - 1e-6 < shares.min() < shares.max() < 3 / (2 + len(shares)) + 1e-6


def test_widen_hidden__puts_the_units_in_a_random_order():
    _, _, unit = split_layer(200)
    first = unit[:, :N_UNITS]  # with the first units in place, these would be different in each row
    assert np.mean([len(set(row)) for row in first.tolist()]) < N_UNITS - 3
    assert np.mean(first == np.arange(N_UNITS)) < 3 / N_UNITS


def test_widen_hidden__differs_between_checkpoints_layers_and_seeds():
    layout = LAYOUTS["mlp"]
    weights = np.tile(random_weights(layout, 1), (5, 1))
    changed, _ = widen(weights, layout)
    assert len(np.unique(changed, axis=0)) == 5
    np.testing.assert_array_equal(widen(weights, layout)[0], changed)
    assert (widen(weights, layout, seed=3)[0] != changed).any(axis=1).all()


def test_widen_hidden__takes_no_checkpoints():
    layout = LAYOUTS["cnn"]
    changed, wider = widen(random_weights(layout, 0), layout)
    assert changed.shape == (0, wider.n_parameters)
