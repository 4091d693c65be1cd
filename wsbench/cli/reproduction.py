"""The command ``reproduce``: a paper's tables, with its figures beside ours."""

import datetime
import sys
from dataclasses import asdict
from typing import Annotated

import typer

import wsbench
from wsbench.cli.output import JsonOption, print_json, print_line
from wsbench.papers.weight_space_investigation import (
    HEADINGS,
    PAPERS,
    PUBLISHED,
    Reproduction,
    page,
    seriation,
    table,
)
from wsbench.suggestions import unknown_name_error


def reproduce(
    paper: Annotated[str, typer.Argument(metavar="PAPER", help=f"One of: {', '.join(PAPERS)}.")],
    zoo: Annotated[
        list[str] | None, typer.Option(help="Zoo to measure; repeat the option for several.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of ties in the fair protocol.")] = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a page of Markdown.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure zoos with a paper's protocol and a fair one, beside the paper's figures."""
    if paper not in PAPERS:
        raise unknown_name_error("paper", paper, PAPERS)
    results = [wsbench.reproduce(wsbench.load_zoo(name), seed=seed) for name in zoo or PUBLISHED]
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    if as_json:
        print_json({"paper": paper, "date": today, "zoos": [asdict(r) for r in results]})
    elif markdown:
        sys.stdout.write(page(results, date=today, version=wsbench.__version__))
    else:
        _print_tables(results)


def _print_tables(results: list[Reproduction]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 100
    for result in results:
        shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        shown.add_column(HEADINGS[0])
        for heading in HEADINGS[1:]:
            shown.add_column(heading.replace(": ", "\n"), justify="right")
        for cells in table(result):
            shown.add_row(*cells)
        print_line(f"{result.zoo_id} ({result.zoo_digest[:19]}…)")
        console.print(shown)
        print_line(seriation(result))
        print_line()
    print_line(_LEGEND)


_LEGEND = """initial: epochs in the right place from the first on; pairs: share of epoch-to-epoch
steps found. ours: the paper protocol, ties between heights in input order, which is
the order of epochs. fair: the same clusters, ties at random."""
