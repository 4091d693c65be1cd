"""Cells of the board's tables: a number, what it is sorted by, and its interval as a bar."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord
from wsbench_leaderboard.site import text
from wsbench_leaderboard.site.boards import Board, label_and_version, machine, suite
from wsbench_leaderboard.site.names import method_page

BAR_WIDTH = 48


@dataclass(frozen=True)
class Bar:
    """Where a bar 48 units wide has its interval, its value and zero (if zero is within)."""

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
        What the column is sorted by; empty for nothing, which goes last.
    interval
        95 %, as text.
    bar
        The same as a picture.
    is_best
        Whether it is tied with the best of its column.
    note
        Why it does not count, if it does not.
    """

    text: str
    sort: str = ""
    interval: str = ""
    bar: Bar | None = None
    is_best: bool = False
    note: str = ""


@dataclass(frozen=True)
class Column:
    """A column of scores: ``score`` of an entry, or the robustness of a task."""

    group: str
    heading: str
    hint: str
    task: str
    score: str

    @property
    def is_robustness(self) -> bool:
        """Whether it is the mean of a task's relative scores."""
        return "/" not in self.task

    def of(self, rescored: RescoredRecord) -> wsbench.Score | None:
        """Return the score that an rescored has in this column."""
        table = rescored.robustness if self.is_robustness else rescored.scores
        return table.get(self.task, {}).get(self.score)


@dataclass(frozen=True)
class Row:
    """A method on the board of a zoo."""

    label: str
    version: str
    page: str
    rank: str
    rank_sort: str
    starts_group: bool
    is_first: bool
    is_stale: bool
    cells: tuple[Cell, ...]


_IDENTIFICATION = "Identification"
# A copy of which nothing was changed has a twin in the gallery, and everybody finds it.
_RETRIEVAL = "Retrieval, permuted int8"

COLUMNS = (
    Column(
        _IDENTIFICATION,
        "MAP@R",
        "mean average precision at R",
        "identification/none",
        "map_at_r",
    ),
    Column(
        _IDENTIFICATION,
        "Compression",
        "share of MAP@R kept, mean over the compressions",
        "identification",
        "compression",
    ),
    Column(
        _IDENTIFICATION,
        "Symmetry",
        "share of MAP@R kept, mean over the symmetries",
        "identification",
        "symmetry",
    ),
    Column(
        _IDENTIFICATION,
        "Permuted MAP@R",
        "MAP@R after a random permutation of the hidden units of each checkpoint",
        "identification/permute",
        "map_at_r",
    ),
    Column(
        "Ordering",
        "Kendall’s τ",
        "rank correlation with the order of the epochs",
        "ordering/none",
        "kendall_tau",
    ),
    Column(
        _RETRIEVAL,
        "MAP@R",
        "mean average precision at R, in a gallery of all models",
        "retrieval/permute+int8",
        "map_at_r",
    ),
    Column(
        _RETRIEVAL,
        "TPR at 1\u00a0%\u00a0FPR",
        "copies recognised where one query in a hundred is a false alarm",
        "retrieval/permute+int8",
        "tpr_at_1_fpr",
    ),
)

# Groups of columns, and how many are in each; time and memory follow the scores.
GROUPS = (*Counter(column.group for column in COLUMNS).items(), ("Cost", 2))

# What is ranked: the columns of primary scores without a perturbation.
_RANKED = {"identification/none": "identification", "ordering/none": "ordering"}
_PRIMARY = {"map_at_r", "kendall_tau"}


def rows(board: Board) -> list[Row]:
    """Return the rows of a zoo's table, best first."""
    by_column = [_scores(board, column) for column in COLUMNS]
    n_records = Counter((e.is_stale, *label_and_version(e.record)) for e in board.results)
    result: list[Row] = []
    best_before: object = None
    for i, rescored in enumerate(board.results):
        rank = board.rank(rescored)
        group = "stale" if rescored.is_stale else rank and rank[0]
        label, version = label_and_version(rescored.record)
        if n_records[rescored.is_stale, label, version] > 1:
            version = f"{version}, {suite(rescored.record)}"
        result.append(
            Row(
                label=label,
                version=version,
                page=f"{method_page(rescored.record)}#{board.slug}",
                rank=text.ranks(rank),
                rank_sort=str(i) if rank else "",
                starts_group=bool(result) and group != best_before,
                is_first=_is_first(rank),
                is_stale=rescored.is_stale,
                cells=(*(cells[i] for cells in by_column), *_cost(board, rescored)),
            )
        )
        best_before = group
    return result


def _scores(board: Board, column: Column) -> list[Cell]:
    found = [column.of(rescored) for rescored in board.results]
    bars = _bars(found)
    task = _RANKED.get(column.task) if column.score in _PRIMARY else None
    cells = []
    for rescored, score, bar in zip(board.results, found, bars, strict=True):
        rank = board.rank(rescored, task) if task else None
        cells.append(replace(score_cell(score, bar), is_best=_is_first(rank)))
    return cells


def _is_first(rank: tuple[int, int] | None) -> bool:
    return rank is not None and rank[0] == 1


def score_cell(score: wsbench.Score | None, bar: Bar | None = None) -> Cell:
    """Return the cell of a score that may be missing."""
    if score is None or score.value is None:
        return Cell(text.number(None))
    return Cell(text.number(score.value), repr(score.value), text.between(score.interval), bar)


def _bars(scores: Sequence[wsbench.Score | None]) -> list[Bar | None]:
    """Return bars on one scale, from 0 to 1 or as far beyond as the values are."""
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
