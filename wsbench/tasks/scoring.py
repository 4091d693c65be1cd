"""Scoring: the only way from stored answers to scores."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from wsbench.networks.perturbations import COMPRESSION, SYMMETRY
from wsbench.tasks import robustness
from wsbench.tasks.catalogue import TASKS, primary_score
from wsbench.tasks.condition import parse_entry
from wsbench.tasks.ground_truth import Answers, GroundTruth
from wsbench.tasks.score import Score
from wsbench.tasks.tracks import OVERALL, Tracks, track_scores, tracks_by_model

Scores = dict[str, dict[str, Score]]


def task_versions(tasks: Mapping[str, object] | tuple[str, ...]) -> dict[str, int]:
    """Return the version of the code that scores each of these tasks, and of robustness.

    Examples
    --------
    >>> task_versions(("ordering",))
    {'ordering': 3, 'robustness': 2}
    """
    return {**{name: TASKS[name].VERSION for name in tasks}, "robustness": robustness.VERSION}


@dataclass(frozen=True)
class Scored:
    """Everything that is computed from a method's answers.

    Attributes
    ----------
    scores
        By entry, ``"identification/permute"``, and name.
    robustness
        By task, and ``"compression"`` or ``"symmetry"``.
    tracks
        By task, and ``"overall"`` or track; ``"overall"`` among the tasks is the score that ranks.
    """

    scores: Scores = field(default_factory=dict)
    robustness: Scores = field(default_factory=dict)
    tracks: Scores = field(default_factory=dict)


def score_answers(
    answers: Mapping[str, Answers],
    truths: Mapping[str, GroundTruth],
    tracks: Tracks | None = None,
) -> Scored:
    """Return everything that is computed from a method's answers.

    Parameters
    ----------
    answers
        By entry, ``"identification/permute"``.
    truths
        By protocol, ``"standard"``.
    tracks
        Of the suite; None for a suite without tracks.
    """
    scores = {}
    for entry, arrays in answers.items():
        name, condition = parse_entry(entry)
        scores[entry] = TASKS[name].scores(arrays, truths[condition.protocol])
    summaries: Scores = {}
    by_task = {task: primary_by_model(answers, truths, task) for task in TASKS}
    limits_of = {task: primary_score(task).range for task in TASKS}
    for name, by_perturbation in by_task.items():
        if "none" in by_perturbation and len(by_perturbation) > 1:
            chance, limits = TASKS[name].chance(truths["standard"]), limits_of[name]
            summaries[name] = {
                kind: robustness.robustness(by_perturbation, perturbations, chance, limits)
                for kind, perturbations in (("compression", COMPRESSION), ("symmetry", SYMMETRY))
            }
    return Scored(scores, summaries, track_scores(tracks or Tracks(), by_task, limits_of))


def ranked_by_model(
    answers: Mapping[str, Answers], truths: Mapping[str, GroundTruth], tracks: Tracks
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the scores of each model that rank methods, ``(n_models,)`` each.

    Parameters
    ----------
    answers, truths
        As in `primary_by_model`.
    tracks
        Of the suite.

    Returns
    -------
    by_model
        ``"overall"``, and each task's mean over the tracks. In a suite without tracks, each task's
        primary score under its first perturbation, which is ``"none"`` if that was asked.
    """
    by_task = {task: primary_by_model(answers, truths, task) for task in TASKS}
    asked = {task: primary for task, primary in by_task.items() if primary}
    if not tracks.conditions:
        return {
            task: primary.get("none", next(iter(primary.values())))
            for task, primary in asked.items()
        }
    found = tracks_by_model(tracks, asked)
    return {name: by_track[OVERALL] for name, by_track in found.items()}


def primary_by_model(
    answers: Mapping[str, Answers], truths: Mapping[str, GroundTruth], task: str
) -> dict[str, npt.NDArray[np.float64]]:
    """Return a task's primary score on each model under the standard protocol, first repeat.

    Parameters
    ----------
    answers, truths
        Of an `Evaluation`, or from a record.
    task
        ``"identification"``, for instance.

    Returns
    -------
    by_perturbation
        Perturbation to ``(n_models,)``, models ascending.
    """
    found = {}
    for entry, arrays in answers.items():
        name, condition = parse_entry(entry)
        if name == task and condition.protocol == "standard" and not condition.repeat:
            found[condition.perturbation] = TASKS[task].by_model(arrays, truths["standard"])
    return found
