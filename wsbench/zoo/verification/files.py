"""Checks of a zoo's files: manifest, probe inputs, content digest.

Each function returns every fault, one line each.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsbench.errors import FormatError, WsbenchError
from wsbench.storage.strict_json import shown
from wsbench.zoo.digest import file_sha256
from wsbench.zoo.manifest import FileEntry, read_manifest
from wsbench.zoo.schema import FORMAT, MANIFEST_FILE, PROBE_FILE, ZOO_FILE
from wsbench.zoo.zoo import read_probe


def manifest_faults(folder: Path) -> list[str]:
    """Compare the files with the manifest."""
    try:
        manifest = read_manifest(folder)
    except FormatError as error:
        return [str(error)]
    files = manifest.files
    faults = [
        f"{MANIFEST_FILE}: does not name {n}" for n in (ZOO_FILE, PROBE_FILE) if n not in files
    ]
    if manifest.format != FORMAT:
        faults.append(f"{MANIFEST_FILE}: format {manifest.format}, expected {FORMAT}")
    for name, expected in files.items():
        file = folder / name
        if name != Path(name).name:
            faults.append(f"{MANIFEST_FILE}: {shown(name)} is not a file name")
        elif not file.is_file():
            problem = "not a regular file" if file.exists() else "missing"
            faults.append(f"{name}: {problem}; the manifest names it")
        elif (found := FileEntry(file.stat().st_size, file_sha256(file))) != expected:
            faults.append(f"{name}: got {_line(found)}, the manifest says {_line(expected)}")
    return faults


def _line(entry: FileEntry) -> str:
    return f"{entry.bytes:,} bytes with sha256 {entry.sha256[:12]}…"


def probe_faults(folder: Path) -> list[str]:
    """Try to read the probe inputs."""
    try:
        read_probe(folder / PROBE_FILE)
    except WsbenchError as error:
        return [str(error)]
    return []


def digest_faults(folder: Path, attributes: Mapping[str, Any], digest: str) -> list[str]:
    """Compare the arrays' digest with those in ``zoo.h5`` and in the manifest."""
    faults = []
    if digest != attributes["content_digest"]:
        faults.append(
            f"the arrays have the digest {digest[:19]}…, but were written with"
            f" {attributes['content_digest'][:19]}…"
        )
    try:
        manifest = read_manifest(folder)
    except FormatError:
        return faults  # `manifest_faults` reports it
    for key in ("id", "content_digest"):
        said = getattr(manifest, key)
        if said != attributes[key]:
            faults.append(f"{key} {attributes[key]!r}, the manifest says {shown(said)}")
    return faults
