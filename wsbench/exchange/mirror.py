"""Mirrors: addresses from which zoos are fetched, and the address of a zoo's file on each."""

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from wsbench.errors import TransferError
from wsbench.zoo.providers import PublishedZoo

HUB = "hf://datasets/"

_SCHEMES = ("https://", "http://", "file://", HUB)


def mirrors_of(zoo_id: str, published: PublishedZoo | None, mirror: str | None) -> Sequence[str]:
    """Return the mirrors to try for a zoo: the given one, or ``$WSBENCH_MIRROR`` and its own.

    Parameters
    ----------
    zoo_id
        Id of the zoo.
    published
        Its publisher's entry, whose mirrors come last.
    mirror
        The only one to try; None for the others.

    Raises
    ------
    TransferError
        If there is none, or one is no address.
    """
    usual = [os.environ.get("WSBENCH_MIRROR", ""), *(published.mirrors if published else ())]
    found = [mirror] if mirror is not None else [one for one in usual if one]
    if not found:
        raise TransferError(
            f"{zoo_id}: no mirror is known; name one with --mirror or WSBENCH_MIRROR, or train it:"
            f" wsbench build {zoo_id}"
        )
    for one in found:
        if not one.startswith(_SCHEMES) and not Path(one).is_dir():
            raise TransferError(
                f"mirror {one!r:.100}: expected a folder, or an address that begins with"
                f" {', '.join(_SCHEMES)}"
            )
    return found


def file_url(mirror: str, zoo_id: str, name: str) -> str:
    """Return the address of a zoo's file on a mirror.

    A mirror is a folder of zoos, each in a folder named by its id; on the Hugging Face Hub each zoo
    is a repository of its own.

    Examples
    --------
    >>> file_url("https://example.org/zoos/", "digits-mlp-v1", "zoo.h5")
    'https://example.org/zoos/digits-mlp-v1/zoo.h5'
    """
    if mirror.startswith(HUB):
        from huggingface_hub import hf_hub_url

        repository = mirror.removeprefix(HUB).strip("/")
        return str(hf_hub_url(repository, name, repo_type="dataset"))
    if not mirror.startswith(_SCHEMES):
        mirror = Path(mirror).resolve().as_uri()
    return f"{mirror.rstrip('/')}/{quote(zoo_id)}/{quote(name)}"
