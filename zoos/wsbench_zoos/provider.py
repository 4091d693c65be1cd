"""The zoos that this package publishes, for wsbench to find by its entry point ``wsbench.zoos``."""

import json
from collections.abc import Mapping
from concurrent.futures import Executor
from functools import cache
from importlib.resources import files
from pathlib import Path

import wsbench
from wsbench import PublishedZoo


class Provider:
    """Recipes in ``recipes/``, what their zoos must be in ``registry.json``; see `ZooProvider`."""

    def zoos(self) -> Mapping[str, PublishedZoo]:
        """Return what is published, by id."""
        return _published()

    def recipe_text(self, zoo_id: str) -> str:
        """Return the TOML text of a published recipe."""
        return (files("wsbench_zoos") / "recipes" / f"{zoo_id}.toml").read_text(encoding="utf-8")

    def recipe_id(self, text: str, file: str) -> str:
        """Return the id in a recipe; raise `RecipeError` if it is not a right one."""
        from wsbench_zoos.recipe import parse_recipe

        return parse_recipe(text, file).id

    def build(
        self,
        text: str,
        folder: Path,
        *,
        executor: Executor | None,
        workers: int | None,
        progress: wsbench.Progress | None,
    ) -> str:
        """Build the zoo of a recipe and return its content digest."""
        from wsbench_zoos.build import build
        from wsbench_zoos.recipe import parse_recipe

        return build(
            parse_recipe(text), folder, executor=executor, workers=workers, progress=progress
        )


@cache
def _published() -> Mapping[str, PublishedZoo]:
    registry = json.loads((files("wsbench_zoos") / "registry.json").read_text(encoding="utf-8"))
    return {zoo_id: PublishedZoo(id=zoo_id, **entry) for zoo_id, entry in registry.items()}


PROVIDER = Provider()
