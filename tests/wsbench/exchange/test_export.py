"""Exported checkpoints: the network that is read back has the recorded accuracy."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

import wsbench
from wsbench.exchange.export import export_checkpoint
from wsbench.networks.forward import activations
from wsbench_zoos.data.sources import load_data


@pytest.fixture(scope="session")
def cnn_zoo(tmp_path_factory, small_recipe):
    """A CNN zoo of five models, three epochs."""
    folder = tmp_path_factory.mktemp("cnn")
    text = small_recipe.replace("small-mlp-v1", "small-cnn-v1")
    start, end = text.index("[architecture]"), text.index("[training]")
    architecture = '[architecture]\nkind = "cnn"\nchannels = [16, 8]\nactivation = "leaky-relu"\n\n'
    (folder / "cnn.toml").write_text(text[:start] + architecture + text[end:])
    return wsbench.load_zoo(wsbench.build_zoo(folder / "cnn.toml", out=folder / "zoo", workers=2))


def accuracy_of(network):
    data = load_data("digits")
    images = torch.from_numpy(data.test_images)
    if any(isinstance(part, torch.nn.Conv2d) for part in network):
        images = images[:, None]
    with torch.no_grad():
        classes = network(images).argmax(axis=1).numpy()
    return np.float32(np.mean(classes == data.test_labels))


@pytest.mark.parametrize("zoo", ["small_zoo", "cnn_zoo"])
def test_torch_network__has_the_recorded_accuracy_at_every_epoch(zoo, request):
    zoo = request.getfixturevalue(zoo)
    for row in range(0, len(zoo.weights), 3):
        network = wsbench.torch_network(zoo.weights[row], zoo.layout)
        assert accuracy_of(network) == zoo.test_accuracy[row]


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth", ".npz"])
def test_export__is_read_back_by_its_own_library(small_zoo, tmp_path, suffix):
    path = export_checkpoint(small_zoo, 2, 3, tmp_path / f"m{suffix}")
    read = {
        ".safetensors": load_file,
        ".npz": lambda file: dict(np.load(file, allow_pickle=False)),
    }.get(
        suffix, lambda file: {k: v.numpy() for k, v in torch.load(file, weights_only=True).items()}
    )
    found = read(path)
    expected = small_zoo.state_dict(2, 3)
    assert list(expected) == ["fc1.weight", "fc2.weight", "fc3.weight"]
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name], tensor, strict=True)
    flat = np.concatenate([found[name].ravel() for name in expected])
    np.testing.assert_array_equal(flat, small_zoo.weights[small_zoo.row(2, 3)])


def test_export__state_dict_loads_into_the_plain_network(small_zoo, tmp_path):
    path = export_checkpoint(small_zoo, 2, 3, tmp_path / "m.pt")
    network = wsbench.torch_network(np.zeros_like(small_zoo.weights[0]), small_zoo.layout)
    network.load_state_dict(torch.load(path, weights_only=True))
    assert accuracy_of(network) == small_zoo.test_accuracy[small_zoo.row(2, 3)]


def test_export__says_in_safetensors_where_it_is_from(small_zoo, tmp_path):
    path = export_checkpoint(small_zoo, 2, 3, tmp_path / "m.safetensors")
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    assert (metadata["zoo"], metadata["model"], metadata["epoch"]) == ("small-mlp-v1", "2", "3")
    assert metadata["content_digest"] == small_zoo.content_digest
    assert wsbench.Layout.from_json(metadata["layout"]) == small_zoo.layout


def test_torch_network__is_the_forward_pass_with_bias_and_batch_norm():
    layout = wsbench.Layout.of(
        [
            ("conv.weight", (3, 1, 3, 3), ("hidden-1", "input", "row", "column")),
            ("conv.bias", (3,), ("hidden-1",), "bias"),
            ("norm.weight", (3,), ("hidden-1",), "scale"),
            ("norm.bias", (3,), ("hidden-1",), "shift"),
            ("norm.running_mean", (3,), ("hidden-1",), "mean"),
            ("norm.running_var", (3,), ("hidden-1",), "variance"),
            ("fc.weight", (4, 3, 2, 2), ("output", "hidden-1", "row", "column")),
            ("fc.bias", (4,), ("output",), "bias"),
        ],
        "relu",
        {"conv.weight": wsbench.Convolution(stride=1, padding=0, pool=2)},
    )
    rng = np.random.default_rng(0)
    weights = np.abs(rng.normal(size=layout.n_parameters)).astype(np.float32)
    inputs = rng.normal(size=(5, 1, 6, 6)).astype(np.float32)
    with torch.no_grad():
        found = wsbench.torch_network(weights, layout)(torch.from_numpy(inputs)).numpy()
    expected = activations(weights[None], layout, inputs, "output")[0].T
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_export_command__writes_the_file_and_says_the_accuracy(
    run, small_zoo_folder, small_zoo, tmp_path
):
    to = tmp_path / "m.safetensors"
    asked = ["export", small_zoo_folder, "--model", 2, "--epoch", 3, "--to", to]
    result = run(*asked)
    accuracy = small_zoo.test_accuracy[small_zoo.row(2, 3)]
    assert result.out == f"{to}: model 2 of small-mlp-v1 at epoch 3, test accuracy {accuracy:.3f}\n"
    assert json.loads(run(*asked, "--json").out)["test_accuracy"] == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("model", "epoch", "to", "message"),
    [
        (
            99,
            3,
            "m.pt",
            "no checkpoint of model 99 at epoch 3; it has models 0 to 4 and epochs 0 to 3",
        ),
        (2, 9, "m.pt", "no checkpoint of model 2 at epoch 9"),
        (2, 3, "m.onnx", "expected a file that ends in .safetensors, .pt, .pth, .npz"),
        (2, 3, "file/m.pt", "cannot write"),
    ],
)
def test_export_command__of_what_cannot_be_written_is_one_line(
    run, small_zoo_folder, tmp_path, model, epoch, to, message
):
    (tmp_path / "file").touch()
    asked = ["export", small_zoo_folder, "--model", model, "--epoch", epoch, "--to", tmp_path / to]
    assert message in run(*asked).complaint()
