"""The option ``--set name=value``: constructor arguments of methods."""

import ast
import json
from typing import Annotated, Any

import typer

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Set a parameter of every method that takes it: k=5, layer=output, epsilons=[.1,.2].",
    ),
]


def settings(assignments: list[str] | None) -> dict[str, Any]:
    """Return names and values: JSON or Python literals are taken as such, the rest as text."""
    values: dict[str, Any] = {}
    for assignment in assignments or []:
        name, equals, text = assignment.partition("=")
        if not equals or not name.isidentifier():
            raise typer.BadParameter(
                f"got {assignment!r}, expected NAME=VALUE, for instance --set k=5",
                param_hint="--set",
            )
        if name in values:
            raise typer.BadParameter(f"{name} is set twice", param_hint="--set")
        values[name] = _value(text)
    return values


def _value(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return text
