"""Zoos on this machine: where they are, building them, and loading them by id or path."""

import os
from concurrent.futures import Executor
from pathlib import Path

import platformdirs
from filelock import FileLock

from wsbench.errors import FormatError, IntegrityError, RecipeError
from wsbench.files import explain_storage_errors
from wsbench.providers import Progress, ZooProvider, provider_of, providers, published_zoos
from wsbench.schema import ZOO_FILE
from wsbench.zoo import Zoo, read_zoo

DEFAULT_ZOO = "digits-mlp-v1"


def home() -> Path:
    """Return the folder for zoos and records: ``$WSBENCH_HOME``, or the user's cache folder."""
    chosen = os.environ.get("WSBENCH_HOME")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("wsbench")


def zoo_folder(zoo_id: str) -> Path:
    """Return where the zoo of this id is, or would be."""
    return home() / "zoos" / zoo_id


def load_zoo(zoo: str | Path = DEFAULT_ZOO, *, progress: Progress | None = None) -> Zoo:
    """Return a zoo by its id, or from its folder or ``zoo.h5``.

    A published zoo whose data come with the package is built on first use, in seconds and without a
    network; others must have been built before (`build_zoo`).

    Parameters
    ----------
    zoo
        An id such as ``"digits-mlp-v1"``, or a path: anything with a slash, or that exists.
    progress
        Told of every model that is done, if the zoo has to be built.

    Raises
    ------
    UnknownIdError
        If there is no such zoo; the message names the nearest.
    FormatError, IntegrityError
        If its files are damaged, or of another format version.

    Examples
    --------
    >>> load_zoo("digits-mlp-v1")  # doctest: +SKIP
    Zoo(digits-mlp-v1: 50 models, 2550 checkpoints of 2160 parameters)
    """
    if _is_path(zoo):
        return read_zoo(Path(zoo))
    zoo_id = str(zoo)
    folder = zoo_folder(zoo_id)
    if not (folder / ZOO_FILE).exists():
        provider_of(zoo_id)
        if not published_zoos()[zoo_id].embedded:
            raise FormatError(f"zoo {zoo_id!r} is not on this machine yet: wsbench build {zoo_id}")
        build_zoo(zoo_id, progress=progress)
    return read_zoo(folder)


def build_zoo(
    zoo: str | Path,
    *,
    out: Path | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Train every model of a zoo and return its folder; the bits are the same on any machine.

    A build that was stopped, however, is continued. If the zoo is there already nothing is done.
    Two builds of the same zoo take turns, and the second finds it done.

    Parameters
    ----------
    zoo
        The id of a published zoo, or the path of a recipe.
    out
        The zoo's folder; None for its place in `home`.
    executor
        Any ``concurrent.futures.Executor``; None for threads in this process.
    workers
        How many threads; None for one a CPU.
    rebuild
        Build it also if it is there already, and replace it.
    progress
        Told of every model that is done.

    Raises
    ------
    UnknownIdError, RecipeError
        If there is no such zoo, or its recipe is wrong.
    IntegrityError
        If a published zoo does not get the digest it was published with.
    StorageError
        If the folder cannot be written; the models done so far are kept.
    """
    provider, zoo_id, text = _recipe(zoo)
    folder = out or zoo_folder(zoo_id)
    with explain_storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f".{folder.name}.lock")).acquire()
    with lock:
        if rebuild or not _is_built(folder, text):
            digest = provider.build(
                text, folder, executor=executor, workers=workers, progress=progress
            )
            _check_digest(zoo_id, digest)
    return folder


def _is_path(zoo: str | Path) -> bool:
    return isinstance(zoo, Path) or os.sep in zoo or zoo.endswith((".toml", ".h5"))


def _recipe(zoo: str | Path) -> tuple[ZooProvider, str, str]:
    """Who builds a zoo, its id, and the text of its recipe."""
    if not _is_path(zoo):
        provider = provider_of(str(zoo))
        return provider, str(zoo), provider.recipe_text(str(zoo))
    path = Path(zoo)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot read this recipe: {error}") from None
    provider = next(iter(providers().values()))
    zoo_id = provider.recipe_id(text, str(path))
    if zoo_id in published_zoos() and provider_of(zoo_id).recipe_text(zoo_id) != text:
        raise RecipeError(
            f"{path}: id: {zoo_id!r} is published with another recipe; choose another id"
        )
    return provider, zoo_id, text


def _is_built(folder: Path, text: str) -> bool:
    if not (folder / ZOO_FILE).exists():
        return False
    if read_zoo(folder).recipe_text != text:
        raise RecipeError(
            f"{folder}: holds a zoo of another recipe; choose another id, or --rebuild"
        )
    return True


def _check_digest(zoo_id: str, digest: str) -> None:
    published = published_zoos().get(zoo_id)
    if published and digest != published.content_digest:
        raise IntegrityError(
            f"{zoo_id}: built with the digest {digest[:19]}…, published is"
            f" {published.content_digest[:19]}…: the kernels gave other bits on this machine;"
            " please report it with the output of: wsbench env"
        )
