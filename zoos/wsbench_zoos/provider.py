"""Provider: the entry point in ``wsbench.zoos`` by which wsbench finds the zoos of this package."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import wsbench
from wsbench import PublishedZoo

Columns = Mapping[str, npt.NDArray[Any]]


class Provider:
    """Recipes from ``recipes/`` and digests from ``registry.json``; implements `ZooProvider`."""

    def zoos(self) -> Mapping[str, PublishedZoo]:
        """Return the published zoos by id."""
        return _published()

    def recipe_text(self, zoo_id: str) -> str:
        """Return the TOML text of a published recipe."""
        return (files("wsbench_zoos") / "recipes" / f"{zoo_id}.toml").read_text(encoding="utf-8")

    def recipe_id(self, text: str, file: str) -> str:
        """Return the id in a recipe; raise `RecipeError` if the recipe is invalid."""
        from wsbench_zoos.recipe import parse_recipe

        return parse_recipe(text, file).id

    def derived_recipe(self, text: str, *, id: str, title: str, models: int, seed: int) -> str:
        """Return the text of the same recipe with another id, title, number of models and seed."""
        from wsbench_zoos.recipe import derive_recipe

        return derive_recipe(text, id=id, title=title, models=models, seed=seed)

    def layout(self, text: str) -> wsbench.Layout:
        """Return the layout of a recipe's networks."""
        from wsbench_zoos.recipe import parse_recipe

        return parse_recipe(text).architecture.layout()

    def build(
        self,
        text: str,
        folder: Path,
        *,
        executor: Executor | None,
        workers: int | None,
        cluster: str | None,
        progress: wsbench.Progress | None,
    ) -> str:
        """Build the zoo of a recipe and return its content digest."""
        from wsbench_zoos.building.build import build
        from wsbench_zoos.recipe import parse_recipe

        return build(
            parse_recipe(text),
            folder,
            executor=executor,
            workers=workers,
            cluster=cluster,
            progress=progress,
        )

    def evaluate_networks(
        self, text: str, weights: npt.NDArray[np.float32], layout: wsbench.Layout | None = None
    ) -> Columns:
        """Return the columns of scores that a build gives to these rows of weights."""
        if layout is None or layout == self.layout(text):
            from wsbench_zoos.training.training import score_checkpoints

            return score_checkpoints(text, weights)
        from wsbench_zoos.training.other_layouts import score_networks

        return score_networks(text, weights, layout)

    def retrain(
        self, text: str, models: Sequence[int], *, progress: wsbench.Progress | None
    ) -> Iterator[Columns]:
        """Train models again; yield each one's weights and scores, from epoch 0 on, in order."""
        from wsbench_zoos.building.retraining import retrain

        for trajectory in retrain(text, models, progress=progress):
            yield vars(trajectory)


@cache
def _published() -> Mapping[str, PublishedZoo]:
    registry = json.loads((files("wsbench_zoos") / "registry.json").read_text(encoding="utf-8"))
    return {zoo_id: PublishedZoo(id=zoo_id, **entry) for zoo_id, entry in registry.items()}


PROVIDER = Provider()
