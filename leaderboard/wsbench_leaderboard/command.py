"""The commands under ``wsbench leaderboard``."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import wsbench

app = typer.Typer(help="Tables of recorded results.", no_args_is_help=True)


@app.callback()
def leaderboard() -> None:
    """Tables of recorded results."""


@app.command()
def table(
    records: Annotated[
        Path | None, typer.Argument(help="Folder of records; default: in the cache.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Print the records of a folder as Markdown, every score computed again from its answers."""
    from wsbench_leaderboard.collect import collect
    from wsbench_leaderboard.render import markdown

    rows = collect(records or wsbench.home() / "records")
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2, allow_nan=False))
    else:
        typer.echo(markdown(rows), nl=False)
