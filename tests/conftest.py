"""Settings and data shared by all tests."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

import wsbench
from support.command_line import Result
from support.publisher import Publisher, install
from support.zoos import write_made_up_zoo
from wsbench.cli import main

# A loaded machine is no failure, and a change that was tested fails no later.
hypothesis.settings.register_profile(
    "wsbench",
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
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


def pytest_configure(config: pytest.Config) -> None:
    """Compile each kernel once a session: all processes of the tests take it from a cache."""
    for variable in ("WSBENCH_KERNEL_CACHE", "NUMBA_CACHE_DIR"):
        if variable not in os.environ:
            folder = tempfile.TemporaryDirectory(prefix="wsbench-kernels-")
            os.environ[variable] = folder.name
            config.add_cleanup(folder.cleanup)


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
def digits_zoo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of digits-mlp-v1, all 50 models; read only.

    The first of the session's processes builds it, and the others wait for it.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return wsbench.build_zoo("digits-mlp-v1", out=shared / "digits")


@pytest.fixture(scope="session")
def digits_zoo(digits_zoo_folder: Path) -> wsbench.Zoo:
    """The zoo digits-mlp-v1: 50 models, epochs 0 to 50, ten models in test."""
    return wsbench.load_zoo(digits_zoo_folder)


@pytest.fixture
def make_zoo(tmp_path: Path) -> Callable[..., Path]:
    """Write a zoo of random walks below this test's folder, and return its folder."""

    def make(name: str = "zoo", models: int = 10, epochs: int = 4, **changes: object) -> Path:
        return write_made_up_zoo(tmp_path / name, models, epochs, **changes)

    return make


@pytest.fixture
def made_up_zoo(make_zoo) -> wsbench.Zoo:
    """10 models of 12 weights, epochs 0 to 4."""
    return wsbench.load_zoo(make_zoo())


@pytest.fixture
def publisher(make_zoo, made_up_zoo, tmp_path, monkeypatch) -> Publisher:
    """A package that publishes the made-up zoo, and builds it anew in a moment."""
    provider = Publisher(made_up_zoo.recipe_text, make_zoo)
    provider.publish(made_up_zoo.content_digest)
    install(provider, tmp_path / "site", monkeypatch)
    return provider


@pytest.fixture
def run(capsys, monkeypatch) -> Callable[..., Result]:
    """Run ``wsbench`` with these arguments in this process."""

    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["wsbench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return Result(int(end.value.code or 0), *capsys.readouterr())

    return call
