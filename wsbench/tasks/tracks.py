"""Tracks: groups of conditions whose mean ranks methods.

A track's score of a model is the mean over its conditions, the overall score the mean over tracks.
Both are per model, so that intervals and paired comparisons hold for them as for any score.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from wsbench.tasks.score import Score, interval_over_models, mean
from wsbench.typing import Doubles

OVERALL = "overall"

ByPerturbation = Mapping[str, Doubles]  # perturbation to the score of each model, (n_models,)


@dataclass(frozen=True)
class Tracks:
    """The tracks of a suite.

    Attributes
    ----------
    conditions
        Track to its conditions. Each is a list of perturbations, of which the first that was asked
        counts: networks of some layouts allow fewer.
    tasks
        The tasks of which the mean is the overall score.
    """

    conditions: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()

    @property
    def perturbations(self) -> tuple[str, ...]:
        """All perturbations of the tracks."""
        return tuple(p for track in self.conditions.values() for one in track for p in one)

    def among(self, perturbations: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return those of some perturbations that count for each track."""
        counting = {
            track: [next((p for p in one if p in perturbations), None) for one in conditions]
            for track, conditions in self.conditions.items()
        }
        return {track: tuple(p for p in found if p) for track, found in counting.items()}

    def by_model(self, primary: ByPerturbation) -> dict[str, Doubles]:
        """Return the score of each model by track, and ``"overall"``, their mean.

        Parameters
        ----------
        primary
            Perturbation to a task's primary score of each model, ``(n_models,)``.

        Returns
        -------
        by_track
            Without the tracks that have no condition among those of `primary`: a task need not be
            asked under all.
        """
        among = self.among(primary)
        found = {
            track: _mean([primary[p] for p in asked]) for track, asked in among.items() if asked
        }
        return {OVERALL: _mean(list(found.values())), **found} if found else {}

    def overall_by_model(self, by_task: Mapping[str, ByPerturbation]) -> dict[str, Doubles]:
        """Return the same as `by_model`, of the mean over the tasks that count for the overall.

        Empty unless each of these tasks was asked in every track.
        """
        parts = [self.by_model(by_task.get(task, {})) for task in self.tasks]
        if not parts or any(set(part) != {OVERALL, *self.conditions} for part in parts):
            return {}
        return {track: _mean([part[track] for part in parts]) for track in parts[0]}


def track_scores(
    tracks: Tracks,
    by_task: Mapping[str, ByPerturbation],
    limits_of: Mapping[str, tuple[float, float]],
) -> dict[str, dict[str, Score]]:
    """Return the scores of each task by track, and those of ``"overall"``, with intervals.

    Parameters
    ----------
    tracks
        Of a suite.
    by_task
        Task to perturbation to the primary score of each model.
    limits_of
        Task to the smallest and the largest value of its primary score.
    """
    limits = limits_of_tracks(tracks, limits_of)
    return {
        task: {
            track: Score(mean(values), interval_over_models(values, limits[task]))
            for track, values in by_track.items()
        }
        for task, by_track in tracks_by_model(tracks, by_task).items()
    }


def tracks_by_model(
    tracks: Tracks, by_task: Mapping[str, ByPerturbation]
) -> dict[str, dict[str, Doubles]]:
    """Return each model's score by task, or ``"overall"``, and track; arguments as above."""
    of_task = {task: tracks.by_model(primary) for task, primary in by_task.items()}
    all_tasks = {OVERALL: tracks.overall_by_model(by_task), **of_task}
    return {task: by_track for task, by_track in all_tasks.items() if by_track}


def limits_of_tracks(
    tracks: Tracks, limits_of: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return the smallest and the largest value by task, and of ``"overall"``."""
    ends = list(zip(*(limits_of[task] for task in tracks.tasks), strict=True)) or [(0.0,), (1.0,)]
    return {**limits_of, OVERALL: (min(ends[0]), max(ends[1]))}


def _mean(values: list[Doubles]) -> Doubles:
    """Return the mean, in which the order of the values changes no digit."""
    mean: Doubles = np.mean(np.sort(np.array(values), axis=0), axis=0)
    return mean
