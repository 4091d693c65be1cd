"""Tables of scores at the terminal: overall, then one per task, methods as rows, best first.

A terminal gets the columns that fit into its width, from the left, and a line that names the
others. A file or a pipe gets all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import wsbench
from wsbench.cli.output import print_line, print_wrapped
from wsbench.metrics.intervals import LEAST_MODELS
from wsbench.metrics.ranking import LEAST_RANKED, rank_text
from wsbench.tasks.catalogue import find_task, primary_score
from wsbench.tasks.condition import parse_entry
from wsbench.tasks.tracks import OVERALL

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

TRANSDUCTIVE = "*"  # in place of a rank
UNDEFINED = "\u2013"

_LEAST_NAME = 12  # columns that a method's name keeps where the tracks need the others


@dataclass(frozen=True)
class _Column:
    """A column: heading and cells, each in parts that stand side by side or on lines of their own.

    Where room is short, a method's name is folded for the sake of a main column, and any other is
    left out.
    """

    heading: tuple[str, ...]
    cells: Sequence[tuple[str, ...]]
    is_main: bool = True

    @property
    def name(self) -> str:
        """As tracks are named, ``"as-written"``; ``"overall-95 %"`` is no name of anything."""
        return "-".join(self.heading)


def print_tables(results: Sequence[wsbench.Evaluation]) -> set[str]:
    """Print a table of the overall score, and one for each task.

    Returns
    -------
    shown
        The names of the columns that were printed, and `TRANSDUCTIVE` and `UNDEFINED` if cells held
        them.
    """
    done = [result for result in results if not result.error]
    if not done:
        return set()
    ranks = ranks_of(done)
    shown: set[str] = set()
    if OVERALL in ranks:
        of = " and ".join(done[0].suite.tracks.tasks)
        shown |= _print_table(OVERALL, f"mean over tracks of {of}", done, ranks[OVERALL])
    for task in asked_tasks(done):
        shown |= _print_table(task, find_task(task).QUESTION, done, ranks.get(task, {}))
    return shown


def asked_tasks(results: Sequence[wsbench.Evaluation]) -> list[str]:
    """Return the tasks of the suite that were asked under some perturbation."""
    return [task for task in results[0].suite.tasks if asked_of(results[0], task)]


def asked_of(result: wsbench.Evaluation, task: str) -> list[str]:
    """Return the perturbations under which a task was asked, in the order of the suite."""
    entries = [parse_entry(entry) for entry in result.scores]
    return list(dict.fromkeys(c.perturbation for name, c in entries if name == task))


def main_perturbation(result: wsbench.Evaluation, task: str) -> str:
    """Return the perturbation whose scores stand beside the primary one: none, if it was asked."""
    asked = asked_of(result, task)
    return next((p for p in ("none", *result.suite.tracks.perturbations) if p in asked), asked[0])


def ranks_of(
    results: Sequence[wsbench.Evaluation],
) -> dict[str, dict[str, tuple[int, int]]]:
    """Return the rank intervals of methods by label, for ``"overall"`` and each task.

    Transductive methods have none.
    """
    by_name: dict[str, dict[str, npt.NDArray[np.float64]]] = {}
    for result in results:
        if result.is_transductive:
            continue
        by_model = wsbench.ranked_by_model(result.answers, result.truths, result.suite.tracks)
        for name, values in by_model.items():
            by_name.setdefault(name, {})[result.method.label] = values
    return {name: wsbench.rank_intervals(values) for name, values in by_name.items()}


def _print_table(
    task: str,
    about: str,
    results: Sequence[wsbench.Evaluation],
    ranks: Mapping[str, tuple[int, int]],
) -> set[str]:
    """Print one table, and return what `print_tables` does."""
    from rich.console import Console

    ranked = sorted(results, key=lambda result: (-_value(result, task), result.method.label))
    names = [result.method.label for result in ranked]
    marks = [
        TRANSDUCTIVE if result.is_transductive else rank_text(ranks.get(result.method.label))
        for result in ranked
    ]
    columns = [_Column(("rank",), [(mark,) for mark in marks])]
    columns += _overall_columns(ranked) if task == OVERALL else _task_columns(task, ranked)
    console = Console(highlight=False)
    console.print(f"[bold]{task}[/]: {about}", soft_wrap=not console.is_terminal)
    table, n_shown = _fitting(console, names, columns)
    console.print(table)
    if left_out := [column.name for column in columns[n_shown:]]:
        print_wrapped(f"not shown: {', '.join(left_out)} (in a wider terminal, or with --json)")
    print_line()
    shown = columns[:n_shown]
    held = {cell[0] for column in shown[1:] for cell in column.cells} & {UNDEFINED}
    return {column.name for column in shown} | held | set(marks) & {TRANSDUCTIVE}


def _fitting(
    console: "Console", names: Sequence[str], columns: Sequence[_Column]
) -> "tuple[Table, int]":
    """Return a table as wide as the terminal at most, and how many columns it has.

    All columns with values and intervals side by side, if they fit, else one below the other. Where
    there is no terminal, the console gets the width that the table needs.
    """
    table = _table(names, columns, " ")
    needed = _width(console, table)
    if not console.is_terminal or needed <= console.width:
        console.width = needed
        return table, len(columns)
    names = [_in_two_lines(name) for name in names]  # as many as value and interval have
    longest = max(len(line) for name in names for line in name.split("\n"))
    for n_shown in range(len(columns), 1, -1):
        table = _table(names, columns[:n_shown], "\n")
        is_main = columns[n_shown - 1].is_main
        folded = max(0, longest - _LEAST_NAME) if is_main else 0
        needed = _width(console, table) - folded
        if needed <= console.width:
            break
    console.width = max(console.width, needed)  # rich would cut numbers
    return table, n_shown


def _in_two_lines(name: str) -> str:
    """Return a long name, broken after the hyphen that leaves the shortest lines."""
    places = [i + 1 for i, character in enumerate(name) if character == "-"]
    if len(name) <= _LEAST_NAME or not places:
        return name
    place = min(places, key=lambda i: max(i, len(name) - i))
    return f"{name[:place]}\n{name[place:]}"


def _width(console: "Console", table: "Table") -> int:
    return console.measure(table, options=console.options.update(max_width=1000)).maximum


def _table(names: Sequence[str], columns: Sequence[_Column], between: str) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column("method", overflow="fold")
    for column in columns:
        table.add_column(between.join(column.heading), justify="right", no_wrap=True)
    for i, name in enumerate(names):
        table.add_row(name, *(between.join(column.cells[i]) for column in columns))
    return table


def _value(result: wsbench.Evaluation, task: str) -> float:
    """Return the score that orders a table: over the tracks, or the first of the task."""
    if task in result.tracks:
        return result.tracks[task][OVERALL].value or 0.0
    main = main_perturbation(result, task)
    return _score(result, task, main, primary_score(task).name).value or 0.0


def _overall_columns(results: Sequence[wsbench.Evaluation]) -> list[_Column]:
    seconds = [(f"{sum(result.seconds.values()):.2f}",) for result in results]
    return [*_track_columns(OVERALL, results), _Column(("s",), seconds, is_main=False)]


def _track_columns(task: str, results: Sequence[wsbench.Evaluation]) -> list[_Column]:
    """Return the overall score of a task, or of all, and its tracks."""
    scores = [result.tracks[task] for result in results]
    columns = [_with_intervals("overall", [s[OVERALL] for s in scores])]
    for track in results[0].suite.tracks.conditions:
        if all(track in s for s in scores):  # a task need not be asked in every track
            values = [(number(s[track].value),) for s in scores]
            columns.append(_Column(tuple(track.split("-")), values))
    return columns


def _task_columns(task: str, results: Sequence[wsbench.Evaluation]) -> list[_Column]:
    """Return the tracks of a task, or its primary scores, then the scores beside it."""
    main, spec = main_perturbation(results[0], task), primary_score(task)

    def at(perturbation: str, score: str) -> list[tuple[str]]:
        return [(number(_score(result, task, perturbation, score).value),) for result in results]

    if all(task in result.tracks for result in results):
        columns = _track_columns(task, results)
    else:
        heading = spec.heading + (f" {main}" if main != "none" else "")
        columns = [_with_intervals(heading, [_score(r, task, main, spec.name) for r in results])]
        others = [name for name in asked_of(results[0], task) if name != main]
        columns += [_Column((name,), at(name, spec.name)) for name in others]
    beside = [spec for spec in find_task(task).SCORES if spec.in_summary]
    return columns + [_Column((s.heading,), at(main, s.name), is_main=False) for s in beside]


def _with_intervals(heading: str, scores: Sequence[wsbench.Score]) -> _Column:
    cells = [(number(s.value), *_interval(s.interval)) for s in scores]
    return _Column((heading, "95 %"), cells)


def _score(result: wsbench.Evaluation, task: str, perturbation: str, name: str) -> wsbench.Score:
    return result.scores[f"{task}/{perturbation}"][name]


def too_few(n_models: int) -> str:
    """Return the note that there are too few models for ranks, and perhaps for intervals."""
    least = f"ranks need {LEAST_RANKED}"
    if n_models < LEAST_MODELS:
        least = f"intervals need {LEAST_MODELS} and {least}"
    models = "test model is" if n_models == 1 else "test models are"
    return f"{n_models} {models} too few: {least}"


def number(value: float | None) -> str:
    """Return a score with three decimals; a dash for one that is infinite or undefined."""
    return UNDEFINED if value is None else f"{value:z.3f}"


def _interval(interval: tuple[float, float] | None) -> tuple[str, ...]:
    return (f"{interval[0]:z.3f}\u2013{interval[1]:z.3f}",) if interval else ()
