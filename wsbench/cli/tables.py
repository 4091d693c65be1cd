"""Tables of scores at the terminal: overall, then one per task, methods as rows, best first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import wsbench
from wsbench.metrics.intervals import LEAST_MODELS
from wsbench.metrics.ranking import LEAST_RANKED, rank_text
from wsbench.tasks.catalogue import find_task, primary_score
from wsbench.tasks.condition import parse_entry
from wsbench.tasks.tracks import OVERALL

_WIDE = 92  # columns that value and interval need beside each other
_LEAST_NAME = 12  # columns left to the names of methods before lines grow longer than the terminal


@dataclass(frozen=True)
class _Column:
    """A column: the heading, and one cell for each method."""

    heading: str
    cells: Sequence[str]


def print_tables(results: Sequence[wsbench.Evaluation]) -> None:
    """Print a table of the overall score, and one for each task."""
    done = [result for result in results if not result.error]
    if not done:
        return
    ranks = ranks_of(done)
    if OVERALL in ranks:
        title = f"[bold]overall[/]: mean over tracks of {' and '.join(done[0].suite.tracks.tasks)}"
        _print_table(title, _overall_columns, done, OVERALL, ranks[OVERALL])
    for task in asked_tasks(done):
        title = f"[bold]{task}[/]: {find_task(task).QUESTION}"
        _print_table(title, _task_columns, done, task, ranks.get(task, {}))


def asked_tasks(results: Sequence[wsbench.Evaluation]) -> list[str]:
    """Return the tasks of the suite that were asked under some perturbation."""
    return [task for task in results[0].suite.tasks if _asked(results[0], task)] if results else []


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
    title: str,
    columns_of: Callable[[str, Sequence[wsbench.Evaluation], str], list[_Column]],
    results: Sequence[wsbench.Evaluation],
    task: str,
    ranks: Mapping[str, tuple[int, int]],
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    ranked = sorted(results, key=lambda result: (-_value(result, task), result.method.label))
    columns = [
        _Column("rank", [rank_text(ranks.get(result.method.label)) for result in ranked]),
        *columns_of(task, ranked, " " if console.width >= _WIDE else "\n"),
    ]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("method", overflow="fold")
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for i, result in enumerate(ranked):
        mark = " *" if result.is_transductive else ""
        table.add_row(result.method.label + mark, *(column.cells[i] for column in columns))
    # Rich would cut what does not fit. Here names are folded, and numbers stay whole.
    longest = max(len(result.method.label) for result in results)
    folded = max(0, longest - _LEAST_NAME) if console.is_terminal else 0
    whole = console.measure(table, options=console.options.update(max_width=1000)).maximum
    console.width = max(console.width, whole - folded)
    console.print(title)
    console.print(table)


def _value(result: wsbench.Evaluation, task: str) -> float:
    """Return the score that orders a table: over the tracks, or the first of the task."""
    if task in result.tracks:
        return result.tracks[task][OVERALL].value or 0.0
    return _score(result, task, _main(result, task), primary_score(task).name).value or 0.0


def _main(result: wsbench.Evaluation, task: str) -> str:
    perturbations = _asked(result, task)
    return "none" if "none" in perturbations else perturbations[0]


def _overall_columns(
    task: str, results: Sequence[wsbench.Evaluation], between: str
) -> list[_Column]:
    seconds = [f"{sum(result.seconds.values()):.2f}" for result in results]
    return [*_track_columns(task, results, between), _Column("s", seconds)]


def _track_columns(task: str, results: Sequence[wsbench.Evaluation], between: str) -> list[_Column]:
    """Return the overall score of a task, or of all, and its tracks."""
    scores = [result.tracks[task] for result in results]
    columns = [_with_intervals(f"overall{between}95 %", [s[OVERALL] for s in scores], between)]
    for track in results[0].suite.tracks.conditions:
        heading = track.replace("-", "\n" if between == "\n" else " ")
        columns.append(_Column(heading, [number(s[track].value) for s in scores]))
    return columns


def _task_columns(task: str, results: Sequence[wsbench.Evaluation], between: str) -> list[_Column]:
    """Return the tracks of a task, or its primary scores, then the scores beside it."""
    main, spec = _main(results[0], task), primary_score(task)

    def at(perturbation: str, score: str) -> list[str]:
        return [number(_score(result, task, perturbation, score).value) for result in results]

    if all(task in result.tracks for result in results):
        columns = _track_columns(task, results, between)
    else:
        heading = spec.heading + (f" {main}" if main != "none" else "")
        scores = [_score(result, task, main, spec.name) for result in results]
        columns = [_with_intervals(f"{heading}{between}95 %", scores, between)]
        others = [name for name in _asked(results[0], task) if name != main]
        columns += [_Column(name, at(name, spec.name)) for name in others]
    beside = [spec for spec in find_task(task).SCORES if spec.in_summary]
    return columns + [_Column(spec.heading, at(main, spec.name)) for spec in beside]


def _with_intervals(heading: str, scores: Sequence[wsbench.Score], between: str) -> _Column:
    return _Column(heading, [f"{number(s.value)}{_interval(s.interval, between)}" for s in scores])


def _asked(result: wsbench.Evaluation, task: str) -> list[str]:
    """Return the perturbations under which a task was asked, in the order of the suite."""
    entries = [parse_entry(entry) for entry in result.scores]
    return list(dict.fromkeys(c.perturbation for name, c in entries if name == task))


def _score(result: wsbench.Evaluation, task: str, perturbation: str, name: str) -> wsbench.Score:
    return result.scores[f"{task}/{perturbation}"][name]


def too_few(n_models: int) -> str:
    """Return the note that there are too few models for ranks, and perhaps for intervals."""
    least = f"ranks need {LEAST_RANKED}"
    if n_models < LEAST_MODELS:
        least = f"intervals need {LEAST_MODELS} and {least}"
    models = "test model is" if n_models == 1 else "test models are"
    return f"{n_models} {models} too few: {least}"


def number(value: float | None, undefined: str = "inf") -> str:
    """Return a score with three decimals."""
    return undefined if value is None else f"{value:z.3f}"


def _interval(interval: tuple[float, float] | None, before: str) -> str:
    if interval is None:
        return ""
    low, high = interval
    return f"{before}{low:z.3f}\u2013{high:z.3f}"
