"""Zoos on this machine: their places, building them, and loading them by id or path."""

import os
from concurrent.futures import Executor
from pathlib import Path

import platformdirs

from wsbench.errors import FormatError, IntegrityError, RecipeError, StorageError
from wsbench.storage.atomic import folder_lock
from wsbench.storage.regular import read_bytes
from wsbench.zoo.identity import network_faults
from wsbench.zoo.providers import Progress, ZooProvider, provider_of, providers, published_zoos
from wsbench.zoo.schema import ZOO_FILE, id_faults
from wsbench.zoo.writer import refuse_to_replace_others
from wsbench.zoo.zoo import Zoo, read_attributes, read_zoo

DEFAULT_ZOO = "digits-mlp-v2"

_MAX_RECIPE_BYTES = 1_000_000


def home() -> Path:
    """Return the folder for zoos and records: ``$WSBENCH_HOME``, or the user's cache folder."""
    chosen = os.environ.get("WSBENCH_HOME")
    if not chosen:
        return platformdirs.user_cache_path("wsbench")
    try:
        return Path(chosen).expanduser()
    except RuntimeError:
        raise StorageError(
            f"WSBENCH_HOME: got {chosen!r}, but this user does not exist; set it to a folder"
        ) from None


def zoo_folder(zoo_id: str) -> Path:
    """Return the folder of the zoo of this id, whether it exists or not."""
    return home() / "zoos" / zoo_id


def load_zoo(zoo: str | Path = DEFAULT_ZOO, *, progress: Progress | None = None) -> Zoo:
    """Return a zoo of this machine, built first if its data come with the package.

    Takes the arguments of `wsbench.load_zoo`, which looks for mirrors as well, and raises the same.
    """
    path = find_zoo(zoo, progress=progress)
    loaded = read_zoo(path)
    if not is_path(zoo):
        _check_digest(str(zoo), loaded.content_digest)
    _check_network(path, loaded)
    return loaded


def find_zoo(zoo: str | Path, *, progress: Progress | None = None) -> Path:
    """Return the folder of a zoo, built first if `load_zoo` would build it, or the given path."""
    if is_path(zoo):
        return Path(zoo)
    zoo_id = str(zoo)
    folder = zoo_folder(zoo_id)
    if not is_built(folder):
        provider_of(zoo_id)
        published = published_zoos()[zoo_id]
        if not published.embedded:
            minutes = f", about {published.build_s / 60:.0f} min" if published.build_s else ""
            raise FormatError(
                f"zoo {zoo_id!r} is not on this machine: wsbench build {zoo_id} trains it{minutes};"
                f" wsbench download {zoo_id} --mirror URL fetches {published.bytes / 1e6:.0f} MB"
            )
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

    An interrupted build is resumed. If the zoo exists already, nothing is done. Two builds of the
    same zoo take turns, and the second finds it done.

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
        Build it even if it exists, and replace it.
    progress
        Called before the first model, after every model, and when the zoo is written.

    Raises
    ------
    UnknownIdError, RecipeError
        If there is no such zoo, or its recipe is wrong.
    DataError
        If its training data are not on this machine.
    IntegrityError
        If a published zoo does not get the digest it was published with.
    StorageError
        If the folder cannot be written, or holds other things than a zoo. Finished models are kept.
    WorkerError
        If the workers cannot be reached or are lost. Finished models are kept.
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
    """Return the provider that builds a zoo, the zoo's id, and the text of its recipe."""
    if not is_path(zoo):
        provider = provider_of(str(zoo))
        return provider, str(zoo), provider.recipe_text(str(zoo))
    path = Path(zoo)
    try:
        text = read_bytes(path, _MAX_RECIPE_BYTES).decode()
    except OSError as error:
        reason = error.strerror or str(error)
        raise RecipeError(f"{path}: cannot read this recipe: {reason}; give another path") from None
    except UnicodeDecodeError as error:
        raise RecipeError(
            f"{path}: byte {error.start + 1} is not UTF-8; save the recipe as UTF-8"
        ) from None
    except FormatError as error:  # names the file and what it is
        raise RecipeError(f"{error}; give the path of a recipe in TOML") from None
    text = text.replace("\r\n", "\n")
    trainers = [*providers().values()]
    if not trainers:
        raise RecipeError(f"{path}: no package that trains zoos is installed")
    provider = trainers[0]
    zoo_id = provider.recipe_id(text, str(path))
    if faults := id_faults(zoo_id):
        raise RecipeError(f"{path}: {faults[0]}")
    if zoo_id in published_zoos() and provider_of(zoo_id).recipe_text(zoo_id) != text:
        raise RecipeError(
            f"{path}: id: {zoo_id!r} is published with another recipe; choose another id"
        )
    return provider, zoo_id, text


def is_built(folder: Path) -> bool:
    """Whether a folder holds a zoo; raise `StorageError` if that cannot be read."""
    path = folder / ZOO_FILE
    try:
        return path.exists()
    except OSError as error:
        raise StorageError(f"{path}: cannot read: {error.strerror}") from None


def _digest_of_built(folder: Path, text: str) -> str | None:
    if not is_built(folder):
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


def _check_network(path: Path, zoo: Zoo) -> None:
    try:
        faults = network_faults(zoo.recipe_text, zoo.content_digest, zoo.layout, zoo.probe_inputs)
    except RecipeError:
        return  # an unknown recipe determines no layout
    if faults:
        raise IntegrityError(
            f"{path}: {faults[0]}: the file was changed; build it again: wsbench build … --rebuild"
        )
