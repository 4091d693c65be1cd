import dataclasses

import numpy as np
import pytest
import torch

from support.torch_networks import ACTIVATIONS as TORCH_ACTIVATIONS
from support.torch_networks import ARCHITECTURES, torch_networks
from wsbench import Convolution, FormatError, Layout
from wsbench.networks.forward import ACTIVATIONS, activations
from wsbench_zoos.architectures import CNN, MLP
from wsbench_zoos.training.randomness import initial_weights
from wsbench_zoos.training.torch_reference import cnn_forward, mlp_forward

CASES = [(MLP((196, 10, 7, 10)), mlp_forward), (CNN(), cnn_forward)]


def random_weights(layout, n):
    return np.array([initial_weights("x-v1", 0, model, layout) for model in range(n)])


@pytest.fixture
def images():
    return np.random.default_rng(0).random((30, 14, 14), np.float32)


@pytest.mark.parametrize(("architecture", "forward"), CASES, ids=["mlp", "cnn"])
def test_activations__of_the_output_agree_with_torch(architecture, forward, images):
    layout = architecture.layout()
    weights = random_weights(layout, 5)
    outputs = activations(weights, layout, images, "output")
    assert outputs.shape == (5, 10, 30)
    assert outputs.dtype == np.float32
    for row, output in zip(weights, outputs, strict=True):
        parameters = [torch.tensor(row[t.start : t.stop].reshape(t.shape)) for t in layout.tensors]
        expected = forward(parameters, torch.tensor(images)).T
        np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)


def test_activations__of_hidden_convolutions_have_a_sample_for_each_position(images):
    layout = CNN().layout()
    weights = random_weights(layout, 3)
    hidden = activations(weights, layout, images, "hidden-1")
    assert hidden.shape == (3, 16, 9 * 30)
    conv1 = torch.tensor(weights[1, :144].reshape(16, 1, 3, 3))
    x = torch.nn.functional.conv2d(torch.tensor(images)[:, None], conv1, stride=2, padding=1)
    x = torch.nn.functional.leaky_relu(torch.nn.functional.max_pool2d(x, 2), 0.01)
    expected = x.permute(1, 2, 3, 0).reshape(16, -1)
    np.testing.assert_allclose(hidden[1], expected, rtol=1e-4, atol=1e-6)
    assert activations(weights, layout, images, "hidden-2").shape == (3, 8, 30)


@pytest.mark.parametrize("activation", TORCH_ACTIVATIONS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_activations__of_every_layer_agree_with_torch_modules(architecture, activation):
    networks = torch_networks(architecture, activation)
    answers = networks.answers()
    assert list(answers) == ["hidden-1", "hidden-2", "output"]
    for group, expected in answers.items():
        found = activations(networks.weights, networks.layout, networks.inputs, group)
        assert found.dtype == np.float32
        atol = 1e-5 * np.abs(expected).max()
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=atol)


def test_activations__leave_weights_and_inputs_alone():
    networks = torch_networks("convolution, bias, batch norm, pooling", "identity")
    weights, inputs = networks.weights.copy(), networks.inputs.copy()
    weights.setflags(write=False)
    inputs.setflags(write=False)
    activations(weights, networks.layout, inputs, "output")
    np.testing.assert_array_equal(weights, networks.weights)
    np.testing.assert_array_equal(inputs, networks.inputs)


TAPS = ("row", "column")
FIRST = ("a", (4, 6), ("hidden-1", "input"))
LAST = ("z", (2, 4), ("output", "hidden-1"))
MAPS = ("conv", (4, 1, 3, 3), ("hidden-1", "input", *TAPS))


@pytest.mark.parametrize(
    ("tensors", "convolutions", "shape", "message"),
    [
        ([FIRST, ("a.bias", (4,), ("hidden-1",)), LAST], {}, (6,),
         r"'a\.bias' with axes \(hidden-1\) is not supported.*a vector has a role: bias"),
        ([FIRST, ("g", (4,), ("hidden-1",), "scale"), ("v", (4,), ("hidden-1",), "variance"), LAST],
         {}, (6,), r"batch norm after 'a' has no shift, mean; it needs scale, shift, mean, var"),
        ([FIRST, ("skip", (2, 6), ("output", "input"))], {}, (6,),
         r"'skip' takes 'input', and the layer before it gives 'hidden-1'"),
        ([LAST], {}, (4,), r"'z' takes 'hidden-1', and the layer before it gives 'input'"),
        ([FIRST], {}, (6,), r"the last layer, 'a', gives 'hidden-1', not 'output'"),
        ([FIRST, ("r", (4, 4), ("hidden-1", "hidden-1")), LAST], {}, (6,),
         r"'r' gives 'hidden-1'; layers before the last give different units"),
        ([("a", (4, 6), ("units", "input")), ("z", (2, 4), ("output", "units"))], {}, (6,),
         r"'a' gives 'units'; .* named 'hidden-…'"),
        ([("c", (4, 6, 3), ("output", "input", "row"))], {}, (6, 3), r"'c' with axes .*row.* not"),
        ([("c", (4, 1, 3, 3), ("output", "input", "column", "row"))], {}, (3, 3), r"'c' with axes"),
        ([], {}, (6,), "no weights"),
        ([FIRST, LAST], {}, (5,), r"probe inputs of shape \(7, 5\) do not fit 'a'"),
        ([MAPS, LAST], {"conv": Convolution()}, (5, 5),
         r"'z' takes \(4,\) values, and .* gives \(4, 3, 3\).*axes \(units, inputs, row, column\)"),
        ([MAPS, LAST], {"conv": Convolution()}, (2, 7), r"'conv', with filter \(3, 3\).* nothing"),
        ([MAPS, LAST], {"conv": Convolution(pool=4)}, (5, 5), r"pooling by 4, leaves nothing of"),
        ([MAPS, LAST], {"conv": Convolution()}, (3, 5, 5), r"\(7, 3, 5, 5\) do not fit 'conv'"),
    ],
)  # fmt: skip
def test_activations__refuse_by_name_what_is_not_supported(tensors, convolutions, shape, message):
    layout = Layout.of(tensors, "relu", convolutions)
    weights = np.ones((3, layout.n_parameters), np.float32)
    with pytest.raises(FormatError, match=message) as error:
        activations(weights, layout, np.ones((7, *shape), np.float32), "output")
    assert "\n" not in str(error.value)


def test_activations__refuse_a_negative_variance():
    networks = torch_networks("linear, bias, batch norm", "relu")
    variance = networks.layout.tensor("1.BatchNorm1d.running_var")
    networks.weights[2, variance.start] = -0.1
    with pytest.raises(FormatError, match=r"'1.BatchNorm1d.running_var' is a variance.* 1 check"):
        activations(networks.weights, networks.layout, networks.inputs, "output")


def test_activations__do_not_depend_on_the_other_checkpoints(images):
    layout = MLP((196, 10, 10, 10)).layout()
    weights = random_weights(layout, 200)
    many = np.tile(images, (20, 1, 1))  # so many inputs that the checkpoints go in blocks
    together = activations(weights, layout, many, "hidden-2")
    alone = activations(weights[150:151], layout, many, "hidden-2")
    np.testing.assert_allclose(together[150:151], alone, rtol=1e-6)


def test_activations__name_the_units_there_are(images):
    layout = MLP((196, 10, 10, 10)).layout()
    with pytest.raises(FormatError, match=r"'hidden-3'.*it has hidden-1, hidden-2, output"):
        activations(random_weights(layout, 1), layout, images, "hidden-3")
    strange = dataclasses.replace(layout, activation="swish")
    with pytest.raises(FormatError, match="activation 'swish': known are identity, leaky-relu"):
        activations(random_weights(layout, 1), strange, images, "output")


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("sigmoid", torch.sigmoid),
        ("tanh", torch.tanh),
        ("relu", torch.relu),
        ("leaky-relu", torch.nn.LeakyReLU(0.01)),
    ],
)
def test_activation_functions__agree_with_torch_without_overflow(name, reference):
    z = np.float32([-1e9, -100, -3, -0.5, 0, 0.5, 3, 100, 1e9])
    np.testing.assert_allclose(ACTIVATIONS[name](z), reference(torch.tensor(z)), atol=1e-6)


def test_layout__keeps_convolutions_through_json():
    layout = CNN().layout()
    assert Layout.from_json(layout.to_json()) == layout
    with pytest.raises(FormatError, match="convolution"):
        Layout.from_json(layout.to_json().replace('"stride": 2', '"stride": "2"'))
    text = layout.to_json()
    at = text.index('"convolutions"')
    stray = text[:at] + text[at:].replace("conv1.weight", "conv9")
    with pytest.raises(FormatError, match="unknown tensors 'conv9'"):
        Layout.from_json(stray)
