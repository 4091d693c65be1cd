"""Curves of a method's primary scores under compression, beside the networks' accuracy.

A score that survives int4 is of no use where the network does not, so one chart shows both. The
best other method of the board shows what is within reach.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord
from wsbench_leaderboard.site.charts import Chart, Line, chart

_GAP = 0.14  # between "all" directions, which a log axis cannot place, and the largest k
_LARGEST, _SMALLEST = math.log(500), math.log(5)


@dataclass(frozen=True)
class Family:
    """Perturbations that differ in one number.

    Attributes
    ----------
    title, x_label
        Names of the family and of the number.
    points
        Perturbation to its position on the axis and its label.
    """

    title: str
    x_label: str
    points: Mapping[str, tuple[float, str]]

    def places(self, perturbations: Iterable[str]) -> list[float]:
        """Return the positions of perturbations on the axis."""
        return [self.points[name][0] for name in perturbations]


def _log_place(k: int) -> float:
    return _GAP + (1 - _GAP) * (_LARGEST - math.log(k)) / (_LARGEST - _SMALLEST)


_SVD = {f"svd-{k}": (_log_place(k), str(k)) for k in (500, 100, 50, 25, 10, 5)}
_FORMATS = ("float16", "bfloat16", "int8", "int4")
_ROUNDING = {name: (0.28 + 0.22 * i, name) for i, name in enumerate(_FORMATS)}
_PRUNING = {
    f"prune-{s}": (math.log(1 - s / 100) / math.log(0.05), str(s)) for s in (50, 80, 90, 95)
}

FAMILIES = (
    Family("Singular directions", "directions kept (log)", {"none": (0, "all"), **_SVD}),
    Family("Rounding", "number format", {"none": (0.06, "float32"), **_ROUNDING}),
    Family("Pruning", "weights set to zero, % (log of the rest)", {"none": (0, "0"), **_PRUNING}),
)


@dataclass(frozen=True)
class Curves:
    """The charts of one task."""

    task: str
    score: str
    charts: Sequence[Chart]


def curves(rescored: RescoredRecord, other: RescoredRecord | None = None) -> list[Curves]:
    """Return charts by task, for families with at least two scores, with another method's curve."""
    by_task = []
    for task in wsbench.TASKS:
        charts = [_chart(rescored, other, task, family) for family in FAMILIES]
        present = [chart for chart in charts if chart]
        if present:
            by_task.append(Curves(task, wsbench.primary_score(task).heading, present))
    return by_task


def accuracy(rescored: RescoredRecord) -> dict[str, float]:
    """Return the networks' accuracies in a record, by perturbation."""
    return rescored.record.content.accuracy


def _scores(
    rescored: RescoredRecord | None, task: str, family: Family
) -> dict[str, tuple[float, tuple[float, float]]]:
    """Return value and interval of the primary score by perturbation of a family."""
    by_entry = rescored.scores if rescored else {}
    found = {}
    for name in family.points:
        entry = by_entry.get(f"{task}/{name}", {})
        score = entry.get(wsbench.primary_score(task).name)
        if score and score.value is not None:
            found[name] = (score.value, score.interval or (score.value, score.value))
    return found


def _chart(
    rescored: RescoredRecord, other: RescoredRecord | None, task: str, family: Family
) -> Chart | None:
    scores, others = (_scores(one, task, family) for one in (rescored, other))
    if len(scores) < 2:
        return None
    survived = {name: value for name, value in accuracy(rescored).items() if name in family.points}
    survived = {name: survived[name] for name in family.points if name in survived}
    lines = [
        Line("accuracy", family.places(survived), list(survived.values()), dots=True),
        Line("other", family.places(others), [value for value, _ in others.values()]),
        Line(
            "score",
            family.places(scores),
            [value for value, _ in scores.values()],
            [interval for _, interval in scores.values()],
            dots=True,
        ),
    ]
    low = min([0.0, *(interval[0] for _, interval in scores.values())])
    low = min([low, *(value for value, _ in others.values())])
    label = wsbench.primary_score(task).heading
    name = task if label == task else f"{label} of {task}"
    return chart(
        f"{family.title}: {name}",
        f"{name} and accuracy of the networks; the table below has the numbers.",
        lines,
        (family.x_label, list(family.points.values())),
        (label, (math.floor(low * 4) / 4, 1.0)),
    )
