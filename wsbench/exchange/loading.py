"""Loading: a zoo by its id, from the cache or a mirror, or built if that takes seconds."""

import logging
import os
from pathlib import Path

from wsbench.errors import TransferError, UnknownIdError
from wsbench.exchange.download import download_zoo, is_offline
from wsbench.zoo import cache
from wsbench.zoo.providers import Progress, published_zoos
from wsbench.zoo.zoo import Zoo

_log = logging.getLogger("wsbench")


def load_zoo(zoo: str | Path = cache.DEFAULT_ZOO, *, progress: Progress | None = None) -> Zoo:
    """Return a zoo by its id, or from its folder or ``zoo.h5``.

    A published zoo that is not in the cache is fetched from a mirror, if one is known (see
    `download_zoo`) and ``WSBENCH_OFFLINE`` is not set. Without one, a zoo whose data come with the
    package is built, in seconds and without a network; others must have been built before
    (`build_zoo`).

    Parameters
    ----------
    zoo
        An id such as ``"digits-mlp-v2"``, or a path: a `Path`, or a text with a slash or that ends
        in ``.h5``.
    progress
        Called after every model, if the zoo has to be built.

    Raises
    ------
    UnknownIdError
        If there is no such zoo; the message names the nearest.
    FormatError, IntegrityError
        If its files are damaged, of another format version, or not those that were published, or
        if its layout is not that of its recipe.
    StorageError
        If its files cannot be read, or do not fit into memory.

    Examples
    --------
    >>> load_zoo("digits-mlp-v1")
    Zoo(digits-mlp-v1: 50 models, 2550 checkpoints of 2160 parameters)
    """
    if not cache.is_path(zoo):
        _fetch_if_known(str(zoo))
    return cache.load_zoo(zoo, progress=progress)


def _fetch_if_known(zoo_id: str) -> None:
    """Fetch a published zoo that is not there from a mirror, if one is known and has it."""
    published = published_zoos().get(zoo_id)
    if published is None or cache.is_built(cache.zoo_folder(zoo_id)) or is_offline():
        return
    if not (os.environ.get("WSBENCH_MIRROR") or published.mirrors):
        return
    try:
        download_zoo(zoo_id)
    except (TransferError, UnknownIdError) as error:
        _log.warning("wsbench: %s is not fetched: %s", zoo_id, error)
