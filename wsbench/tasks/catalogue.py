"""Catalogue of tasks: the one list that suites, records, tables, pages and help texts read.

A task is added by a module with these names and a row in `TASKS`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from wsbench.methods.session import Session
from wsbench.suggestions import unknown_name_error
from wsbench.tasks import identification, ordering, precedence, retrieval, sparse_identification
from wsbench.tasks.blinded_zoo import BlindedCheckpoints
from wsbench.tasks.ground_truth import Answers, GroundTruth
from wsbench.tasks.score import Column, Score, ScoreSpec


class Task(Protocol):
    """The names that a task's module defines."""

    NAME: str
    """Lower case, as on the command line."""

    VERSION: int
    """Raised whenever the same answers get another score."""

    QUESTION: str
    """The task as a question, in one line."""

    LEAVES_OUT: tuple[str, ...]
    """Names of the perturbations under which it is not asked."""

    ARRAYS: Mapping[str, str]
    """The arrays of its answers by kind: ``"u"`` whole numbers from 0 on, ``"f"`` numbers."""

    SCORES: tuple[ScoreSpec, ...]
    """Its scores, one of them primary."""

    COLUMNS: tuple[Column, ...]
    """Its columns in tables over all tasks."""

    def run(self, session: Session, shown: BlindedCheckpoints) -> Answers:
        """Ask a method and return its answers."""

    def check(self, answers: Mapping[str, Any], truth: GroundTruth) -> None:
        """Raise `ValueError` for answers that no method can give."""

    def scores(self, answers: Mapping[str, Any], truth: GroundTruth) -> dict[str, Score]:
        """Return the scores by name."""

    def by_model(self, answers: Mapping[str, Any], truth: GroundTruth) -> npt.NDArray[np.float64]:
        """Return the primary score of each model, models ascending."""

    def chance(self, truth: GroundTruth) -> float:
        """Return the primary score that random answers have on average."""


TASKS: dict[str, Task] = {
    task.NAME: task
    for task in (identification, sparse_identification, ordering, precedence, retrieval)
}


def find_task(name: str) -> Task:
    """Return a task; raise `UnknownIdError` with the nearest name if there is none."""
    if name not in TASKS:
        raise unknown_name_error("task", name, TASKS)
    return TASKS[name]


def asked_under(perturbation: str, tasks: Iterable[str]) -> tuple[str, ...]:
    """Return those of the tasks that are asked under a perturbation.

    Examples
    --------
    >>> asked_under("widen", ["identification", "retrieval"])
    ('identification',)
    """
    return tuple(name for name in tasks if perturbation not in find_task(name).LEAVES_OUT)


def primary_score(task: str) -> ScoreSpec:
    """Return the score that ranks methods in a task.

    Examples
    --------
    >>> primary_score("ordering").name
    'abs_tau'
    """
    return next(spec for spec in find_task(task).SCORES if spec.is_primary)
