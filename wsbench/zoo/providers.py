"""Providers of zoos: packages with an entry point in ``wsbench.zoos``."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Protocol

from wsbench.errors import RecipeError, escaped
from wsbench.networks.layout import Layout
from wsbench.suggestions import unknown_name_error
from wsbench.typing import Columns, Floats

_log = logging.getLogger("wsbench")


@dataclass(frozen=True)
class PublishedZoo:
    """A zoo as its publisher vouches for it.

    Attributes
    ----------
    id, title
        ``name-vN``, and one line for people.
    models, checkpoints, parameters
        Numbers of models, of rows, and of weights in a row.
    bytes
        Approximate size of ``zoo.h5``.
    content_digest
        The zoo's identity.
    embedded
        Whether its data come with the package, so that it can be built anywhere without a network.
    mirrors
        Base URLs to download it from.
    layout_sha256, probe_sha256
        Digests of the layout and of the probe inputs, which the content digest leaves out (see
        `digest`); None if the publisher does not give them.
    build_s
        Seconds that building takes on two cores, about; 0 if the publisher does not say.
    data_url
        Home page of the training data; empty if the publisher does not give it.
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
    layout_sha256: str | None = None
    probe_sha256: str | None = None
    build_s: float = 0.0
    data_url: str = ""


@dataclass(frozen=True)
class BuildState:
    """Progress of a build: all models, those resumed from an earlier run, and those done so far."""

    n_models: int
    n_resumed: int
    n_done: int
    steps_per_model: int


Progress = Callable[[BuildState], None]


class ZooProvider(Protocol):
    """The object that an entry point in ``wsbench.zoos`` refers to."""

    def zoos(self) -> Mapping[str, PublishedZoo]:
        """Return the published zoos by id."""

    def recipe_text(self, zoo_id: str) -> str:
        """Return the TOML text of a published recipe."""

    def recipe_id(self, text: str, file: str) -> str:
        """Return the id in a recipe; raise `RecipeError` if the recipe is invalid."""

    def derived_recipe(self, text: str, *, id: str, title: str, models: int, seed: int) -> str:
        """Return the text of the same recipe with another id, title, number of models and seed."""

    def layout(self, text: str) -> Layout:
        """Return the layout of a recipe's networks."""

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

    def evaluate_networks(
        self, text: str, weights: Floats, layout: Layout | None = None
    ) -> Columns:
        """Return the columns of scores that a build gives to these rows of weights.

        The layout is theirs; None for that of the recipe's networks. Networks of another layout get
        the scores on test data only, and these with another rounding.
        """

    def retrain(
        self, text: str, models: Sequence[int], *, progress: Progress | None
    ) -> Iterator[Columns]:
        """Train models again; yield each one's weights and scores, from epoch 0 on, in order."""


def providers() -> dict[str, ZooProvider]:
    """Return the providers by the name of their entry point; loading one imports its package.

    A package whose entry point fails, or refers to another object, is logged and left out.
    """
    found = {}
    for point in _entry_points(tuple((folder, _changed_ns(folder)) for folder in sys.path)):
        try:
            provider = point.load()
            if not all(isinstance(zoo, PublishedZoo) for zoo in provider.zoos().values()):
                raise TypeError("zoos() returns other objects than PublishedZoo")
            found[point.name] = provider
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # sys.exit() in a package ends no command
            _warn_once(point, f"{type(error).__name__}: {error}")
    return found


@cache
def _entry_points(path: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    """Return the entry points of the packages on this path.

    A scan of 110 packages takes 8 ms, and loading a small zoo without its scans 10 ms.
    """
    return tuple(entry_points(group="wsbench.zoos"))


def _changed_ns(folder: str) -> int:
    """Return when a package was last installed in a folder or removed from it."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return 0


@cache
def _warn_once(point: EntryPoint, reason: str) -> None:
    package = point.dist.name if point.dist else point.module
    reason = " ".join(escaped(reason).split())
    _log.warning("wsbench: the zoos of %s are left out: %s", package, reason)


def published_zoos() -> dict[str, PublishedZoo]:
    """Return every published zoo by id.

    Examples
    --------
    >>> published_zoos()["digits-mlp-v2"].models
    500
    """
    return {zoo_id: zoo for p in providers().values() for zoo_id, zoo in p.zoos().items()}


def provider_of(zoo_id: str) -> ZooProvider:
    """Return the provider of a zoo, or raise `UnknownIdError` with the nearest published id."""
    for provider in providers().values():
        if zoo_id in provider.zoos():
            return provider
    raise unknown_name_error(
        "zoo", zoo_id, published_zoos(), "A folder or recipe file is a path: ./NAME."
    )


def provider_of_recipe(text: str) -> ZooProvider:
    """Return the provider that knows a recipe, or raise `RecipeError` with the reason."""
    reason = "no package that trains zoos is installed"
    for provider in providers().values():
        try:
            provider.recipe_id(text, "recipe")
        except RecipeError as error:
            reason = str(error)
        else:
            return provider
    raise RecipeError(f"no installed package can train this recipe ({reason})")
