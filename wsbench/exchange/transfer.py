"""Transfer: one file from an address, resumed after an interruption, and checked before it counts.

The bytes go to a file beside the target. Only when its sha256 is the expected one does it get the
target's name, so no reader meets a part of a file, or the page of an error.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from wsbench.errors import IntegrityError, TransferError, escaped
from wsbench.storage.atomic import explain_storage_errors, sync
from wsbench.zoo.digest import file_sha256

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

Report = Callable[[int], None]  # takes the number of new bytes; negative if some did not count

_BLOCK = 1 << 18
_ATTEMPTS = 5  # in a row without a new byte
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_TIMEOUT_S = 30.0  # to connect, and for each block
_REDIRECTS = 5
_AGAIN = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Expected:
    """What a file must be.

    Attributes
    ----------
    bytes
        Its size; None if unknown.
    sha256
        None if unknown.
    most
        The largest size that is read at all.
    """

    bytes: int | None = None
    sha256: str | None = None
    most: int = 1 << 40


class _InterruptedError(Exception):
    """A transfer stopped before its end; the message says why. What arrived is kept."""


def fetch(
    url: str,
    target: Path,
    expected: Expected,
    *,
    report: Report | None = None,
    timeout_s: float = _TIMEOUT_S,
    first_pause_s: float = _FIRST_PAUSE_S,
) -> None:
    """Transfer a file.

    Parameters
    ----------
    url
        ``https://``, ``http://`` or ``file://``.
    target
        Where it goes. A file of this name stays what it is until the new one is whole.
    expected
        What it must be.
    report
        Told how many bytes have arrived.
    timeout_s
        Seconds to connect, and for each block.
    first_pause_s
        Seconds before the second attempt; each pause is twice the one before.

    Raises
    ------
    TransferError
        If the server refuses, cannot be reached, or stops in the middle again and again. What has
        arrived is kept, and the same call goes on from there.
    IntegrityError
        If the bytes are others than expected. They are removed.
    StorageError
        If they cannot be written, or do not fit on the disk.
    """
    part = target.with_name(f".{target.name}.part")
    report = report or (lambda n: None)
    with explain_storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _expect_room(target, expected, part)
        if url.startswith("file://"):
            _copy(url, part, expected, report)
        else:
            report(_size(part))
            _attempt(url, part, expected, report, timeout_s, first_pause_s)
        _expect_content(url, part, expected, report)
        sync(part)
        part.replace(target)


def _attempt(
    url: str, part: Path, expected: Expected, report: Report, timeout_s: float, pause_s: float
) -> None:
    """Ask for the rest of a file until it is there."""
    failures = 0
    while True:
        before = _size(part)
        try:
            _receive(url, part, expected, report, timeout_s)
        except _InterruptedError as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= _ATTEMPTS:
                raise TransferError(
                    f"{url}: {error}, {failures} times in a row; the same command goes on from"
                    f" {_size(part):,} bytes"
                ) from None
            time.sleep(min(pause_s * 2 ** (failures - 1), _LONGEST_PAUSE_S))
        else:
            return


def _receive(url: str, part: Path, expected: Expected, report: Report, timeout_s: float) -> None:
    """Append what one response holds; raise `_InterruptedError` if it is not the whole rest."""
    there = _size(part)
    if expected.bytes is not None and there >= expected.bytes:
        return
    with _response(url, there, timeout_s) as response:
        if response.status == 416 or (response.status == 206 and not _continues(response, there)):
            report(-there)
            part.unlink(missing_ok=True)
            raise _InterruptedError("the server has no such part of the file")
        if response.status not in (200, 206):
            reason = f"the server answers {response.status} {response.reason or ''}".rstrip()
            if response.status in _AGAIN:
                raise _InterruptedError(reason)
            raise TransferError(f"{url}: {reason}; check the address")
        if response.status == 200 and there:  # it does not know of parts
            report(-there)
            there = 0
        _append(url, response, part, there, expected, report)
    if expected.bytes is not None and _size(part) < expected.bytes:
        raise _InterruptedError(
            f"the connection ended after {_size(part):,} of {expected.bytes:,} bytes"
        )


def _append(
    url: str,
    response: "BaseHTTPResponse",
    part: Path,
    there: int,
    expected: Expected,
    report: Report,
) -> None:
    most = expected.bytes if expected.bytes is not None else expected.most
    with part.open("r+b" if there else "wb") as file, _interruptions():
        file.seek(there)
        for block in response.stream(_BLOCK, decode_content=False):
            there += len(block)
            if there > most:
                report(len(block) - there)
                file.close()
                part.unlink()
                raise IntegrityError(f"{url}: sends more than {most:,} bytes; nothing is kept")
            file.write(block)
            report(len(block))


@contextmanager
def _response(url: str, there: int, timeout_s: float) -> Iterator["BaseHTTPResponse"]:
    """Ask for a file from a byte on."""
    import urllib3

    headers = {"Accept-Encoding": "identity", "User-Agent": "wsbench"}
    if there:
        headers["Range"] = f"bytes={there}-"
    redirects = urllib3.Retry(connect=0, read=0, status=0, other=0, redirect=_REDIRECTS)
    with urllib3.PoolManager(timeout=timeout_s, retries=redirects) as pool:
        with _interruptions():
            response: Any = pool.request("GET", url, headers=headers, preload_content=False)
        try:
            yield response
        finally:
            response.close()


@contextmanager
def _interruptions() -> Iterator[None]:
    """Raise `_InterruptedError` where a connection fails, and `TransferError` where none can be."""
    import urllib3.exceptions as errors

    try:
        yield
    except errors.LocationValueError as error:
        raise TransferError(f"{escaped(str(error))}; give an address like https://…") from None
    except errors.MaxRetryError as error:
        if isinstance(error.reason, errors.ResponseError):  # too many redirects
            raise TransferError(
                f"{error.url}: redirects more than {_REDIRECTS} times; check the address"
            ) from None
        raise _InterruptedError(f"no connection ({type(error.reason).__name__})") from None
    except errors.HTTPError as error:
        raise _InterruptedError(f"the connection failed ({type(error).__name__})") from None


def _continues(response: "BaseHTTPResponse", there: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {there}-")


def _copy(url: str, part: Path, expected: Expected, report: Report) -> None:
    """Copy a file of this machine."""
    source = Path(unquote(urlsplit(url).path))
    try:
        size = source.stat().st_size
        if not source.is_file():
            raise TransferError(f"{source}: not a file; give the folder that holds zoos")
        if size > expected.most:
            raise IntegrityError(f"{source}: {size:,} bytes, at most {expected.most:,} are read")
        with source.open("rb") as original, part.open("wb") as copy:
            shutil.copyfileobj(original, copy, _BLOCK)
    except FileNotFoundError:
        raise TransferError(f"{source}: no such file; check the address") from None
    report(size)


def _expect_content(url: str, part: Path, expected: Expected, report: Report) -> None:
    """Remove a file that is not the expected one, and raise `IntegrityError`."""
    size = _size(part)
    if expected.bytes is not None and size != expected.bytes:
        fault = f"{size:,} bytes, expected {expected.bytes:,}"
    elif expected.sha256 is not None and (found := file_sha256(part)) != expected.sha256:
        fault = f"sha256 {found[:12]}…, expected {expected.sha256[:12]}…"
    else:
        return
    with part.open("rb") as file:
        is_page = file.read(200).lstrip()[:1] == b"<"
    report(-size)
    part.unlink()
    page = ", and begins like a web page" if is_page else ""
    raise IntegrityError(f"{url}: got {fault}{page}; nothing is kept, try another mirror")


def _expect_room(target: Path, expected: Expected, part: Path) -> None:
    """Raise `OSError` if the file does not fit on the disk."""
    needed = (expected.bytes or 0) - _size(part)
    free = shutil.disk_usage(target.parent).free
    if needed > free:
        raise OSError(f"{needed:,} bytes are needed and {free:,} are free")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
