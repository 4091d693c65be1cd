"""Settings and data shared by all tests."""

from pathlib import Path

import hypothesis
import pytest

import wsbench

hypothesis.settings.register_profile("wsbench", deadline=None)  # a loaded machine is no failure
hypothesis.settings.load_profile("wsbench")

SMALL_RECIPE = """format = 1
id = "small-mlp-v1"
title = "five MLPs, three epochs"
license = "CC-BY-4.0"
models = 5
epochs = 3
seed = 7

[data]
source = "digits"

[architecture]
kind = "mlp"
widths = [196, 10, 10, 10]
activation = "sigmoid"

[training]
initialisation = "kaiming-normal"
loss = "mse"
optimizer = "sgd"
learning_rate = 0.03
momentum = 0.9
weight_decay = 3e-4
batch_size = 4
"""


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("WSBENCH_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def small_recipe() -> str:
    """A recipe whose zoo is built in a second, once the kernel is compiled."""
    return SMALL_RECIPE


@pytest.fixture(scope="session")
def small_zoo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small recipe's zoo; read only."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "small.toml").write_text(SMALL_RECIPE)
    return wsbench.build_zoo(folder / "small.toml", out=folder / "small-mlp-v1", workers=2)


@pytest.fixture(scope="session")
def small_zoo(small_zoo_folder: Path) -> wsbench.Zoo:
    """The small recipe's zoo: 5 models, epochs 0 to 3, one model in test."""
    return wsbench.load_zoo(small_zoo_folder)


@pytest.fixture(scope="session")
def digits_zoo(tmp_path_factory: pytest.TempPathFactory) -> wsbench.Zoo:
    """The whole of digits-mlp-v1."""
    folder = tmp_path_factory.mktemp("digits") / "digits-mlp-v1"
    return wsbench.load_zoo(wsbench.build_zoo("digits-mlp-v1", out=folder))
