"""The command ``compare``: paired differences of two methods."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

import wsbench
from wsbench.cli.completion import complete_method, complete_zoo
from wsbench.cli.legend import listed, primary_entries, print_entries, track_entries
from wsbench.cli.output import JsonOption, print_json, print_line
from wsbench.cli.tables import UNDEFINED, number
from wsbench.tasks.catalogue import primary_score
from wsbench.tasks.tracks import OVERALL

if TYPE_CHECKING:
    from wsbench.tasks.scoring import Scored


def compare(
    a: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="A record, or name of a method evaluated before.",
            autocompletion=complete_method,
        ),
    ],
    b: Annotated[
        str, typer.Argument(metavar="B", help="Another one.", autocompletion=complete_method)
    ],
    zoo: Annotated[
        str,
        typer.Option(
            help="Zoo of the records that are given by name.", autocompletion=complete_zoo
        ),
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
    table = _table(found, left, right, _Words.of(left.label, right.label))
    heads = [f"{left.zoo}: ", " " * (len(left.zoo) + 2)]
    if sys.stdout.isatty() and _width(table) > shutil.get_terminal_size().columns:
        table = _grouped(_table(found, left, right, _SHORT))
        heads = [f"{head}{letter} " for head, letter in zip(heads, "AB", strict=True)]
    for head, record in zip(heads, (left, right), strict=True):
        print_line(f"{head}{record.label} ({record.path.name})")
    _print_columns(table)
    print_line()
    print_entries(dict(_legend(found, left, right)))


class _Words(NamedTuple):
    """The words of the table: names of the methods, heading of the verdict, and verdicts."""

    a: str
    b: str
    heading: str
    a_is_better: str
    b_is_better: str
    not_separable: str
    too_few: str

    @classmethod
    def of(cls, a: str, b: str) -> "_Words":
        verdicts = f"{a} is better", f"{b} is better", "not separable", "too few models"
        return cls(a, b, "", *verdicts)

    def verdict(self, comparison: wsbench.Comparison) -> str:
        if comparison.interval is None:
            return self.too_few
        if not comparison.separable:
            return self.not_separable
        return self.a_is_better if comparison.difference > 0 else self.b_is_better


_SHORT = _Words("A", "B", "better", "A", "B", UNDEFINED, UNDEFINED)


def _table(
    found: Mapping[str, wsbench.Comparison],
    left: wsbench.Record,
    right: wsbench.Record,
    words: _Words,
) -> list[tuple[str, ...]]:
    """Return the rows of the table, the heading first."""
    from wsbench.records.rescoring import rescore_all

    scores = [rescore_all(left), rescore_all(right)]
    rows: list[tuple[str, ...]] = [
        ("entry", words.a, words.b, "difference 95 %", "p", words.heading)
    ]
    for entry, comparison in found.items():
        values = [number(_value(scored, entry)) for scored in scores]
        difference = f"{comparison.difference:+z.3f}"
        if comparison.interval:
            low, high = comparison.interval
            difference += f" {low:+z.3f} … {high:+z.3f}"
        verdict = words.verdict(comparison)
        rows.append((entry, *values, difference, f"{comparison.p:.4f}", verdict))
    return rows


def _legend(
    found: Mapping[str, wsbench.Comparison], left: wsbench.Record, right: wsbench.Record
) -> Iterator[tuple[str, str]]:
    suites = [record.content.suite for record in (left, right)]
    asked: dict[str, list[str]] = {}
    for entry in found:
        task, _, perturbation = entry.partition("/")
        if task != OVERALL:
            asked.setdefault(task, []).append(perturbation)
    if OVERALL in found:
        yield OVERALL, f"mean over the tracks of {listed(suites[0].overall)}"
        yield from track_entries(wsbench.tracks_of(left), asked)
    elif suites[0] != suites[1]:
        names = listed([f"{suite.name} {suite.version}" for suite in suites])
        yield OVERALL, f"left out, since it is of one suite, and these records are of {names}"
    yield from primary_entries(list(asked))
    yield "difference", "mean over test models, with its 95 % interval"
    yield "p", "share of random signs of the differences that give one as far from 0"
    yield "better", "neither method, not separable, where p is above .05 or the interval holds 0"


def _value(scored: "Scored", entry: str) -> float | None:
    task, _, track = entry.partition("/")
    if task == OVERALL:
        return scored.tracks[OVERALL][track or OVERALL].value
    return scored.scores[entry][primary_score(task).name].value


def _grouped(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the rows below a line for each task, which their names leave out."""
    grouped, group = [rows[0]], ""
    for entry, *cells in rows[1:]:
        task, _, rest = entry.partition("/")
        if rest and task != group and task != OVERALL:
            grouped.append((task, *("" for _ in cells)))
        group = task
        grouped.append((f"  {rest}" if rest else task, *cells))
    return grouped


def _width(rows: list[tuple[str, ...]]) -> int:
    return sum(map(max, _lengths(rows))) + 2 * (len(rows[0]) - 1)


def _lengths(rows: list[tuple[str, ...]]) -> list[list[int]]:
    return [[len(row[i]) for row in rows] for i in range(len(rows[0]))]


def _print_columns(rows: list[tuple[str, ...]]) -> None:
    first, *others, _ = map(max, _lengths(rows))
    for row in rows:
        cells = [row[0].ljust(first)]
        cells += [cell.rjust(width) for cell, width in zip(row[1:5], others, strict=True)]
        print_line("  ".join((*cells, row[5])).rstrip())
