"""Coordinates of line charts; the macro ``chart`` of the templates draws them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 340, 200
LEFT, RIGHT, TOP, BOTTOM = 38, 10, 10, 38

Interval = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """Values from left to right.

    Attributes
    ----------
    style
        Class of the shape: ``"score"``, ``"accuracy"``, ``"median"`` or ``"extreme"``.
    x
        Positions from 0, left, to 1, right.
    y
        Values; empty for a band without a line.
    intervals
        A band around the line, one interval for each position; empty for no band.
    dots
        Whether values are marked.
    """

    style: str
    x: Sequence[float]
    y: Sequence[float]
    intervals: Sequence[Interval] = ()
    dots: bool = False


@dataclass(frozen=True)
class Path:
    """A shape: its class and its SVG path."""

    style: str
    d: str


@dataclass(frozen=True)
class Chart:
    """A chart; all coordinates are in units of its view box."""

    title: str
    description: str
    x_label: str
    y_label: str
    x_ticks: Sequence[tuple[float, str]]
    y_ticks: Sequence[tuple[float, str]]
    paths: Sequence[Path]
    dots: Sequence[tuple[str, float, float]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def chart(
    title: str,
    description: str,
    lines: Sequence[Line],
    x_axis: tuple[str, Sequence[tuple[float, str]]],
    y_axis: tuple[str, Interval],
) -> Chart:
    """Return a chart of lines.

    Parameters
    ----------
    title, description
        For screen readers.
    lines
        Drawn in this order.
    x_axis
        Label, and ticks: positions between 0 and 1 with their labels.
    y_axis
        Label, and the values at the bottom and the top.
    """
    low, high = y_axis[1]

    def point(x: float, y: float) -> tuple[float, float]:
        across = LEFT + x * (WIDTH - RIGHT - LEFT)
        down = HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - BOTTOM - TOP)
        return round(across, 1), round(down, 1)

    paths, dots = [], []
    for line in lines:
        if line.intervals:
            upper = [point(x, i[1]) for x, i in zip(line.x, line.intervals, strict=True)]
            lower = [point(x, i[0]) for x, i in zip(line.x, line.intervals, strict=True)]
            paths.append(Path(f"{line.style}-band", _path([*upper, *reversed(lower)]) + "Z"))
        points = [point(x, y) for x, y in zip(line.x, line.y, strict=True)] if line.y else []
        if points:
            paths.append(Path(line.style, _path(points)))
        dots += [(line.style, *at) for at in points if line.dots]
    return Chart(
        title=title,
        description=description,
        x_label=x_axis[0],
        y_label=y_axis[0],
        x_ticks=[(point(x, low)[0], label) for x, label in x_axis[1]],
        y_ticks=[(point(0, value)[1], _short(value)) for value in ticks(low, high)],
        paths=paths,
        dots=dots,
    )


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers within a range: multiples of 1, 2, 2.5 or 5 times a power of ten.

    Examples
    --------
    >>> ticks(0, 1), ticks(-0.9, 1)
    ([0.0, 0.25, 0.5, 0.75, 1.0], [-0.5, 0.0, 0.5, 1.0])
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = [power * factor for factor in (1, 2, 2.5, 5, 10, 20)]
    slack = (high - low) * 1e-9

    def count(step: float) -> int:
        return math.floor((high + slack) / step) - math.ceil((low - slack) / step) + 1

    step = next(step for step in steps if count(step) <= most)
    first = math.ceil((low - slack) / step)
    return [(first + i) * step + 0.0 for i in range(count(step))]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _short(value: float) -> str:
    return f"{value:.6g}".replace("-", "−")
