"""Digests: the identity of a zoo's content, of its layout and probe inputs, and of a file."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.networks.layout import Layout
from wsbench.typing import Floats


class StreamedDigest:
    """The content digest of a zoo whose columns come in pieces, by ascending name."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def begin(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        """Begin a column."""
        self._sha.update(f"{name}\n{dtype.newbyteorder('<').str}\n{shape}\n".encode())

    def add(self, rows: npt.NDArray[Any]) -> None:
        """Add the column's next rows."""
        little = np.ascontiguousarray(rows, rows.dtype.newbyteorder("<"))
        self._sha.update(little.data if little.size else b"")

    def finish(self, recipe: str) -> str:
        """Add the recipe's text and return ``sha256:…``."""
        self._sha.update(f"recipe\n{recipe}".encode())
        return f"sha256:{self._sha.hexdigest()}"


def content_digest(columns: Mapping[str, npt.NDArray[Any]], recipe: str) -> str:
    """Return the identity of a zoo: ``sha256:…`` over its columns and its recipe.

    Hashed are, for each column by ascending name, its name, dtype, shape and little-endian C-order
    bytes, then the recipe's text; HDF5's own bytes, which change between its releases, are not.

    Parameters
    ----------
    columns
        The arrays of ``zoo.h5``, of any byte order.
    recipe
        The TOML text.
    """
    digest = StreamedDigest()
    for name in sorted(columns):
        array = np.asarray(columns[name])
        digest.begin(name, array.dtype, array.shape)
        digest.add(array)
    return digest.finish(recipe)


def digest_of_file(file: Any, recipe: str) -> str:
    """Return the `content_digest` of an open ``zoo.h5``, read in pieces: it may be of any size."""
    digest = StreamedDigest()
    for name in sorted(file):
        dataset = file[name]
        digest.begin(name, dataset.dtype, dataset.shape)
        rows = (dataset.chunks or dataset.shape)[0]
        for start in range(0, len(dataset), rows):
            digest.add(dataset[start : start + rows])
    return digest.finish(recipe)


def layout_sha256(layout: Layout) -> str:
    """Return the digest of a layout: ``sha256:…`` over its JSON text."""
    return f"sha256:{hashlib.sha256(layout.to_json().encode()).hexdigest()}"


def probe_sha256(probe_inputs: Floats) -> str:
    """Return the digest of probe inputs: ``sha256:…`` over their shape and their bytes."""
    sha = hashlib.sha256(f"{probe_inputs.shape}\n".encode())
    sha.update(np.ascontiguousarray(probe_inputs, "<f4").data)
    return f"sha256:{sha.hexdigest()}"


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
