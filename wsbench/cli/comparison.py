"""The command ``compare``: paired differences of two methods."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import wsbench
from wsbench.cli.output import JsonOption, print_json, print_line
from wsbench.cli.tables import number
from wsbench.tasks.catalogue import primary_score
from wsbench.tasks.condition import parse_entry


def compare(
    a: Annotated[
        str, typer.Argument(metavar="A", help="A record, or name of a method evaluated before.")
    ],
    b: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    zoo: Annotated[
        str, typer.Option(help="Zoo of the records that are given by name.")
    ] = wsbench.DEFAULT_ZOO,
    records: Annotated[
        Path | None, typer.Option(help="Folder of the records; default: in the cache.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two methods on the same models: paired difference, 95 % interval, p, verdict."""
    folder = (records or wsbench.home() / "records") / zoo
    left, right = (wsbench.find_record(name, folder) for name in (a, b))
    found = wsbench.compare(left, right)
    if as_json:
        entries = {entry: asdict(comparison) for entry, comparison in found.items()}
        print_json({"a": str(left.path), "b": str(right.path), "zoo": left.zoo, "entries": entries})
        return
    print_line(f"{left.zoo}: {left.label} ({left.path.name})")
    print_line(f"{' ' * len(left.zoo)}  {right.label} ({right.path.name})")
    scores = wsbench.rescore(left), wsbench.rescore(right)
    rows: list[tuple[str, ...]] = [("entry", left.label, right.label, "difference 95 %", "p", "")]
    for entry, comparison in found.items():
        name = primary_score(parse_entry(entry)[0]).name
        values = [number(one[entry][name].value) for one in scores]
        difference = f"{comparison.difference:+.3f}"
        if comparison.interval:
            low, high = comparison.interval
            difference += f" {low:+.3f} … {high:+.3f}"
        verdict = _verdict(comparison, left.label, right.label)
        rows.append((entry, *values, difference, f"{comparison.p:.4f}", verdict))
    _print_columns(rows)


def _verdict(comparison: wsbench.Comparison, a: str, b: str) -> str:
    if comparison.interval is None:
        return "too few models"
    if not comparison.separable:
        return "not separable"
    return f"{a if comparison.difference > 0 else b} is better"


def _print_columns(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:5], widths[1:5], strict=True)]
        print_line("  ".join((*cells, row[5])).rstrip())
