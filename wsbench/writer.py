"""Writing a zoo's folder, block by block, so that its size never has to fit in memory."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.digest import StreamedDigest, file_sha256
from wsbench.files import folder_written_whole
from wsbench.layout import Layout
from wsbench.schema import COLUMNS, FORMAT, MANIFEST_FILE, PROBE_FILE, ZOO_FILE

Columns = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class ZooHeader:
    """What a zoo says about itself: the root attributes of ``zoo.h5`` but for its digest."""

    id: str
    recipe: str
    layout: Layout
    license: str
    created_by: str


def write_zoo(
    folder: Path,
    header: ZooHeader,
    blocks: Iterable[Columns],
    probe_inputs: npt.NDArray[np.float32],
) -> str:
    """Write a zoo to ``folder``, all or nothing, and return its content digest.

    Parameters
    ----------
    folder
        Replaced as a whole if it is there.
    header
        What the zoo says about itself.
    blocks
        The zoo's rows in order: mappings from each column's name to some rows of it, at least one
        whole model each.
    probe_inputs
        ``(n_inputs, …)`` float32.

    Raises
    ------
    StorageError
        If the disk is full or the folder cannot be written.
    """
    with folder_written_whole(folder) as temporary:
        digest = _write_h5(temporary / ZOO_FILE, header, blocks)
        np.savez_compressed(temporary / PROBE_FILE, inputs=probe_inputs)
        _write_manifest(temporary, header.id, digest)
    return digest


def _write_h5(path: Path, header: ZooHeader, blocks: Iterable[Columns]) -> str:
    import h5py

    with h5py.File(path, "w") as file:
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
        digest = _digest(file, columns, header.recipe)
        file.attrs.update(
            format=FORMAT,
            id=header.id,
            recipe=header.recipe,
            layout=header.layout.to_json(),
            content_digest=digest,
            created_by=header.created_by,
            license=header.license,
        )
    return digest


def _append(file: Any, weights: npt.NDArray[np.float32]) -> None:
    """Append rows to the weights; shuffle and gzip 1 leave .86 of their size, gzip 4 leaves .84."""
    n, p = weights.shape
    if "weights" not in file:
        file.create_dataset(
            "weights", (0, p), "<f4", maxshape=(None, p), chunks=(n, p), compression=1, shuffle=True
        )
    dataset = file["weights"]
    dataset.resize(len(dataset) + n, axis=0)
    dataset[-n:] = weights


def _digest(file: Any, columns: Columns, recipe: str) -> str:
    """Compute the content digest from the file itself: what was written is what is vouched for."""
    digest = StreamedDigest()
    for name in sorted([*columns, "weights"]):
        dataset = file[name]
        digest.begin(name, dataset.dtype, dataset.shape)
        rows = dataset.chunks[0]
        for start in range(0, len(dataset), rows):
            digest.add(dataset[start : start + rows])
    return digest.finish(recipe)


def _write_manifest(folder: Path, zoo_id: str, digest: str) -> None:
    files = {
        file.name: {"bytes": file.stat().st_size, "sha256": file_sha256(file)}
        for file in sorted(folder.iterdir())
    }
    manifest = {"format": FORMAT, "id": zoo_id, "content_digest": digest, "files": files}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=2) + "\n")
