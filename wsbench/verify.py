"""Verifying a zoo on disk: files, format, values and digest; all faults, not only the first."""

import json
from pathlib import Path
from typing import Any

from wsbench.digest import content_digest, file_sha256
from wsbench.errors import FormatError, WsbenchError
from wsbench.providers import published_zoos
from wsbench.schema import MANIFEST_FILE, PROBE_FILE, ZOO_FILE
from wsbench.validate import value_faults
from wsbench.zoo import read_arrays, read_probe


def verify_zoo(folder: Path) -> list[str]:
    """Return every fault of a zoo's folder; none for a zoo that is whole.

    Checked are the sha256 of every file against the manifest, the structure of ``zoo.h5`` and its
    values against the schema, the content digest against the arrays and, for the id of a published
    zoo, against the digest it was published with.

    Parameters
    ----------
    folder
        The zoo's folder.

    Examples
    --------
    >>> verify_zoo(wsbench.zoo_folder("digits-mlp-v1"))  # doctest: +SKIP
    []
    """
    faults = _file_faults(folder)
    try:
        attributes, columns = read_arrays(folder / ZOO_FILE)
    except FormatError as error:
        return [*faults, *(f"{ZOO_FILE}: {fault}" for fault in error.faults)]
    except WsbenchError as error:
        return [*faults, str(error)]
    faults += [f"{ZOO_FILE}: {fault}" for fault in value_faults(columns, attributes)]
    faults += _digest_faults(attributes, content_digest(columns, attributes["recipe"]))
    try:
        read_probe(folder / PROBE_FILE)
    except WsbenchError as error:
        faults.append(str(error))
    return faults


def _file_faults(folder: Path) -> list[str]:
    path = folder / MANIFEST_FILE
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        expected = {str(name): str(entry["sha256"]) for name, entry in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return [f"{path}: missing or not a manifest: {error}"]
    faults = []
    for name, sha256 in expected.items():
        file = folder / Path(name).name
        if not file.is_file():
            faults.append(f"{file}: missing; the manifest names it")
        elif (found := file_sha256(file)) != sha256:
            faults.append(f"{file}: sha256 {found[:12]}…, the manifest says {sha256[:12]}…")
    return faults


def _digest_faults(attributes: dict[str, Any], digest: str) -> list[str]:
    faults = []
    if digest != attributes["content_digest"]:
        faults.append(
            f"{ZOO_FILE}: the arrays have the digest {digest[:19]}…, but were written with"
            f" {attributes['content_digest'][:19]}…"
        )
    published = published_zoos().get(attributes["id"])
    if published and digest != published.content_digest:
        faults.append(
            f"{ZOO_FILE}: digest {digest[:19]}… is not the one that {attributes['id']} was"
            f" published with, {published.content_digest[:19]}…"
        )
    return faults
