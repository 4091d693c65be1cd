"""A package that publishes zoos, and a process that may not write."""

import os
import sys
import tomllib
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import wsbench


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
    zoo = wsbench.load_zoo(make_zoo())
    found = Publisher(zoo.recipe_text, make_zoo)
    found.publish(zoo.content_digest)
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
