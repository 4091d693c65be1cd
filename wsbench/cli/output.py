"""Output of commands: JSON and lines on stdout."""

import json
import shutil
import sys
import textwrap
from typing import Annotated, Any

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def print_json(value: Any) -> None:
    """Print a value as strict JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def print_line(text: str = "") -> None:
    """Print a line on stdout."""
    sys.stdout.write(text + "\n")


def print_wrapped(text: str, indent: int = 0) -> None:
    """Print a text on stdout, in lines of a terminal's width, the later ones indented.

    Without a terminal it is one line. A no-break space ends no line and is printed as a space.
    """
    if sys.stdout.isatty():
        columns = max(40, shutil.get_terminal_size().columns)
        text = textwrap.fill(
            text, columns, subsequent_indent=" " * indent, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
    print_line(text.replace("\u00a0", " "))


def human_bytes(n: int) -> str:
    """Return a size for people: 18.4 MB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= size:
            return f"{n / size:.1f} {unit}"
    return f"{n} B"


def human_seconds(seconds: float) -> str:
    """Return a duration for people: 45 s, 3 min 05 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
