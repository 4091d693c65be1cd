"""Scores: description, value and interval of a score, and its column in tables."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt

from wsbench.metrics.intervals import LEAST_MODELS, interval

LARGEST = 1e12  # a score beyond this counts as infinite: nothing that is measured reaches it

Bounded = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]


@dataclass(frozen=True)
class ScoreSpec:
    """The description of a score, which tables, pages and help texts show.

    Attributes
    ----------
    name
        Its key in records.
    heading
        Of its column.
    meaning
        One line.
    is_primary
        Whether it ranks methods; each task has one such score, with an interval over models.
    range
        Smallest and largest value; finite and no wider than it must be for the primary score, whose
        interval depends on it.
    in_summary
        Whether the table at the terminal shows it, beside the primary one.
    """

    name: str
    heading: str
    meaning: str
    is_primary: bool = False
    range: tuple[float, float] = (0.0, 1.0)
    in_summary: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a task in tables over all tasks.

    Attributes
    ----------
    score
        Name of a score; empty for a robustness or a track.
    perturbation
        Under which the score is shown.
    robustness
        ``"compression"`` or ``"symmetry"``: the robustness to this kind.
    track
        ``"overall"``, the mean over the tracks, or a track of the suite.
    """

    score: str = ""
    perturbation: str = "none"
    robustness: str = ""
    track: str = ""


class Score(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value and, if it has one, its 95 % interval; None stands for infinite or undefined.

    Fewer than three models give no interval.
    """

    value: Bounded | None
    interval: tuple[Bounded, Bounded] | None = None


def score_of_models(values: npt.NDArray[np.float64], spec: ScoreSpec) -> Score:
    """Return the mean of one value per model, with an interval over models."""
    return Score(mean(values), interval_over_models(values, spec.range))


def interval_over_models(
    values: npt.NDArray[np.float64], limits: tuple[float, float]
) -> tuple[float, float] | None:
    """Return the interval of the mean of one value per model; None from too few models."""
    return interval(values, limits) if len(values) >= LEAST_MODELS else None


def mean(values: npt.ArrayLike) -> float:
    """Return the mean, in which the order of the values changes no digit."""
    return float(np.mean(np.sort(np.asarray(values, np.float64))))
