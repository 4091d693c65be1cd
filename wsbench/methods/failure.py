"""Failures of methods: place and remedy, in a line."""

import re
import sysconfig
from pathlib import Path

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_OURS = str(Path(__file__).parents[1])
_PACKAGES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))


def summary(report: str) -> str:
    r"""Return the error of a report, and the line of the method's own code that it comes from.

    Examples
    --------
    >>> summary('  File "my_method.py", line 3, in f\n    1 / 0\nZeroDivisionError: by zero')
    'ZeroDivisionError: by zero (my_method.py, line 3)'
    """
    last = _last_line(report)
    found = _place(report)
    return last if found is None else f"{last} ({Path(found[0]).name}, line {found[1]})"


def advice(report: str) -> str:
    r"""Return what to do about a failed method, in a line.

    Examples
    --------
    >>> advice('  File "my_method.py", line 3, in f\n    1 / 0\nZeroDivisionError: by zero')
    'mend my_method.py, line 3; --in-process lets a debugger stop there'
    """
    last, found = _last_line(report), _place(report)
    if "gave no answer to" in last:
        return "give it more time with --timeout, or see where it waits with --in-process"
    if last.startswith(("MemoryError", "numpy._core._exceptions._ArrayMemoryError")):
        return "give it more memory with --memory, or let it hold fewer rows at once"
    if found is not None:
        return f"mend {found[0]}, line {found[1]}; --in-process lets a debugger stop there"
    if last.startswith("the method's process"):
        return "see where it ends with python -X faulthandler -m wsbench … --in-process"
    return "see the whole report in its record"


def _last_line(report: str) -> str:
    return " ".join(_trace(report).rpartition("\n")[2].split())


def _trace(report: str) -> str:
    return report.partition("\n\nIt printed:\n")[0].strip()


def _place(report: str) -> tuple[str, str] | None:
    """Return file and line of the method's own code; of a package only if there is none."""
    frames = [found for found in _FRAME.findall(_trace(report)) if found[0][:1] != "<"]
    frames = [found for found in frames if not found[0].startswith(_OURS)]
    own = [found for found in frames if not found[0].startswith(_PACKAGES)] or frames
    return own[-1] if own else None
