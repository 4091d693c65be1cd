"""A zoo provider that publishes a made-up zoo."""

import sys
import tomllib
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import wsbench
from support.zoos import LAYOUT


class Publisher:
    """A provider whose zoos are written, not trained.

    Parameters
    ----------
    recipe
        The text of the recipe of made-up-v1.
    write
        Writes the zoo of this recipe to a folder.
    """

    def __init__(self, recipe: str, write: Callable[[Path], object]) -> None:
        self.recipe, self._write, self.n_builds = recipe, write, 0
        self.published: dict[str, wsbench.PublishedZoo] = {}

    def publish(self, digest: str, *, embedded: bool = True) -> None:
        """Publish made-up-v1, 10 models of 12 weights, under this content digest."""
        self.published["made-up-v1"] = wsbench.PublishedZoo(
            "made-up-v1", "random walks", 10, 50, 12, 20_000, digest, embedded
        )

    def zoos(self) -> dict[str, wsbench.PublishedZoo]:
        return self.published

    def recipe_text(self, zoo_id: str) -> str:
        return self.recipe

    def recipe_id(self, text: str, file: str) -> str:
        return str(tomllib.loads(text)["id"])

    def layout(self, text: str) -> wsbench.Layout:
        return LAYOUT

    def build(self, text: str, folder: Path, **options: object) -> str:
        self.n_builds += 1
        self._write(folder)
        return wsbench.load_zoo(folder).content_digest

    def evaluate_networks(
        self, text: str, weights: np.ndarray, layout: wsbench.Layout | None = None
    ) -> dict[str, np.ndarray]:
        raise wsbench.DataError("made-up weights were trained on no data")


def install(provider: wsbench.ZooProvider, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a provider as a package does: by the entry point of a distribution in ``site``."""
    module = types.ModuleType("made_up_publisher")
    module.PROVIDER = provider
    monkeypatch.setitem(sys.modules, "made_up_publisher", module)
    metadata = site / "made_up-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[wsbench.zoos]\nmade-up = made_up_publisher:PROVIDER\n"
    )
    monkeypatch.syspath_prepend(site)
