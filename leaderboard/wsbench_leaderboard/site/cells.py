"""Cells of a board's table: a number, its sort key, and its interval as a bar."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord
from wsbench_leaderboard.columns import Column
from wsbench_leaderboard.site import text
from wsbench_leaderboard.site.boards import Board, label_and_version, machine, suite_text
from wsbench_leaderboard.site.names import method_path

BAR_WIDTH = 48


@dataclass(frozen=True)
class Bar:
    """Positions in a bar of 48 units: the interval, the value, and zero if it is in range."""

    start: float
    length: float
    point: float
    zero: float | None


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Attributes
    ----------
    text
        The number.
    sort
        The sort key of the column; cells with an empty one go last.
    interval
        The 95 % interval as text.
    bar
        The interval as a picture.
    is_best
        Whether the score ties with the best of its column.
    note
        Reason why the number is not comparable; empty if it is.
    """

    text: str
    sort: str = ""
    interval: str = ""
    bar: Bar | None = None
    is_best: bool = False
    note: str = ""


@dataclass(frozen=True)
class Heading:
    """The heading of a column, and its description."""

    text: str
    hint: str


@dataclass(frozen=True)
class Row:
    """A record in the table of a board."""

    label: str
    version: str
    page: str
    rank: str
    rank_sort: str
    starts_group: bool
    is_first: bool
    is_stale: bool
    kinds: tuple[str, ...]
    cells: tuple[Cell, ...]


def groups(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """Return the groups of columns with their numbers of columns; costs follow the scores."""
    sizes = Counter(_group(column, columns) for column in columns)
    return [*sizes.items(), ("Cost", 2)]


def headings(columns: Sequence[Column]) -> list[Heading]:
    """Return a heading for each column, with the perturbation unless its group names it."""
    headings = []
    for column in columns:
        heading = column.heading.replace(" % ", "\u00a0%\u00a0")
        if column.source != "scores":
            heading = column.heading.capitalize()
        elif column.perturbation not in ("none", _shared_perturbation(column.task, columns)):
            heading = f"{column.perturbation} {heading}"
        headings.append(Heading(heading, column.meaning))
    return headings


def _group(column: Column, columns: Sequence[Column]) -> str:
    if column.source == "published":
        return "Published zoo"
    if column.source == "tracks":
        return "Overall and its tracks" if column.task == "overall" else "Other tasks"
    shared = _shared_perturbation(column.task, columns)
    return column.task.capitalize() + (f", {shared}" if shared not in ("", "none") else "")


def _shared_perturbation(task: str, columns: Sequence[Column]) -> str:
    """Return the perturbation of all columns of a task; empty if they differ."""
    names = {column.perturbation for column in columns if column.task == task}
    return names.pop() if len(names) == 1 else ""


def rows(board: Board, columns: Sequence[Column]) -> list[Row]:
    """Return the rows of a board's table, best first."""
    by_column = [_scores(board, column) for column in columns]
    n_records = Counter(
        (rescored.is_stale, *label_and_version(rescored.record)) for rescored in board.results
    )
    rows: list[Row] = []
    best_before: object = None
    for i, rescored in enumerate(board.results):
        rank = board.rank(rescored)
        apart = "" if rescored.has_rank else ("stale" if rescored.is_stale else "apart")
        group = apart or (rank and rank[0])
        label, version = label_and_version(rescored.record)
        if n_records[rescored.is_stale, label, version] > 1:
            version = f"{version}, {suite_text(rescored.record)}"
        rows.append(
            Row(
                label=label,
                version=version,
                page=f"{method_path(rescored.record)}#{board.slug}",
                rank=wsbench.rank_text(rank),
                rank_sort=str(i) if rank else "",
                starts_group=bool(rows) and group != best_before,
                is_first=_is_first(rank),
                is_stale=rescored.is_stale,
                kinds=rescored.kinds,
                cells=(*(cells[i] for cells in by_column), *_cost(board, rescored)),
            )
        )
        best_before = group
    return rows


def _scores(board: Board, column: Column) -> list[Cell]:
    scores = [column.of(rescored) for rescored in board.results]
    bars = _bars(scores)
    cells = []
    for rescored, score, bar in zip(board.results, scores, bars, strict=True):
        rank = board.rank(rescored, column.task) if column.is_ranked else None
        cells.append(replace(score_cell(score, bar), is_best=_is_first(rank)))
    return cells


def _is_first(rank: tuple[int, int] | None) -> bool:
    return rank is not None and rank[0] == 1


def score_cell(score: wsbench.Score | None, bar: Bar | None = None) -> Cell:
    """Return the cell of a score that may be missing."""
    if score is None or score.value is None:
        return Cell(text.number(None))
    return Cell(text.number(score.value), repr(score.value), text.interval(score.interval), bar)


def _bars(scores: Sequence[wsbench.Score | None]) -> list[Bar | None]:
    """Return bars on one scale, from 0 to 1, or wider if values or intervals are."""
    present = [
        (s.value, s.interval or (s.value, s.value)) for s in scores if s and s.value is not None
    ]
    ends = [end for _, interval in present for end in interval]
    low, high = min([0.0, *ends]), max([1.0, *ends])

    def at(value: float) -> float:
        return round((value - low) / (high - low) * (BAR_WIDTH - 2) + 1, 2)

    def bar(score: wsbench.Score | None) -> Bar | None:
        if score is None or score.value is None:
            return None
        start, end = (at(end) for end in score.interval or (score.value, score.value))
        zero = at(0) if low < 0 else None
        return Bar(start, round(end - start, 2), at(score.value), zero)

    return [bar(score) for score in scores]


def _cost(board: Board, rescored: RescoredRecord) -> Iterable[Cell]:
    cost = rescored.record.content.cost
    if cost is None:
        return (Cell(text.number(None)),) * 2
    total, peak = cost.fit_s + cost.embed_s, cost.peak_bytes
    if not board.is_comparable(rescored):
        note = f"measured on another machine: {machine(rescored)}" if not rescored.is_stale else ""
        return (Cell(text.seconds(total), note=note), Cell(text.megabytes(peak), repr(peak)))
    return Cell(text.seconds(total), repr(total)), Cell(text.megabytes(peak), repr(peak))
