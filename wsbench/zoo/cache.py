"""Zoos on this machine: where they are, building them, and loading them by id or path."""

import os
from concurrent.futures import Executor
from pathlib import Path

import platformdirs

from wsbench.errors import FormatError, IntegrityError, RecipeError
from wsbench.storage.atomic import folder_lock
from wsbench.zoo.providers import Progress, ZooProvider, provider_of, providers, published_zoos
from wsbench.zoo.schema import ZOO_FILE
from wsbench.zoo.writer import refuse_to_replace_others
from wsbench.zoo.zoo import Zoo, read_attributes, read_zoo

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
        An id such as ``"digits-mlp-v1"``, or a path: a `Path`, or a text with a slash or that ends
        in ``.h5``.
    progress
        Told of every model that is done, if the zoo has to be built.

    Raises
    ------
    UnknownIdError
        If there is no such zoo; the message names the nearest.
    FormatError, IntegrityError
        If its files are damaged, of another format version, or not those that were published.

    Examples
    --------
    >>> load_zoo("digits-mlp-v1")
    Zoo(digits-mlp-v1: 50 models, 2550 checkpoints of 2160 parameters)
    """
    loaded = read_zoo(find_zoo(zoo, progress=progress))
    if not is_path(zoo):
        _check_digest(str(zoo), loaded.content_digest)
    return loaded


def find_zoo(zoo: str | Path, *, progress: Progress | None = None) -> Path:
    """Return the folder of a zoo, or the path given, having built it if `load_zoo` would."""
    if is_path(zoo):
        return Path(zoo)
    zoo_id = str(zoo)
    folder = zoo_folder(zoo_id)
    if not (folder / ZOO_FILE).exists():
        provider_of(zoo_id)
        if not published_zoos()[zoo_id].embedded:
            raise FormatError(f"zoo {zoo_id!r} is not on this machine yet: wsbench build {zoo_id}")
        build_zoo(zoo_id, progress=progress)
    return folder


def is_path(zoo: str | Path) -> bool:
    """Whether this is the path of a zoo or recipe, not an id."""
    return isinstance(zoo, Path) or os.sep in zoo or zoo.endswith((".toml", ".h5"))


def build_zoo(
    zoo: str | Path,
    *,
    out: Path | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
    cluster: str | None = None,
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
        Any ``concurrent.futures.Executor``, whose processes read the data themselves; None for
        threads in this process.
    workers
        How many threads; None for one a CPU.
    cluster
        Address of a Dask scheduler, ``tcp://host:port``, whose workers are sent the data.
    rebuild
        Build it also if it is there already, and replace it.
    progress
        Told of every model that is done, and before the first, and when the zoo is written.

    Raises
    ------
    UnknownIdError, RecipeError
        If there is no such zoo, or its recipe is wrong.
    DataError
        If the data that it is trained on are not on this machine.
    IntegrityError
        If a published zoo does not get the digest it was published with.
    StorageError
        If the folder cannot be written, or holds other things than a zoo; the models done so far
        are kept.
    WorkerError
        If the workers cannot be reached or are lost; the models done so far are kept.
    ValueError
        If more than one of ``executor``, ``workers`` and ``cluster`` is given.

    Examples
    --------
    >>> sorted(file.name for file in build_zoo("digits-mlp-v1", workers=2).iterdir())
    ['README.md', 'croissant.json', 'manifest.json', 'probe.npz', 'zoo.h5']
    """
    if sum(given is not None for given in (executor, workers, cluster)) > 1:
        raise ValueError("build_zoo takes one of executor, workers and cluster, not several")
    provider, zoo_id, text = _recipe(zoo)
    folder = (out or zoo_folder(zoo_id)).resolve()
    digest = None if rebuild else _digest_of_built(folder, text)
    if digest is None:
        with folder_lock(folder):
            refuse_to_replace_others(folder)
            digest = None if rebuild else _digest_of_built(folder, text)
            digest = digest or provider.build(
                text, folder, executor=executor, workers=workers, cluster=cluster, progress=progress
            )
    _check_digest(zoo_id, digest)
    return folder


def _recipe(zoo: str | Path) -> tuple[ZooProvider, str, str]:
    """Who builds a zoo, its id, and the text of its recipe."""
    if not is_path(zoo):
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


def _digest_of_built(folder: Path, text: str) -> str | None:
    if not (folder / ZOO_FILE).exists():
        return None
    built = read_attributes(folder)
    if built["recipe"] != text:
        raise RecipeError(
            f"{folder}: holds a zoo of another recipe; choose another id, or --rebuild"
        )
    return str(built["content_digest"])


def _check_digest(zoo_id: str, digest: str) -> None:
    published = published_zoos().get(zoo_id)
    if published and digest != published.content_digest:
        raise IntegrityError(
            f"{zoo_id}: the digest is {digest[:19]}…, published is"
            f" {published.content_digest[:19]}…: the file was changed, or the kernels gave other"
            f" bits; if it is the same after wsbench build {zoo_id} --rebuild, please report it"
            " with the output of: wsbench env"
        )
