"""Download: a published zoo from a mirror into the cache, whole and right, or not at all."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wsbench.errors import FormatError, IntegrityError, TransferError, WsbenchError
from wsbench.exchange.mirror import file_url, mirrors_of
from wsbench.exchange.transfer import Expected, fetch
from wsbench.storage.atomic import explain_storage_errors, folder_lock
from wsbench.zoo.cache import load_zoo, zoo_folder
from wsbench.zoo.digest import file_sha256
from wsbench.zoo.manifest import Manifest, read_manifest
from wsbench.zoo.providers import PublishedZoo, published_zoos
from wsbench.zoo.schema import FOLDER_FILES, MANIFEST_FILE, ZOO_FILE, id_faults
from wsbench.zoo.zoo import read_zoo

_FILES = frozenset(FOLDER_FILES) - {MANIFEST_FILE}
_MOST_MANIFEST_BYTES = 1_000_000


@dataclass(frozen=True)
class DownloadState:
    """Progress of a download: bytes in all, and bytes that have arrived."""

    n_bytes: int
    n_done: int


Progress = Callable[[DownloadState], None]


def is_offline() -> bool:
    """Whether ``WSBENCH_OFFLINE`` forbids to open a connection."""
    return os.environ.get("WSBENCH_OFFLINE", "") not in ("", "0")


def download_zoo(
    zoo_id: str,
    mirror: str | None = None,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Fetch a zoo and return its folder; nothing is done if it is there.

    An interrupted download goes on where it stopped. Two downloads of the same zoo take turns, and
    the second finds it done. No reader sees a zoo before all of its files are right: size and
    sha256 of each, and the content digest of a published zoo.

    Parameters
    ----------
    zoo_id
        Id of a zoo. One that no installed package publishes is checked against its own manifest.
    mirror
        A folder of zoos or its address, ``https://…``, ``file://…`` or ``hf://datasets/OWNER/NAME``;
        None for ``$WSBENCH_MIRROR`` and the zoo's own, in turn.
    out
        The zoo's folder; None for its place in `home`.
    progress
        Called as bytes arrive.

    Raises
    ------
    TransferError
        If no mirror is known or has the zoo, or ``WSBENCH_OFFLINE`` is set.
    IntegrityError, FormatError
        If all mirrors have other files than the published ones.
    StorageError
        If the files cannot be written.
    """
    if faults := id_faults(zoo_id):
        raise FormatError(f"zoo id: {faults[0]}")
    folder = (out or zoo_folder(zoo_id)).resolve()
    published = published_zoos().get(zoo_id)
    if _is_there(folder, zoo_id, published):
        return folder
    mirrors = mirrors_of(zoo_id, published, mirror)
    remote = [one for one in mirrors if "://" in one and not one.startswith("file://")]
    if remote and is_offline():
        raise TransferError(f"WSBENCH_OFFLINE is set, so {zoo_id} is not fetched from {remote[0]}")
    with folder_lock(folder):
        if _is_there(folder, zoo_id, published):
            return folder
        errors = []
        for one in mirrors:
            try:
                _download(zoo_id, one, folder, published, progress)
            except (TransferError, IntegrityError, FormatError) as error:
                errors.append(error)
            else:
                return folder
        raise errors[0]


def _is_there(folder: Path, zoo_id: str, published: PublishedZoo | None) -> bool:
    """Whether the right zoo is in a folder; raise `FormatError` if another is."""
    if not (folder / ZOO_FILE).exists():
        return False
    found = read_zoo(folder) if published is None else load_zoo(folder)
    if found.id != zoo_id or (published and found.content_digest != published.content_digest):
        raise FormatError(
            f"{folder}: holds another zoo, {found.id}; name another folder with --out"
        )
    return True


def _download(
    zoo_id: str,
    mirror: str,
    folder: Path,
    published: PublishedZoo | None,
    progress: Progress | None,
) -> None:
    """Fetch all files of a zoo beside its folder, then give them its name."""
    with explain_storage_errors(folder):
        parts = folder.with_name(f".{folder.name}.download")
        parts.mkdir(parents=True, exist_ok=True)
        url = file_url(mirror, zoo_id, MANIFEST_FILE)
        (parts / MANIFEST_FILE).unlink(missing_ok=True)
        fetch(url, parts / MANIFEST_FILE, Expected(most=_MOST_MANIFEST_BYTES))
        manifest = _checked_manifest(parts, url, zoo_id, published)
        total = sum(entry.bytes for entry in manifest.files.values())
        done = 0

        def report(n: int) -> None:
            nonlocal done
            done += n
            if progress:
                progress(DownloadState(total, done))

        for name, entry in manifest.files.items():
            target = parts / name
            if target.exists() and file_sha256(target) == entry.sha256:
                report(entry.bytes)  # of an interrupted download
                continue
            expected = Expected(entry.bytes, entry.sha256)
            fetch(file_url(mirror, zoo_id, name), target, expected, report=report)
        _expect_whole(parts, manifest)
        parts.rename(folder)


def _checked_manifest(
    parts: Path, url: str, zoo_id: str, published: PublishedZoo | None
) -> Manifest:
    """Return a manifest that lists the files of a zoo and nothing else."""
    try:
        manifest = read_manifest(parts)
        if set(manifest.files) != _FILES:
            raise FormatError(f"lists {sorted(manifest.files)!r:.200}, expected {sorted(_FILES)}")
    except FormatError as error:
        (parts / MANIFEST_FILE).unlink()
        raise FormatError(f"{url}: not the manifest of a zoo: {error}") from None
    expected = published.content_digest if published else manifest.content_digest
    if (manifest.id, manifest.content_digest) != (zoo_id, expected):
        (parts / MANIFEST_FILE).unlink()
        raise IntegrityError(
            f"{url}: is of {manifest.id!r:.60} with digest {manifest.content_digest!r:.20},"
            f" published is {zoo_id} with {expected:.19}…; try another mirror"
        )
    return manifest


def _expect_whole(parts: Path, manifest: Manifest) -> None:
    """Raise `IntegrityError` unless the zoo can be loaded and has the digest of its manifest."""
    try:
        found = load_zoo(parts)
        if found.content_digest != manifest.content_digest:
            raise IntegrityError(
                f"the digest is {found.content_digest:.19}…, its manifest says"
                f" {manifest.content_digest:.19}…"
            )
    except WsbenchError as error:
        shutil.rmtree(parts)
        raise IntegrityError(f"{manifest.id}: the mirror has another zoo: {error}") from None
