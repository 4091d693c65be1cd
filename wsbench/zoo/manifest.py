"""The manifest of a zoo: size and sha256 of each file in its folder."""

import json
from pathlib import Path
from typing import Annotated

import msgspec

from wsbench.errors import FormatError
from wsbench.storage.regular import read_bytes
from wsbench.storage.strict_json import read
from wsbench.zoo.digest import file_sha256
from wsbench.zoo.schema import FORMAT, MANIFEST_FILE

_MAX_BYTES = 1_000_000


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Size and sha256 of a file."""

    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of ``manifest.json``.

    Attributes
    ----------
    format
        Version of the zoo format.
    id, content_digest
        As in ``zoo.h5``.
    files
        By name, every other file of the folder.
    """

    format: int
    id: str
    content_digest: str
    files: dict[str, FileEntry]


def file_entries(folder: Path) -> dict[str, FileEntry]:
    """Return the entries of the files in a folder, by name."""
    return {
        file.name: FileEntry(file.stat().st_size, file_sha256(file))
        for file in sorted(folder.iterdir())
    }


def write_manifest(folder: Path, zoo_id: str, content_digest: str) -> None:
    """Write the manifest of a folder that holds all other files."""
    manifest = Manifest(FORMAT, zoo_id, content_digest, file_entries(folder))
    text = json.dumps(msgspec.to_builtins(manifest), indent=2) + "\n"
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8", newline="\n")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest in a folder; raise `FormatError` if it is missing or wrong."""
    path = folder / MANIFEST_FILE
    try:
        return read(read_bytes(path, _MAX_BYTES), Manifest)
    except FormatError:
        raise
    except FileNotFoundError:
        raise FormatError(f"{path}: missing; a zoo's folder holds a manifest") from None
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: not a manifest: {error}") from None
