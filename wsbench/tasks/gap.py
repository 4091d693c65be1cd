"""Generalisation gap: a method's scores on other models than the published ones.

A method that knows the published test models, and not the zoo's recipe, scores lower on fresh ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from wsbench.metrics.intervals import LEAST_MODELS, interval_of_difference
from wsbench.tasks.catalogue import TASKS, primary_score
from wsbench.tasks.ground_truth import Answers, GroundTruth
from wsbench.tasks.score import mean
from wsbench.tasks.scoring import primary_by_model
from wsbench.tasks.tracks import Tracks, limits_of_tracks, tracks_by_model
from wsbench.typing import Doubles

Answered = tuple[Mapping[str, Answers], Mapping[str, GroundTruth]]


@dataclass(frozen=True)
class Gap:
    """The difference between a score on other models and on the published ones.

    Attributes
    ----------
    published, other
        Means over models.
    interval
        Of other minus published, over both sets of models; None if one has fewer than three.
    """

    published: float
    other: float
    interval: tuple[float, float] | None

    @property
    def difference(self) -> float:
        """Other minus published."""
        return self.other - self.published

    @property
    def is_open(self) -> bool:
        """Whether the interval excludes 0."""
        return self.interval is not None and not self.interval[0] <= 0 <= self.interval[1]


def generalisation_gaps(
    published: Answered, other: Answered, tracks: Tracks, *, level: float = 0.95
) -> dict[str, dict[str, Gap]]:
    """Return the gap of each task and track that both have answers to.

    Parameters
    ----------
    published, other
        Answers by entry and labels by protocol, of one method on two sets of models: as
        `load_answers` returns them, or an evaluation has them.
    tracks
        Of the suite.
    level
        Coverage of each interval.

    Returns
    -------
    gaps
        Task, or ``"overall"``, to ``"overall"`` or track to gap.
    """
    limits = limits_of_tracks(tracks, {task: primary_score(task).range for task in TASKS})
    first, second = (_by_model(answered, tracks) for answered in (published, other))
    return {
        task: {
            track: _gap(values, second[task][track], limits[task], level)
            for track, values in by_track.items()
        }
        for task, by_track in first.items()
        if task in second
    }


def _by_model(answered: Answered, tracks: Tracks) -> dict[str, dict[str, Doubles]]:
    by_task = {task: primary_by_model(*answered, task) for task in TASKS}
    return tracks_by_model(tracks, by_task)


def _gap(first: Doubles, second: Doubles, limits: tuple[float, float], level: float) -> Gap:
    is_stated = min(len(first), len(second)) >= LEAST_MODELS
    ends = interval_of_difference(second, first, limits, level=level) if is_stated else None
    return Gap(mean(first), mean(second), ends)
