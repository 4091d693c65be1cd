"""Sparse identification: identification of three checkpoints of each model, far apart in training.

With every epoch at hand, a method that may look at all checkpoints at once follows a trajectory
from one to the next. Few checkpoints leave it nothing to follow. The first and the last epoch
alone, the hardest pair, are asked about separately.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.methods.session import Session
from wsbench.tasks import relevance
from wsbench.tasks.blinded_zoo import BlindedCheckpoints
from wsbench.tasks.ground_truth import Answers, GroundTruth, Rows
from wsbench.tasks.score import Column, Score, ScoreSpec, mean, score_of_models

NAME = "sparse-identification"
VERSION = 1
QUESTION = "which are of one model, given three epochs of each?"
ARRAYS = {"relevant": "u", "relevant_ends": "u"}
LEAVES_OUT: tuple[str, ...] = ()
SCORES = (
    ScoreSpec("map_at_r", "MAP@R", "mean average precision at R", is_primary=True),
    ScoreSpec(
        "ends", "ends", "MAP@R with the first and the last epoch alone", in_summary=True
    ),
)  # fmt: skip
COLUMNS = (Column("map_at_r"), Column("ends"))


def run(session: Session, shown: BlindedCheckpoints) -> Answers:
    """Fit the method on all perturbed train checkpoints and ask it twice for distances."""
    session.fit(shown.train, shown.train_labels)
    return {
        "relevant": _asked(session, shown, shown.truth.sparse),
        "relevant_ends": _asked(session, shown, shown.truth.ends),
    }


def _asked(
    session: Session, shown: BlindedCheckpoints, rows: Rows
) -> npt.NDArray[np.unsignedinteger]:
    """Return what is kept of the distances between some rows of the truth, in the order shown."""
    places = np.flatnonzero(np.isin(shown.shown_order, rows))
    order = np.searchsorted(rows, shown.shown_order[places])
    truth = shown.truth.subset(rows)
    distances = session.distances(shown.test[places])
    return relevance.packed(relevance.neighbours(distances, truth, order, shown.seed), truth)


def check(answers: Mapping[str, Any], truth: GroundTruth) -> None:
    """Raise `ValueError` for answers that no method can give."""
    relevance.check("relevant", answers["relevant"], truth.subset(truth.sparse))
    relevance.check("relevant_ends", answers["relevant_ends"], truth.subset(truth.ends))


def scores(answers: Mapping[str, Any], truth: GroundTruth) -> dict[str, Score]:
    """Return the scores; ``map_at_r`` is the primary one."""
    ends = relevance.precision_by_model(answers["relevant_ends"], truth.subset(truth.ends))
    return {
        "map_at_r": score_of_models(by_model(answers, truth), SCORES[0]),
        "ends": Score(mean(ends)),
    }


def by_model(answers: Mapping[str, Any], truth: GroundTruth) -> npt.NDArray[np.float64]:
    """Return MAP@R of each model, models ascending, ``(n_models,)``."""
    return relevance.precision_by_model(answers["relevant"], truth.subset(truth.sparse))


def chance(truth: GroundTruth) -> float:
    """Return the MAP@R that random distances have on average."""
    return relevance.chance(truth.subset(truth.sparse))
