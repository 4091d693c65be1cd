"""Atomic writes: a file or folder is there whole, or not at all."""

import logging
import os
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from wsbench.errors import StorageError

_log = logging.getLogger("wsbench")


@contextmanager
def explain_storage_errors(path: Path) -> Iterator[None]:
    """Raise `StorageError` where the operating system refuses to write below ``path``."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"{path}: cannot write: {reason}; free some space or choose another folder, for"
            " instance with WSBENCH_HOME"
        ) from error


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; if the block succeeds, sync and rename it.

    If the block fails, the temporary file is removed and ``path`` is unchanged.

    Raises
    ------
    StorageError
        If the folder cannot be written to or the disk is full.
    """
    with explain_storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary_name(path)
        try:
            yield temporary
            sync(temporary)
            temporary.replace(path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def expect_writable(folder: Path) -> None:
    """Make a folder, write to it and remove what was written; raise `StorageError` if it fails.

    Work of hours can be refused before it is done.
    """
    with explain_storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        temporary = _temporary_name(folder / "test")
        try:
            temporary.write_bytes(b"written")
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; if the block succeeds, put it in its place.

    An existing folder is replaced as a whole, or is unchanged if the block fails.

    Raises
    ------
    StorageError
        If the folder cannot be written to or the disk is full.
    """
    with explain_storage_errors(path):
        temporary = _temporary_name(path)
        temporary.mkdir(parents=True)
        try:
            yield temporary
            for file in temporary.iterdir():
                sync(file)
            sync(temporary)
            _exchange(temporary, path)
            sync(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _exchange(temporary: Path, path: Path) -> None:
    if not path.exists():
        temporary.rename(path)
        return
    old = _temporary_name(path)
    path.rename(old)
    try:
        temporary.rename(path)
    except BaseException:
        old.rename(path)
        raise
    shutil.rmtree(old)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder's lock. A second process waits, and logs which process holds it.

    The lock is the system's: it ends with its process, even with a killed one.

    Raises
    ------
    StorageError
        If the lock cannot be written beside the folder.
    """
    if not folder.name:
        raise StorageError(f"{folder}: has no folder above it; choose another folder")
    lock = FileLock(folder.with_name(f".{folder.name}.lock"))
    holder = folder.with_name(f".{folder.name}.holder")
    with explain_storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            other = holder.read_text() if holder.exists() else "another process"
            _log.warning("%s: %s is at work on it; waiting for it to end", folder, other)
            lock.acquire()
    try:
        with explain_storage_errors(folder):
            holder.write_text(f"process {os.getpid()} on {socket.gethostname()}")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")


def sync(path: Path) -> None:
    """Ask the system to put a file or folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
