"""Portable texts: specs and tracebacks without the folders of a machine."""

import re
from pathlib import Path

import wsbench.errors

_FRAME = re.compile(r'File "([^"]+)"')
_QUOTED = re.compile(r"""(?<=['"])(?:~?/|[A-Za-z]:\\)[^'"\n]*[/\\](?=[^'"\n/\\]+['"])""")
_ABSOLUTE = re.compile(
    r"""(?<![\w./:~…-])(?:~?/(?:[^\s/\\'"<>|:*?]+/)+|[A-Za-z]:\\(?:[^\s/\\'"]+\\)*)(?=[^\s/\\'"])"""
)
_PACKAGES = ("site-packages/", "dist-packages/", f"{Path(wsbench.errors.__file__).parents[1]}/")


def portable_spec(spec: str) -> str:
    """Return the spec of a method without the folder of its file, unless that is a relative path.

    Examples
    --------
    >>> portable_spec("/home/ada/work/my_method.py:Mine"), portable_spec("methods/mine.py:Mine")
    ('my_method.py:Mine', 'methods/mine.py:Mine')
    """
    place, colon, attribute = spec.rpartition(":")
    is_elsewhere = place.startswith(("/", "~", "..")) or Path(place).is_absolute()
    return f"{Path(place).name}:{attribute}" if colon and is_elsewhere else spec


def portable_traceback(text: str) -> str:
    """Return a traceback in which files are named from their package on, or by their name alone.

    So are files that an error's message or a line of code names by an absolute path.

    Examples
    --------
    >>> portable_traceback('File "/home/ada/venv/lib/site-packages/numpy/linalg.py", line 3')
    'File "numpy/linalg.py", line 3'
    """
    text = _FRAME.sub(lambda match: f'File "{_short(match[1])}"', text)
    for folder, name in ((Path.cwd(), "."), (Path.home(), "~")):
        if folder != Path(folder.anchor):
            text = re.sub(re.escape(str(folder)) + r"(?![\w.-])", name, text)
    return _ABSOLUTE.sub("…/", _QUOTED.sub("…/", text))


def _short(file: str) -> str:
    for place in _PACKAGES:
        if place in file:
            return file.rpartition(place)[2]
    return Path(file).name if Path(file).is_absolute() else file
