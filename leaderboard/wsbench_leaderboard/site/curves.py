"""How a method's primary scores fall as checkpoints are compressed, beside the networks' accuracy.

To survive int4 where the network does not is no use: so both are in the same chart.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wsbench.tasks import PRIMARY
from wsbench_leaderboard.board.collect import Entry
from wsbench_leaderboard.site.charts import Chart, Line, chart

_SCORE_NAMES = {"identification": "MAP@R", "ordering": "τ", "retrieval": "MAP@R"}
_GAP = 0.14  # between "all" directions, which is at no place of a log axis, and the largest k
_LARGEST, _SMALLEST = math.log(500), math.log(5)


@dataclass(frozen=True)
class Family:
    """Perturbations that differ in one number.

    Attributes
    ----------
    title, x_label
        What differs.
    points
        Perturbation to its place on the axis and its label.
    """

    title: str
    x_label: str
    points: Mapping[str, tuple[float, str]]

    def places(self, perturbations: Iterable[str]) -> list[float]:
        """Return where these perturbations are on the axis."""
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
    """The charts of one question."""

    question: str
    score: str
    charts: Sequence[Chart]


def curves(entry: Entry) -> list[Curves]:
    """Return charts by question; those that have nothing but the score on ``none`` are left out."""
    found = []
    for question in PRIMARY:
        charts = [_chart(entry, question, family) for family in FAMILIES]
        present = [chart for chart in charts if chart]
        if present:
            found.append(Curves(question, _SCORE_NAMES[question], present))
    return found


def accuracy(entry: Entry) -> dict[str, float]:
    """Return the accuracies that a record tells of; what is not a share of 1 is left out."""
    recorded = entry.record.content["accuracy"]
    return {
        name: float(value)
        for name, value in recorded.items()
        if isinstance(value, float | int) and 0 <= value <= 1
    }


def _chart(entry: Entry, question: str, family: Family) -> Chart | None:
    scores = {}
    for name in family.points:
        score = entry.scores.get(f"{question}/{name}", {}).get(PRIMARY[question])
        if score and score.value is not None:
            scores[name] = (score.value, score.interval or (score.value, score.value))
    if len(scores) < 2:
        return None
    survived = {name: value for name, value in accuracy(entry).items() if name in family.points}
    survived = {name: survived[name] for name in family.points if name in survived}
    lines = [
        Line("accuracy", family.places(survived), list(survived.values()), dots=True),
        Line(
            "score",
            family.places(scores),
            [value for value, _ in scores.values()],
            [interval for _, interval in scores.values()],
            dots=True,
        ),
    ]
    low = min([0.0, *(interval[0] for _, interval in scores.values())])
    label = _SCORE_NAMES[question]
    return chart(
        f"{family.title}: {label} of {question}",
        f"{label} of {question} and accuracy of the networks; the numbers are in the table below.",
        lines,
        (family.x_label, list(family.points.values())),
        (label, (math.floor(low * 4) / 4, 1.0)),
    )
