"""Whether a zoo's files are as they were written: manifest, probe inputs, content digest.

Each function returns every fault, one line each, and nothing if all is right.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wsbench.errors import WsbenchError
from wsbench.zoo.digest import file_sha256
from wsbench.zoo.schema import FORMAT, MANIFEST_FILE, PROBE_FILE, ZOO_FILE
from wsbench.zoo.zoo import read_probe


def manifest_faults(folder: Path) -> list[str]:
    """Hold the files against the manifest."""
    manifest = _manifest(folder)
    if manifest is None:
        return [f"{MANIFEST_FILE}: missing or not a manifest"]
    files = manifest["files"]
    faults = [
        f"{MANIFEST_FILE}: does not name {n}" for n in (ZOO_FILE, PROBE_FILE) if n not in files
    ]
    if manifest.get("format") != FORMAT:
        faults.append(f"{MANIFEST_FILE}: format {manifest.get('format')!r}, expected {FORMAT}")
    for name, expected in files.items():
        file = folder / Path(name).name
        if not file.is_file():
            faults.append(f"{name}: missing; the manifest names it")
            continue
        found = {"bytes": file.stat().st_size, "sha256": file_sha256(file)}
        if found != expected:
            faults.append(f"{name}: got {found}, the manifest says {expected}")
    return faults


def _manifest(folder: Path) -> dict[str, Any] | None:
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    whole = isinstance(manifest, dict) and isinstance(manifest.get("files"), dict)
    return manifest if whole else None


def probe_faults(folder: Path) -> list[str]:
    """Try to read the probe inputs."""
    try:
        read_probe(folder / PROBE_FILE)
    except WsbenchError as error:
        return [str(error)]
    return []


def digest_faults(folder: Path, attributes: Mapping[str, Any], digest: str) -> list[str]:
    """Hold the arrays' digest against what ``zoo.h5`` and the manifest say."""
    faults = []
    if digest != attributes["content_digest"]:
        faults.append(
            f"the arrays have the digest {digest[:19]}…, but were written with"
            f" {attributes['content_digest'][:19]}…"
        )
    for key in ("id", "content_digest"):
        said = (_manifest(folder) or attributes).get(key)
        if said != attributes[key]:
            faults.append(f"{key} {attributes[key]!r}, the manifest says {said!r}")
    return faults
