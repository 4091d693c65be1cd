"""Regular files: untrusted files are read without waiting and within bounds.

Opening a pipe waits for its writer, and a device may never end.
"""

from pathlib import Path

from wsbench.errors import FormatError


def refuse_irregular(path: Path) -> None:
    """Raise `FormatError` if ``path`` exists and is not a regular file."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe, socket or device"
        raise FormatError(f"{path}: is {kind}, expected a regular file")


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of a regular file.

    Raises
    ------
    FormatError
        If it is a folder, pipe or device, or has more than `max_bytes`.
    OSError
        As ``open`` does.
    """
    refuse_irregular(path)
    with path.open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise FormatError(f"{path}: has more than the {max_bytes:,} bytes that are allowed")
    return data
