"""Scoring: the only way from stored answers to scores."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from wsbench.networks.perturbations import COMPRESSION, SYMMETRY
from wsbench.tasks import robustness
from wsbench.tasks.catalogue import TASKS, primary_score
from wsbench.tasks.condition import parse_entry
from wsbench.tasks.ground_truth import Answers, GroundTruth
from wsbench.tasks.score import Score

Scores = dict[str, dict[str, Score]]


def task_versions(tasks: Mapping[str, object] | tuple[str, ...]) -> dict[str, int]:
    """Return the version of the code that scores each of these tasks, and of robustness.

    Examples
    --------
    >>> task_versions(("ordering",))
    {'ordering': 2, 'robustness': 2}
    """
    return {**{name: TASKS[name].VERSION for name in tasks}, "robustness": robustness.VERSION}


def score_answers(
    answers: Mapping[str, Answers], truths: Mapping[str, GroundTruth]
) -> tuple[Scores, Scores]:
    """Return scores by entry, and robustness by task.

    Parameters
    ----------
    answers
        By entry, ``"identification/permute"``.
    truths
        By protocol, ``"standard"``.
    """
    scores = {}
    for entry, arrays in answers.items():
        name, condition = parse_entry(entry)
        scores[entry] = TASKS[name].scores(arrays, truths[condition.protocol])
    summaries: Scores = {}
    for name, task in TASKS.items():
        by_perturbation = primary_by_model(answers, truths, name)
        if "none" in by_perturbation and len(by_perturbation) > 1:
            chance, limits = task.chance(truths["standard"]), primary_score(name).range
            summaries[name] = {
                kind: robustness.robustness(by_perturbation, perturbations, chance, limits)
                for kind, perturbations in (("compression", COMPRESSION), ("symmetry", SYMMETRY))
            }
    return scores, summaries


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
