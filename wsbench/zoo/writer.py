"""Zoo writer: a folder, block by block, so that its size never has to fit in memory."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.errors import FormatError, StorageError
from wsbench.storage.atomic import atomic_folder
from wsbench.storage.hdf5 import create_hdf5, set_attributes
from wsbench.storage.npz import pack
from wsbench.typing import Columns, Floats
from wsbench.zoo.card import card
from wsbench.zoo.croissant import croissant
from wsbench.zoo.digest import digest_of_file
from wsbench.zoo.manifest import file_entries, write_manifest
from wsbench.zoo.metadata import ZooMetadata
from wsbench.zoo.schema import (
    CARD_FILE,
    COLUMNS,
    CROISSANT_FILE,
    FOLDER_FILES,
    FORMAT,
    PROBE_FILE,
    ZOO_FILE,
)
from wsbench.zoo.validation import metadata_faults


def write_zoo(
    folder: Path,
    metadata: ZooMetadata,
    blocks: Iterable[Columns],
    probe_inputs: Floats,
) -> str:
    """Write a zoo to ``folder``, all or nothing, and return its content digest.

    Parameters
    ----------
    folder
        Replaced as a whole if it is there and holds a zoo, or nothing.
    metadata
        The zoo's metadata.
    blocks
        The zoo's rows in order: mappings from each column's name to some rows of it, at least one
        whole model each.
    probe_inputs
        ``(n_inputs, …)`` float32.

    Raises
    ------
    FormatError
        If the id or another text of the metadata is not allowed in a zoo.
    StorageError
        If the disk is full, the folder cannot be written, or it holds other things than a zoo.
    """
    if faults := metadata_faults(metadata.texts()):
        raise FormatError(f"{folder}: {faults[0]}", faults)
    refuse_to_replace_others(folder)
    with atomic_folder(folder) as temporary:
        digest, columns = _write_h5_apart(temporary / ZOO_FILE, metadata, blocks)
        (temporary / PROBE_FILE).write_bytes(pack({"inputs": probe_inputs}))
        _write_text(temporary / CARD_FILE, card(metadata, columns, digest))
        description = croissant(metadata, digest, file_entries(temporary))
        _write_text(temporary / CROISSANT_FILE, description)
        write_manifest(temporary, metadata.id, digest)
    return digest


def refuse_to_replace_others(folder: Path) -> None:
    """Raise `StorageError` if writing a zoo to ``folder`` would delete files of another kind."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise StorageError(f"{folder}: is a file, but a zoo is a folder; choose another name")
    found = {path.name for path in folder.iterdir()}
    others = sorted(found - set(FOLDER_FILES) if ZOO_FILE in found else found)
    if others:
        raise StorageError(
            f"{folder}: holds other things than a zoo ({others[0]}), which would be deleted;"
            " choose another folder"
        )


def _write_h5_apart(
    path: Path, metadata: ZooMetadata, blocks: Iterable[Columns]
) -> tuple[str, Columns]:
    """Call `_write_h5` in another thread: Python handles signals in the main one only.

    HDF5 writes through Python calls, in which h5py loses a KeyboardInterrupt together with the data
    of the call: 5 of 10 Ctrl-C in the main thread were lost.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(1) as apart:
        written = apart.submit(_write_h5, path, metadata, _until(stop, blocks))
        try:
            return written.result()
        finally:
            stop.set()


def _until(stop: threading.Event, blocks: Iterable[Columns]) -> Iterator[Columns]:
    for block in blocks:
        if stop.is_set():
            raise CancelledError
        yield block


def _write_h5(path: Path, metadata: ZooMetadata, blocks: Iterable[Columns]) -> tuple[str, Columns]:
    """Write ``zoo.h5``; return its content digest and its columns, except the weights."""
    with create_hdf5(path) as file:
        small: dict[str, list[npt.NDArray[Any]]] = {c.name: [] for c in COLUMNS if c.axes == "n"}
        for block in blocks:
            _append(file, block["weights"])
            for name, parts in small.items():
                parts.append(block[name])
        columns = {name: np.concatenate(parts) for name, parts in small.items()}
        for column in COLUMNS:
            if column.axes == "n":
                data = columns[column.name].astype(column.dtype, casting="equiv")
                file.create_dataset(column.name, data=data, compression="gzip", shuffle=True)
        digest = digest_of_file(file, metadata.recipe)  # of the file, not of the arrays in memory
        attributes: dict[str, str | int] = {
            "format": FORMAT,
            "content_digest": digest,
            **metadata.texts(),
        }
        set_attributes(file, attributes)
    return digest, columns


def _append(file: Any, weights: Floats) -> None:
    """Append rows to the weights; shuffle and gzip 1 leave .86 of their size, gzip 4 leaves .84."""
    n, p = weights.shape
    if "weights" not in file:
        file.create_dataset(
            "weights", (0, p), "<f4", maxshape=(None, p), chunks=(n, p), compression=1, shuffle=True
        )
    dataset = file["weights"]
    dataset.resize(len(dataset) + n, axis=0)
    dataset[-n:] = weights


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
