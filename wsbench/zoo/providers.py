"""Who publishes zoos: packages with an entry point in ``wsbench.zoos``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from wsbench.suggestions import unknown_name_error
from wsbench.typing import Columns, Floats


@dataclass(frozen=True)
class PublishedZoo:
    """What a publisher vouches for.

    Attributes
    ----------
    id, title
        ``name-vN``, and one line for people.
    models, checkpoints, parameters
        How many models, rows, and weights a row.
    bytes
        Size of ``zoo.h5``, about.
    content_digest
        The zoo's identity.
    embedded
        Whether its data come with the package, so that it can be built anywhere without a network.
    mirrors
        Base URLs to download it from.
    """

    id: str
    title: str
    models: int
    checkpoints: int
    parameters: int
    bytes: int
    content_digest: str
    embedded: bool
    mirrors: tuple[str, ...] | list[str] = ()


@dataclass(frozen=True)
class BuildState:
    """How far a build has come: models in all, taken over from an earlier run, and done so far."""

    n_models: int
    n_resumed: int
    n_done: int
    steps_per_model: int


Progress = Callable[[BuildState], None]


class ZooProvider(Protocol):
    """What an entry point in ``wsbench.zoos`` refers to."""

    def zoos(self) -> Mapping[str, PublishedZoo]:
        """Return what is published, by id."""

    def recipe_text(self, zoo_id: str) -> str:
        """Return the TOML text of a published recipe."""

    def recipe_id(self, text: str, file: str) -> str:
        """Return the id in a recipe; raise `RecipeError` if it is not a right one."""

    def build(
        self,
        text: str,
        folder: Path,
        *,
        executor: Executor | None,
        workers: int | None,
        cluster: str | None,
        progress: Progress | None,
    ) -> str:
        """Build the zoo of a recipe in ``folder`` and return its content digest."""

    def evaluate_networks(self, text: str, weights: Floats) -> Columns:
        """Return the columns of scores that a build gives to these rows of weights."""

    def retrain(
        self, text: str, models: Sequence[int], *, progress: Progress | None
    ) -> Iterator[Columns]:
        """Train models again; yield each one's weights and scores, from epoch 0 on, in order."""


def providers() -> dict[str, ZooProvider]:
    """Return the providers by the name of their entry point; loading one imports its package."""
    return {point.name: point.load() for point in entry_points(group="wsbench.zoos")}


def published_zoos() -> dict[str, PublishedZoo]:
    """Return every published zoo by id.

    Examples
    --------
    >>> published_zoos()["digits-mlp-v1"].models
    50
    """
    return {zoo_id: zoo for p in providers().values() for zoo_id, zoo in p.zoos().items()}


def provider_of(zoo_id: str) -> ZooProvider:
    """Return who publishes a zoo, or raise `UnknownIdError` with the nearest published id."""
    for provider in providers().values():
        if zoo_id in provider.zoos():
            return provider
    raise unknown_name_error(
        "zoo", zoo_id, published_zoos(), "A folder or recipe file is a path: ./NAME."
    )
