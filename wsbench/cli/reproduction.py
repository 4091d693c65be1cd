"""The command ``reproduce``: a paper's tables, its figure beside ours in every cell."""

import datetime
from dataclasses import asdict
from typing import Annotated

import typer

import wsbench
from wsbench.cli.output import JsonOption, print_json, print_line
from wsbench.papers.weight_space_investigation import PAPERS, PUBLISHED, Reproduction
from wsbench.suggestions import unknown_name_error

_HEADINGS = (
    "space", "purity: paper", "ours",
    "initial: paper", "ours", "fair",
    "pairs: paper", "ours", "fair",
)  # fmt: skip


def reproduce(
    paper: Annotated[str, typer.Argument(help=f"One of: {', '.join(PAPERS)}.")],
    zoo: Annotated[
        list[str] | None, typer.Option(help="Zoo to measure, more than once for more than one.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="For the fair protocol's ties.")] = 0,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a page of Markdown.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure zoos as a paper did, and fairly; the paper's figure stands beside ours."""
    if paper not in PAPERS:
        raise unknown_name_error("paper", paper, PAPERS)
    results = [wsbench.reproduce(wsbench.load_zoo(name), seed=seed) for name in zoo or PUBLISHED]
    if as_json:
        print_json({"paper": paper, "date": _today(), "zoos": [asdict(r) for r in results]})
    elif markdown:
        _print_page(results)
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
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        table.add_column(_HEADINGS[0])
        for heading in _HEADINGS[1:]:
            table.add_column(heading.replace(": ", "\n"), justify="right")
        for cells in _rows(result):
            table.add_row(*cells)
        print_line(f"{result.zoo_id} ({result.zoo_digest[:19]}…)")
        console.print(table)
        print_line(_seriation(result))
        print_line()
    print_line(
        "initial: epochs in the right place from the first on; pairs: share of epoch-to-epoch"
    )
    print_line(
        "steps found. ours: the paper protocol, ties between heights in input order, which is"
    )
    print_line("the order of epochs. fair: the same clusters, ties at random.")


def _print_page(results: list[Reproduction]) -> None:
    print_line(_PAGE_HEAD.format(date=_today(), version=wsbench.__version__))
    for result in results:
        print_line(f"\n## {result.zoo_id}\n\n`{result.zoo_digest}`\n")
        print_line(f"| {' | '.join(_HEADINGS)} |")
        print_line("|---|" + "---:|" * (len(_HEADINGS) - 1))
        for cells in _rows(result):
            print_line(f"| {' | '.join(cells)} |")
        print_line(f"\n{_seriation(result)}")


_PAGE_HEAD = """# An investigation of the weight space, reproduced

Schürholt and Borth, "An Investigation of the Weight Space to Monitor the Training Progress of
Neural Networks": their Tables 2 (MLP) and 3 (CNN) beside what wsbench {version} measures on the
zoos that follow them. Made on {date} by

    wsbench reproduce weight-space-investigation --markdown

All 250 models, epochs 1 to 50, are clustered by single linkage into 250 clusters, in the weight
space and on the leading right singular vectors of all checkpoints; in each cluster the dominant
model's checkpoints are put in order by decreasing linkage height.

- **purity**: mean over clusters of the dominant model's share.
- **initial**: how many epochs stand in the right place, from the first on.
- **pairs**: share of the steps from one epoch to the next that stand as neighbours in the order.
- **ours**: the paper protocol. Linkage heights tie, because two checkpoints that are each other's
  nearest share one height; ties stand in input order, which is the order of epochs.
- **fair**: the same clusters, ties broken at random. What is lost from *ours* to *fair* is what the
  input order had told."""


def _rows(result: Reproduction) -> list[list[str]]:
    rows = []
    for space, ours in result.paper.items():
        theirs, fair = result.published.get(space), result.fair[space]
        cells = [space]
        for name, decimals in (("purity", 3), ("ordered_initial", 2), ("ordered_pairs", 3)):
            published = f"{getattr(theirs, name):.{decimals}f}" if theirs else "–"
            cells += [published, f"{getattr(ours, name):.{decimals}f}"]
            if name != "purity":
                cells.append(f"{getattr(fair, name):.{decimals}f}")
        rows.append(cells)
    return rows


def _seriation(result: Reproduction) -> str:
    best = max(row.ordered_pairs for row in result.fair.values())
    return (
        f"Spectral seriation of each model's checkpoints finds {result.seriation_pairs:.3f} of the"
        f" pairs (tau {result.seriation_tau:.3f}); linkage, fairly, at best {best:.3f}."
    )


def _today() -> str:
    return datetime.datetime.now(tz=datetime.UTC).date().isoformat()
