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
    that complains on it would write into that file. A stderr on a full disk ends no run.

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
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        encoding = sys.stderr.encoding if sys.stderr else "utf-8"
        file = open(2, "wb", closefd=False)  # noqa: SIM115
        sys.stderr = _Stderr(file, encoding, line_buffering=True)
    if sys.stdout is None:
        raise StorageError("stdout is closed, and results are printed there; use > /dev/null")
    codecs.register_error("wsbench", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="wsbench")


class _Stderr(io.TextIOWrapper):
    """A stderr that goes nowhere from the first line on that cannot be written."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            self._give_up()
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            self._give_up()

    def _give_up(self) -> None:
        """Exchange the file for a device that takes what is buffered, and all that follows."""
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)


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
