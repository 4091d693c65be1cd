"""Tables of scores at the terminal: one per task, methods as rows, best first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import wsbench
from wsbench.metrics.intervals import LEAST_MODELS
from wsbench.metrics.ranking import LEAST_RANKED, rank_text
from wsbench.tasks.catalogue import find_task, primary_score
from wsbench.tasks.condition import parse_entry
from wsbench.tasks.scoring import primary_by_model

_FEW = 3  # perturbations that get a column of their own; of more the robustness is shown
_WIDE = 92  # columns that value and interval need beside each other
_LEAST_NAME = 12  # columns left to the names of methods before lines grow longer than the terminal


@dataclass(frozen=True)
class _Column:
    """A column: the heading, and one cell for each method."""

    heading: str
    cells: Sequence[str]


def print_tables(results: Sequence[wsbench.Evaluation]) -> None:
    """Print a table for each task."""
    done = [result for result in results if not result.error]
    for i, task in enumerate(asked_tasks(done)):
        ranks = ranks_of(done, task)
        _print_table(task, _ranked(done, task), ranks, with_seconds=i == 0)


def asked_tasks(results: Sequence[wsbench.Evaluation]) -> list[str]:
    """Return the tasks of the suite that were asked under some perturbation."""
    return [task for task in results[0].suite.tasks if _asked(results[0], task)] if results else []


def ranks_of(results: Sequence[wsbench.Evaluation], task: str) -> dict[str, tuple[int, int]]:
    """Return the rank interval of each method, by its label, in the task's main condition."""
    return wsbench.rank_intervals(
        {
            result.method.label: primary_by_model(result.answers, result.truths, task)[
                _main(result, task)
            ]
            for result in results
        }
    )


def _main(result: wsbench.Evaluation, task: str) -> str:
    perturbations = _asked(result, task)
    return "none" if "none" in perturbations else perturbations[0]


def _ranked(results: Sequence[wsbench.Evaluation], task: str) -> list[wsbench.Evaluation]:
    name = primary_score(task).name

    def value(result: wsbench.Evaluation) -> float:
        return _score(result, task, _main(result, task), name).value or 0.0

    return sorted(results, key=lambda result: (-value(result), result.method.label))


def _print_table(
    task: str,
    results: Sequence[wsbench.Evaluation],
    ranks: Mapping[str, tuple[int, int]],
    with_seconds: bool,
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    columns = _columns(task, results, ranks, " " if console.width >= _WIDE else "\n")
    if with_seconds:
        columns.append(_Column("s", [f"{sum(r.seconds.values()):.2f}" for r in results]))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("method", overflow="fold")
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for i, result in enumerate(results):
        table.add_row(result.method.label, *(column.cells[i] for column in columns))
    # Rich would cut what does not fit. Here names are folded, and numbers stay whole.
    longest = max(len(result.method.label) for result in results)
    folded = max(0, longest - _LEAST_NAME) if console.is_terminal else 0
    whole = console.measure(table, options=console.options.update(max_width=1000)).maximum
    console.width = max(console.width, whole - folded)
    console.print(f"[bold]{task}[/]: {find_task(task).QUESTION}")
    console.print(table)


def _columns(
    task: str,
    results: Sequence[wsbench.Evaluation],
    ranks: Mapping[str, tuple[int, int]],
    between: str,
) -> list[_Column]:
    main, spec = _main(results[0], task), primary_score(task)
    others = [name for name in _asked(results[0], task) if name != main]
    heading = spec.heading + (f" {main}" if main != "none" else "")

    def at(perturbation: str, score: str) -> list[str]:
        return [number(_score(result, task, perturbation, score).value) for result in results]

    scores = [_score(result, task, main, spec.name) for result in results]
    columns = [
        _Column("rank", [rank_text(ranks.get(result.method.label)) for result in results]),
        _Column(
            f"{heading}{between}95 %",
            [f"{number(s.value)}{_interval(s.interval, between)}" for s in scores],
        ),
    ]
    if len(others) > _FEW and main == "none":
        for kind in ("compression", "symmetry"):
            kept = [result.robustness[task][kind].value for result in results]
            columns.append(_Column(f"{kind}\nrobustness", [number(v, "–") for v in kept]))
        others = [name for name in others if name == "permute"]
    columns += [_Column(perturbation, at(perturbation, spec.name)) for perturbation in others]
    beside = [spec for spec in find_task(task).SCORES if spec.in_summary]
    columns += [_Column(spec.heading, at(main, spec.name)) for spec in beside]
    return columns


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
    return undefined if value is None else f"{value:.3f}"


def _interval(interval: tuple[float, float] | None, before: str) -> str:
    if interval is None:
        return ""
    low, high = interval
    return f"{before}{low:.3f}\u2013{high:.3f}"
