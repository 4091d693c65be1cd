"""Ground truth: labels of the checkpoints, and the choice of queries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.networks.checkpoints import Labels
from wsbench.zoo.providers import PublishedZoo
from wsbench.zoo.schema import TEST, TRAIN, VAL
from wsbench.zoo.splits import split_of_models

Rows = npt.NDArray[np.intp]
Answers = dict[str, npt.NDArray[Any]]

# Queries over all models together: their neighbours under 18 conditions fit in 1 MB. What makes a
# score uncertain is the number of models, and none is left out.
_N_QUERIES = 250


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The labels of the rows, which are ascending by model, then by epoch.

    Attributes
    ----------
    labels
        Models and epochs of the test checkpoints, ``(n,)`` each.
    gallery
        The model of each entry of the gallery, for retrieval, ``(n_gallery,)``; none of them is a
        train model.
    """

    labels: Labels
    gallery: npt.NDArray[np.integer] = field(default_factory=lambda: np.empty(0, np.intp))

    @property
    def model(self) -> npt.NDArray[np.integer]:
        """The model of each row, ``(n,)``."""
        return self.labels.model

    @property
    def epoch(self) -> npt.NDArray[np.integer]:
        """The epoch of each row, ``(n,)``."""
        return self.labels.epoch

    @cached_property
    def n_models(self) -> int:
        """Number of models."""
        return len(self.rows_by_model())

    def rows_by_model(self) -> list[Rows]:
        """Return the rows of each model in epoch order, models ascending."""
        starts = np.flatnonzero(np.diff(self.model)) + 1
        return np.split(np.arange(len(self.model)), starts)

    @property
    def n_queries_each(self) -> int:
        """Number of rows of each model that are queries, if it has as many."""
        return max(1, _N_QUERIES // self.n_models)

    @cached_property
    def queries(self) -> Rows:
        """The rows that are queries, ascending: equally many of each model, the last among them.

        They depend on the epochs alone, and are the same for all methods.
        """
        return self.sample(self.n_queries_each)

    def subset(self, rows: Rows) -> "GroundTruth":
        """Return the labels of some rows, which are ascending."""
        return GroundTruth(Labels(self.labels.model[rows], self.labels.epoch[rows]), self.gallery)

    @cached_property
    def sparse(self) -> Rows:
        """Three rows of each model: after 1/25, 1/5 and all of its epochs, rounded up."""
        return self._at(lambda n: (-(-n // 25), -(-n // 5), n))

    @cached_property
    def ends(self) -> Rows:
        """The first and the last row of each model."""
        return self._at(lambda n: (1, n))

    @cached_property
    def n_relevant(self) -> Rows:
        """The number of other rows of its model, for each row, ``(n,)``."""
        sizes = [np.full(len(rows), len(rows) - 1) for rows in self.rows_by_model()]
        return np.concatenate(sizes)

    def _at(self, places: Callable[[int], tuple[int, ...]]) -> Rows:
        """Return the rows at these places of each model, counted from 1."""
        chosen = [rows[sorted({p - 1 for p in places(len(rows))})] for rows in self.rows_by_model()]
        return np.concatenate(chosen)

    def sample(self, n_each: int) -> Rows:
        """Return some rows of each model, evenly spread over its trajectory, and the last."""
        return np.concatenate([rows[spread(len(rows), n_each)] for rows in self.rows_by_model()])


def published_truth(zoo: PublishedZoo, protocol: str, *, is_fresh: bool = False) -> GroundTruth:
    """Return the labels of a published zoo's test checkpoints, from its id and counts alone.

    Parameters
    ----------
    zoo
        As `wsbench.published_zoos` returns it.
    protocol
        ``"standard"`` for its test models, ``"all"`` for all.
    is_fresh
        Whether fresh models take the place of its test models.
    """
    models = np.arange(zoo.models)
    last = zoo.checkpoints // zoo.models - 1
    split = split_of_models(zoo.id, zoo.models)
    if is_fresh:
        asked = _trajectories(np.arange(np.sum(split == TEST)), last)
        others = _trajectories(models[split == VAL], last)
        n_each = asked.n_queries_each
        gallery = [asked.model[asked.sample(n_each)]]
        if protocol == "standard":
            gallery.append(others.model[others.sample(n_each)] + asked.n_models)
        return GroundTruth(asked.labels, np.concatenate(gallery))
    asked = _trajectories(models if protocol == "all" else models[split == TEST], last)
    shown = _trajectories(models if protocol == "all" else models[split != TRAIN], last)
    return GroundTruth(asked.labels, shown.model[shown.sample(asked.n_queries_each)])


def compact(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.unsignedinteger]:
    """Return non-negative numbers in the smallest type that holds them."""
    small: npt.NDArray[np.unsignedinteger] = rows.astype(np.min_scalar_type(rows.max(initial=0)))
    return small


def expect_shape(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise `ValueError` if an array of answers has another shape."""
    if array.shape != shape:
        raise ValueError(f"{name}: got shape {array.shape}, expected {shape}")


def _trajectories(models: Rows, last: int) -> GroundTruth:
    """Return the labels of epochs 1 to the last of these models."""
    epochs = np.tile(np.arange(1, last + 1, dtype=np.int16), len(models))
    return GroundTruth(Labels(np.repeat(models, last).astype(np.int32), epochs))


def spread(n_rows: int, n: int) -> Rows:
    """Return at most n of so many rows, evenly spread, the last among them."""
    return np.sort(np.linspace(n_rows - 1, 0, min(n, n_rows)).astype(np.intp))
