"""The commands under ``wsbench leaderboard``."""

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
) -> None:
    """Print the records of a folder as Markdown, every score computed again from its answers."""
    from wsbench_leaderboard.collect import collect
    from wsbench_leaderboard.render import markdown

    typer.echo(markdown(collect(records or wsbench.home() / "records")), nl=False)
