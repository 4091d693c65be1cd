"""Zoos with made-up weights: written in milliseconds, whole in every respect."""

import os
import sys
import tomllib
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import wsbench

LAYOUT = wsbench.Layout.of(
    [("a", (2, 3), ("hidden-1", "input")), ("b", (3, 2), ("output", "hidden-1"))], "sigmoid"
)
RECIPE = 'id = "made-up-v1"\nmodels = {models}\nepochs = {epochs}\n'


@pytest.fixture
def make_zoo(tmp_path: Path) -> Callable[..., Path]:
    """Write a zoo of random walks and return its folder; keywords change columns or attributes."""

    def make(name: str = "zoo", models: int = 10, epochs: int = 4, **changes: object) -> Path:
        rng = np.random.default_rng(0)
        n = models * (epochs + 1)
        steps = rng.normal(size=(models, epochs + 1, LAYOUT.n_parameters)) * 0.1
        steps[:, 0] += rng.normal(size=(models, LAYOUT.n_parameters)) * 0.5
        columns = {
            "weights": steps.cumsum(axis=1).reshape(n, -1).astype(np.float32),
            "model": np.repeat(np.arange(models, dtype=np.int32), epochs + 1),
            "epoch": np.tile(np.arange(epochs + 1, dtype=np.int16), models),
            "split": np.repeat(wsbench.split_of_models("made-up-v1", models), epochs + 1),
            "train_loss": rng.random(n, np.float32),
            "test_loss": rng.random(n, np.float32),
            "test_accuracy": rng.random(n, np.float32),
        }
        attributes = {
            "id": "made-up-v1",
            "recipe": RECIPE.format(models=models, epochs=epochs),
            "layout": LAYOUT,
            "license": "CC-BY-4.0",
            "created_by": "a test",
        }
        for key, value in changes.items():
            (columns if key in columns else attributes)[key] = value
        probe_inputs = rng.random((7, 3), np.float32)
        header = wsbench.ZooHeader(**attributes)
        wsbench.write_zoo(tmp_path / name, header, [columns], probe_inputs)
        return tmp_path / name

    return make


@pytest.fixture
def made_up_zoo(make_zoo) -> wsbench.Zoo:
    """10 models of 12 weights, epochs 0 to 4."""
    return wsbench.load_zoo(make_zoo())


@pytest.fixture
def without_privileges() -> Callable[[], object]:
    """A context in which this process may write only where anyone may: root is asked nothing."""

    @contextmanager
    def context() -> Iterator[None]:
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(user)

    return context


class Publisher:
    """A zoo provider: publishes made-up-v1, whose build writes it in a moment."""

    def __init__(self, recipe: str, write: Callable[[Path], None]) -> None:
        self.recipe, self._write, self.n_builds = recipe, write, 0
        self.published: dict[str, wsbench.PublishedZoo] = {}

    def publish(self, digest: str, *, embedded: bool = True) -> None:
        self.published["made-up-v1"] = wsbench.PublishedZoo(
            "made-up-v1", "random walks", 10, 50, 12, 20_000, digest, embedded
        )

    def zoos(self) -> dict[str, wsbench.PublishedZoo]:
        return self.published

    def recipe_text(self, zoo_id: str) -> str:
        return self.recipe

    def recipe_id(self, text: str, file: str) -> str:
        return str(tomllib.loads(text)["id"])

    def build(self, text: str, folder: Path, **how: object) -> str:
        self.n_builds += 1
        self._write(folder)
        return wsbench.load_zoo(folder).content_digest


@pytest.fixture
def publisher(tmp_path, make_zoo, monkeypatch) -> Publisher:
    """A publisher that is installed as any package can install one, by its entry point."""
    found = Publisher(RECIPE.format(models=10, epochs=4), lambda folder: make_zoo(folder))
    found.publish(wsbench.load_zoo(make_zoo()).content_digest)
    module = types.ModuleType("made_up_publisher")
    module.PROVIDER = found
    monkeypatch.setitem(sys.modules, "made_up_publisher", module)
    metadata = tmp_path / "site" / "made_up-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[wsbench.zoos]\nmade-up = made_up_publisher:PROVIDER\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    return found
