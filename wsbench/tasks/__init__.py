"""The questions asked of a method, what is kept of its answers, and the scores of these.

Each module is a question: `answers` makes arrays of a method's distances or orders, `check` refuses
arrays that no method can give, `scores` and `by_model` compute from the arrays alone, here and in
`wsbench.rescore`, so that a number can always be computed again. Rows are numbered by model and
epoch, whatever their order in the zoo and whichever a method saw first.
"""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from wsbench.tasks import identification, ordering, retrieval
from wsbench.tasks.ground_truth import Answers, GroundTruth, Rows
from wsbench.tasks.score import Score

__all__ = [
    "PRIMARY",
    "QUESTIONS",
    "Answers",
    "GroundTruth",
    "Question",
    "Rows",
    "Score",
    "evaluator_digest",
]


class Question(Protocol):
    """What the modules have in common."""

    PRIMARY: str

    def check(self, answers: Mapping[str, Any], truth: GroundTruth) -> None:
        """Raise `ValueError` if these are not such as a method's answers can be."""

    def scores(self, answers: Mapping[str, Any], truth: GroundTruth, seed: int) -> dict[str, Score]:
        """Return the scores by name."""

    def by_model(self, answers: Mapping[str, Any], truth: GroundTruth) -> npt.NDArray[np.float64]:
        """Return the primary score of each model."""


QUESTIONS: Mapping[str, Question] = {
    "identification": identification,
    "ordering": ordering,
    "retrieval": retrieval,
}

PRIMARY = {name: question.PRIMARY for name, question in QUESTIONS.items()}

# The modules whose code computes scores from answers: their hash is the evaluator digest of a
# record. What is asked, and after which perturbation, is told by the version of the suite.
_EVALUATOR = (
    "metrics/bootstrap.py",
    "metrics/linkage.py",
    "metrics/clustering.py",
    "metrics/distances.py",
    "metrics/ordering.py",
    "metrics/retrieval.py",
    "tasks/robustness.py",
    "tasks/identification.py",
    "tasks/ordering.py",
    "tasks/retrieval.py",
    "tasks/score.py",
    "tasks/ground_truth.py",
)


def evaluator_digest() -> str:
    """Return the hash of the code that computes scores: ``sha256:…``."""
    sha = hashlib.sha256()
    for name in _EVALUATOR:
        sha.update(f"{name}\n".encode())
        sha.update((files("wsbench") / name).read_bytes())
    return f"sha256:{sha.hexdigest()}"
