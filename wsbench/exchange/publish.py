"""Publish: a verified zoo to a folder or the Hugging Face Hub, fetched again before it counts."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from wsbench.errors import FormatError, IntegrityError, TransferError
from wsbench.exchange.download import download_zoo, is_offline
from wsbench.exchange.mirror import HUB
from wsbench.storage.atomic import atomic_folder
from wsbench.zoo.cache import find_zoo
from wsbench.zoo.manifest import FileEntry, file_entries
from wsbench.zoo.schema import FOLDER_FILES, ZOO_FILE
from wsbench.zoo.verification.verify import verify_zoo
from wsbench.zoo.zoo import read_attributes


@dataclass(frozen=True)
class Publication:
    """The files of a published zoo, and where they are.

    Attributes
    ----------
    zoo_id, content_digest
        Of the zoo.
    target
        Its folder, or its address on the Hub.
    files
        By name.
    is_done
        Whether they are there and were fetched again; False for a rehearsal.
    """

    zoo_id: str
    content_digest: str
    target: str
    files: dict[str, FileEntry]
    is_done: bool


def publish_zoo(zoo: str | Path, to: str, *, dry_run: bool = False) -> Publication:
    """Put a zoo where others can fetch it.

    It is verified first: a zoo whose files or claims do not hold is not published. Then it is
    fetched again from there, and compared.

    Parameters
    ----------
    zoo
        Id of a zoo on this machine, or its folder.
    to
        A folder of zoos, or ``hf://datasets/OWNER/NAME``, a repository of its own for this zoo.
        There it gets a tag named by the id. The token is that of huggingface_hub: ``HF_TOKEN``, or
        ``hf auth login``.
    dry_run
        Only verify, and say what would go where.

    Raises
    ------
    IntegrityError
        If the zoo does not hold what it claims, or what is fetched again differs.
    FormatError
        If another zoo of this id is there.
    TransferError
        If the Hub refuses or cannot be reached.
    StorageError
        If the folder cannot be written.
    """
    folder = find_zoo(zoo)
    folder = folder.parent if folder.name == ZOO_FILE else folder
    verification = verify_zoo(folder)
    if verification.failed:
        first = verification.failed[0]
        raise IntegrityError(
            f"{folder}: not published: {first.name}: {first.findings[0]}; see wsbench verify"
        )
    attributes = read_attributes(folder)
    zoo_id, digest = str(attributes["id"]), str(attributes["content_digest"])
    is_hub = to.startswith(HUB)
    target = to if is_hub else str(Path(to).resolve() / zoo_id)
    entries = file_entries(folder)
    files = {name: entries[name] for name in FOLDER_FILES}
    if not dry_run:
        if is_hub:
            _upload(folder, to.removeprefix(HUB).strip("/"), zoo_id)
        else:
            _copy(folder, Path(target), digest)
        _fetch_again(zoo_id, to, digest)
    return Publication(zoo_id, digest, target, files, not dry_run)


def _copy(folder: Path, target: Path, digest: str) -> None:
    if (target / ZOO_FILE).exists() and read_attributes(target)["content_digest"] != digest:
        raise FormatError(
            f"{target}: holds another zoo of this id; a published zoo is never changed, publish"
            " under a new version"
        )
    with atomic_folder(target) as temporary:
        for name in FOLDER_FILES:
            shutil.copyfile(folder / name, temporary / name)


def _upload(folder: Path, repository: str, zoo_id: str) -> None:
    """Upload the files in one commit, and tag it with the id."""
    if is_offline():
        raise TransferError(f"WSBENCH_OFFLINE is set, so {zoo_id} is not published")
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    api = HfApi()
    try:
        api.create_repo(repository, repo_type="dataset", exist_ok=True)
        api.upload_folder(
            repo_id=repository, folder_path=folder, repo_type="dataset",
            allow_patterns=list(FOLDER_FILES), commit_message=f"{zoo_id}",
        )  # fmt: skip
        api.create_tag(repository, tag=zoo_id, repo_type="dataset", exist_ok=True)
    except HFValidationError as error:
        raise TransferError(f"{HUB}{repository}: {error}; give {HUB}OWNER/NAME") from None
    except (HfHubHTTPError, OSError) as error:
        reason = " ".join(str(error).split())
        raise TransferError(
            f"{HUB}{repository}: the Hub refuses: {reason:.200}; is HF_TOKEN set, and may it write?"
        ) from None


def _fetch_again(zoo_id: str, target: str, digest: str) -> None:
    """Raise `IntegrityError` unless the published zoo can be fetched and is the same."""
    with tempfile.TemporaryDirectory() as temporary:
        fetched = download_zoo(zoo_id, target, out=Path(temporary) / zoo_id)
        found = read_attributes(fetched)["content_digest"]
    if found != digest:
        raise IntegrityError(f"{target}: what is fetched has {found:.19}…, not {digest:.19}…")
