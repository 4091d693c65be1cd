"""Streams of the command line, of any encoding, and closed ones."""

import codecs
import io
import os
import sys

from wsbench.errors import StorageError

_PLAIN = {"–": "-", "…": "...", "³": "3", "≥": ">=", "×": "x"}


def prepare_streams() -> None:
    """Let stdout and stderr take any text, and give a closed stdin or stderr a device instead.

    Otherwise the next file that is opened would get the number of a closed stream, and a library
    that complains on it would write into that file.

    Raises
    ------
    StorageError
        If stdout is closed: results could not be shown.
    """
    for number, mode in ((0, os.O_RDONLY), (2, os.O_WRONLY)):
        if not _is_open(number):
            device = os.open(os.devnull, mode)
            if device != number:
                os.dup2(device, number)
                os.close(device)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        raise StorageError("stdout is closed, and results are printed there; use > /dev/null")
    codecs.register_error("wsbench", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="wsbench")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Return substitutes for characters that the encoding of a stream lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    texts = (_PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in missing)
    return "".join(texts), error.end
