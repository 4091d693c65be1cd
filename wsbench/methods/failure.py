"""Failures of methods, told in a line."""

import re
from pathlib import Path

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_OURS = str(Path(__file__).parents[1])


def summary(report: str) -> str:
    r"""Return the error of a report, and the line of the method's own code that it comes from.

    Examples
    --------
    >>> summary('  File "my_method.py", line 3, in f\n    1 / 0\nZeroDivisionError: by zero')
    'ZeroDivisionError: by zero (my_method.py, line 3)'
    """
    trace = report.partition("\n\nIt printed:\n")[0].strip()
    last = " ".join(trace.rpartition("\n")[2].split())
    frames = [match for match in _FRAME.findall(trace) if not match[0].startswith((_OURS, "<"))]
    if not frames:
        return last
    file, line = frames[-1]
    return f"{last} ({Path(file).name}, line {line})"
