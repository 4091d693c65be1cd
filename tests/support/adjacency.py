"""Adjacency, a task that wsbench does not have: is a checkpoint's nearest of its model a neighbour?

It has the names that `wsbench.tasks.catalogue.Task` lists, and nothing else knows of it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wsbench.methods.session import Session
from wsbench.tasks.blinded_zoo import BlindedCheckpoints
from wsbench.tasks.ground_truth import Answers, GroundTruth, compact, expect_shape
from wsbench.tasks.score import LARGEST, Column, Score, ScoreSpec, mean, score_of_models

NAME = "adjacency"
VERSION = 3
QUESTION = "is the nearest checkpoint of a model an epoch away?"
LEAVES_OUT: tuple[str, ...] = ("prune-95",)
ARRAYS = {"nearest": "u"}
SCORES = (
    ScoreSpec("adjacent", "next door", "share whose nearest is an epoch away", is_primary=True),
    ScoreSpec("gap", "epochs off", "mean gap in epochs", range=(0.0, LARGEST), in_summary=True),
)
COLUMNS = (Column("adjacent"), Column("gap", "int4"))


def run(session: Session, shown: BlindedCheckpoints) -> Answers:
    """Fit the method and ask it for distances."""
    session.fit(shown.train, shown.train_labels)
    place = np.argsort(shown.shown_order)
    distances = session.distances(shown.test)[np.ix_(place, place)]
    np.fill_diagonal(distances, np.inf)
    distances[shown.truth.model[:, None] != shown.truth.model] = np.inf
    return {"nearest": compact(np.argmin(distances, axis=1))}


def check(answers: Mapping[str, Any], truth: GroundTruth) -> None:
    """Raise `ValueError` if a nearest is of another model, or the checkpoint itself."""
    nearest, rows = answers["nearest"], np.arange(len(truth.model))
    expect_shape("nearest", nearest, rows.shape)
    if nearest.max() >= len(rows) or (nearest == rows).any():
        raise ValueError("nearest: must be another row")
    if (truth.model[nearest] != truth.model).any():
        raise ValueError("nearest: must be of the same model")


def scores(answers: Mapping[str, Any], truth: GroundTruth) -> dict[str, Score]:
    """Return the share of neighbours in time, and the mean gap."""
    return {
        "adjacent": score_of_models(by_model(answers, truth), SCORES[0]),
        "gap": Score(mean(_gaps(answers, truth))),
    }


def by_model(answers: Mapping[str, Any], truth: GroundTruth) -> Any:
    """Return the share of each model, models ascending."""
    gaps = _gaps(answers, truth)
    return np.array([mean(gaps[rows] == 1) for rows in truth.rows_by_model()])


def chance(truth: GroundTruth) -> float:
    """Return the share of random answers: of k epochs, the first and last have one neighbour."""
    return mean([2 / len(rows) for rows in truth.rows_by_model()])


def _gaps(answers: Mapping[str, Any], truth: GroundTruth) -> Any:
    epoch = truth.epoch.astype(int)
    return np.abs(epoch[answers["nearest"]] - epoch)
