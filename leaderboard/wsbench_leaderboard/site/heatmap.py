"""Heat map of a board, methods by tracks; the macro ``heat_map`` of the templates draws it."""

from collections.abc import Sequence
from dataclasses import dataclass

from wsbench_leaderboard.board.collect import RescoredRecord
from wsbench_leaderboard.columns import Column
from wsbench_leaderboard.site import text
from wsbench_leaderboard.site.boards import Board

# Units of the view box, which a phone of 360 pixels shows one to one.
WIDTH, NAMES, ROW, TOP, GAP = 360, 118, 24, 28, 10
N_LEVELS = 6
_LONGEST_NAME = 18  # of the widest font that was tried, DejaVu Sans at 11 units


@dataclass(frozen=True)
class Square:
    """A score: its place, its text, and its level from 0, lowest, to 5."""

    x: float
    text: str
    level: int


@dataclass(frozen=True)
class Line:
    """A method: its place, its name, cut where it is long, and its squares."""

    y: float
    name: str
    squares: Sequence[Square]


@dataclass(frozen=True)
class HeatMap:
    """The scores of a board's methods; all coordinates are in units of the view box."""

    title: str
    description: str
    headings: Sequence[tuple[float, float, str]]
    lines: Sequence[Line]
    square: float
    height: float
    width: int = WIDTH
    row: int = ROW
    top: int = TOP


def heat_map(board: Board, columns: Sequence[Column]) -> HeatMap | None:
    """Return the heat map of the overall score and its tracks; None where no record has them.

    Methods that cannot have a rank follow after a gap; stale records are left out.
    """
    shown = [column for column in columns if column.source == "tracks" and column.task == "overall"]
    results = [
        rescored
        for rescored in board.results
        if not rescored.is_stale and any(column.of(rescored) for column in shown)
    ]
    if not results:
        return None
    width = (WIDTH - NAMES) / len(shown)
    places = [round(NAMES + i * width, 2) for i in range(len(shown))]
    lines, y, is_apart = [], float(TOP), False
    for rescored in results:
        y += GAP * (not rescored.has_rank and not is_apart)
        is_apart = not rescored.has_rank
        squares = [_square(column, rescored, x) for column, x in zip(shown, places, strict=True)]
        lines.append(Line(y, _name(rescored), squares))
        y += ROW
    return HeatMap(
        title=f"Overall score and tracks on {board.title}",
        description=_described(results, shown),
        headings=[
            (round(x + width / 2, 2), TOP - 18 + 11 * (i % 2), column.heading.capitalize())
            for i, (column, x) in enumerate(zip(shown, places, strict=True))
        ],
        lines=lines,
        square=round(width - 2, 2),
        height=y + 2,
    )


def _square(column: Column, rescored: RescoredRecord, x: float) -> Square:
    score = column.of(rescored)
    value = score.value if score else None
    level = min(max(int((value or 0.0) * N_LEVELS), 0), N_LEVELS - 1)
    return Square(x, text.number(value, 2), level)


def _name(rescored: RescoredRecord) -> str:
    label = rescored.record.label
    return label if len(label) <= _LONGEST_NAME else f"{label[: _LONGEST_NAME - 1]}…"


def _described(results: Sequence[RescoredRecord], columns: Sequence[Column]) -> str:
    """Return the numbers of the picture as a text."""
    sentences = []
    for rescored in results:
        values = [
            f"{column.heading} {text.number(score.value if score else None, 2)}"
            for column in columns
            for score in [column.of(rescored)]
        ]
        sentences.append(f"{_name(rescored)}: {', '.join(values)}.")
    return " ".join(sentences)
