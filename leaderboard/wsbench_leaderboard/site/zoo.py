"""The page of a zoo: its content, training, and accuracy under perturbations."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wsbench
from wsbench_leaderboard.site import text
from wsbench_leaderboard.site.boards import Board
from wsbench_leaderboard.site.cells import BAR_WIDTH
from wsbench_leaderboard.site.charts import Chart, Line, chart, ticks
from wsbench_leaderboard.site.curves import accuracy
from wsbench_leaderboard.site.facts import QUANTILES, Distribution, read_facts
from wsbench_leaderboard.site.names import zoo_path


@dataclass(frozen=True)
class AccuracyRow:
    """Accuracy of the networks under a perturbation; the bar is at most 48 units long."""

    perturbation: str
    kind: str
    accuracy: str
    change: str
    bar: float


@dataclass(frozen=True)
class ZooPage:
    """A zoo; title, recipe and address of the data are empty if no package publishes it."""

    page: str
    id: str
    heading: str
    anchor: str
    title: str
    is_published: bool
    data_url: str
    facts: Sequence[tuple[str, str]]
    accuracy: Sequence[AccuracyRow]
    charts: Sequence[Chart]
    recipe: str


def zoo_page(board: Board, facts_folder: Path) -> ZooPage:
    """Return the page of a board's zoo; raise `FormatError` if its facts are damaged."""
    published = wsbench.published_zoos().get(board.zoo)
    if published and published.content_digest != board.digest:
        published = None  # another zoo of the same id
    recipe = wsbench.provider_of(board.zoo).recipe_text(board.zoo) if published else ""
    return ZooPage(
        page=zoo_path(board),
        id=board.zoo,
        heading=board.title,
        anchor=board.slug,
        title=published.title if published else "",
        is_published=published is not None,
        data_url=published.data_url if published else "",
        facts=[
            *(_published(published, tomllib.loads(recipe)) if published else ()),
            ("Test models", f"{board.n_models:,}"),
            ("Content digest", board.digest),
        ],
        accuracy=_accuracy(board),
        charts=_charts(board, facts_folder),
        recipe=recipe,
    )


def _published(zoo: wsbench.PublishedZoo, recipe: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("Models", f"{zoo.models:,}"),
        ("Checkpoints", f"{zoo.checkpoints:,}"),
        ("Weights of a checkpoint", f"{zoo.parameters:,}"),
        ("Size", f"{zoo.bytes / 1e6:,.0f} MB"),
        ("Licence", str(recipe.get("license", "not stated"))),
    ]


def _accuracy(board: Board) -> list[AccuracyRow]:
    """Return the accuracies of the first record that has some; all use the same networks."""
    having = [
        rescored for rescored in board.results if accuracy(rescored) and not rescored.is_stale
    ]
    having.sort(key=lambda rescored: (rescored.record.content.seed, rescored.record.path.name))
    values = accuracy(having[0]) if having else {}
    whole = values.get("none")
    rows = []
    for name, kind in wsbench.PERTURBATIONS.items():
        if name not in values:
            continue
        change = None if whole is None or name == "none" else values[name] - whole
        bar = round(values[name] * BAR_WIDTH, 2)
        kind_text = "" if name == "none" else kind
        row = AccuracyRow(name, kind_text, text.number(values[name]), text.number(change), bar)
        rows.append(row)
    return rows


def _charts(board: Board, folder: Path) -> list[Chart]:
    facts = read_facts(folder, board.zoo, board.digest)
    if facts is None:
        return []
    return [
        _distribution("Test accuracy", "accuracy", facts.test_accuracy, high=1.0),
        _distribution("Step length", "step length", facts.step_length),
    ]


def _distribution(title: str, label: str, by_epoch: Distribution, high: float = 0.0) -> Chart:
    """Return a chart of median, middle half, middle 80 % and extremes by epoch."""
    first, last = by_epoch.epochs[0], by_epoch.epochs[-1]
    x = [(epoch - first) / max(last - first, 1) for epoch in by_epoch.epochs]
    columns = dict(zip(QUANTILES, zip(*by_epoch.values, strict=True), strict=True))
    high = high or max(columns[1.0]) * 1.02 or 1.0

    def line(style: str, quantile: float) -> Line:
        return Line(style, x, columns[quantile])

    def band(style: str, low: float, high: float) -> Line:
        return Line(style, x, (), list(zip(columns[low], columns[high], strict=True)))

    lines = [
        band("outer", 0.1, 0.9), band("inner", 0.25, 0.75),
        line("extreme", 0.0), line("extreme", 1.0), line("median", 0.5),
    ]  # fmt: skip
    low, median, top = (text.number(columns[quantile][-1]) for quantile in (0.0, 0.5, 1.0))
    description = f"At epoch {last}: median {median}, from {low} to {top}."
    places = [((e - first) / max(last - first, 1), f"{e:g}") for e in ticks(first, last, 6)]
    return chart(f"{title} by epoch", description, lines, ("epoch", places), (label, (0.0, high)))
