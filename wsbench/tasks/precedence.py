"""Precedence: decide which of two checkpoints of one model came first.

Pairs are of test models, 1, 5 and 25 epochs apart, at most ten of each model and gap. A method
answers with its progress, or by its order of the two; one that has neither is at chance.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.methods.session import Session
from wsbench.tasks.blinded_zoo import BlindedCheckpoints
from wsbench.tasks.ground_truth import Answers, GroundTruth, Rows, expect_shape, spread
from wsbench.tasks.score import Column, Score, ScoreSpec, mean, score_of_models

NAME = "precedence"
VERSION = 1
QUESTION = "which of two checkpoints of one model came first?"
ARRAYS = {"correct": "u"}
LEAVES_OUT: tuple[str, ...] = ()
GAPS = (1, 5, 25)
SCORES = (
    ScoreSpec(
        "precedence", "precedence",
        "accuracy less that of chance, mean over gaps: 1 always right, 0 chance, -1 always wrong",
        is_primary=True, range=(-1.0, 1.0),
    ),
    *(
        ScoreSpec(f"gap_{gap}", f"gap {gap}", f"accuracy for a gap of {gap}", in_summary=True)
        for gap in GAPS
    ),
)  # fmt: skip
COLUMNS = (Column(track="overall"),)

_N_PAIRS = 10  # of a model and a gap
_WRONG, _UNDECIDED, _RIGHT = range(3)


def run(session: Session, shown: BlindedCheckpoints) -> Answers:
    """Fit the method as for identification and ask it about each pair."""
    session.fit(shown.train, shown.train_labels)
    place = np.argsort(shown.shown_order)
    asked = place[pairs(shown.truth)[:, 2:]]
    answers = np.full(len(asked), _UNDECIDED, np.uint8)
    if session.has_progress:
        progress = session.progress(shown.test)
        difference = progress[asked[:, 1]] - progress[asked[:, 0]]
        answers = (np.sign(difference) + 1).astype(np.uint8)
    elif session.has_order:
        answers = np.array([_by_order(session, shown, pair) for pair in asked], np.uint8)
    return {"correct": answers}


def _by_order(session: Session, shown: BlindedCheckpoints, pair: Rows) -> int:
    """Return whether a method puts a pair, earlier first, in the right order."""
    as_shown = np.sort(pair)  # the order in which it sees them carries no information
    first = as_shown[session.order(shown.test[as_shown])[0]]
    return _RIGHT if first == pair[0] else _WRONG


def check(answers: Mapping[str, Any], truth: GroundTruth) -> None:
    """Raise `ValueError` for answers that no method can give."""
    expect_shape("correct", answers["correct"], (len(pairs(truth)),))
    if (answers["correct"] > _RIGHT).any():
        raise ValueError("correct: expected 0 (wrong), 1 (undecided) or 2 (right)")


def scores(answers: Mapping[str, Any], truth: GroundTruth) -> dict[str, Score]:
    """Return the scores, means over models; ``precedence`` is the primary one."""
    accuracy = _accuracy(answers, truth)
    return {
        "precedence": score_of_models(by_model(answers, truth), SCORES[0]),
        **{
            f"gap_{gap}": Score(None if np.isnan(of_gap).any() else mean(of_gap))
            for gap, of_gap in zip(GAPS, accuracy, strict=True)
        },
    }


def by_model(answers: Mapping[str, Any], truth: GroundTruth) -> npt.NDArray[np.float64]:
    """Return 2 · accuracy - 1 of each model, mean over its gaps, ``(n_models,)``."""
    excess: npt.NDArray[np.float64] = np.nanmean(2 * _accuracy(answers, truth) - 1, axis=0)
    return excess


def _accuracy(answers: Mapping[str, Any], truth: GroundTruth) -> npt.NDArray[np.float64]:
    """Return the accuracy of each gap and model, ``(n_gaps, n_models)``; NaN where no pair is."""
    asked, n_models = pairs(truth), truth.n_models
    cell = asked[:, 0] * n_models + asked[:, 1]
    n = np.bincount(cell, minlength=len(GAPS) * n_models)
    right = np.bincount(cell, answers["correct"] / _RIGHT, minlength=len(GAPS) * n_models)
    shares: npt.NDArray[np.float64] = np.full(len(n), np.nan)
    np.divide(right, n, out=shares, where=n > 0)
    return shares.reshape(len(GAPS), n_models)


@lru_cache(maxsize=8)  # a record asks forty times
def pairs(truth: GroundTruth) -> Rows:
    """Return the pairs, ``(n_pairs, 4)``: gap and model by number, earlier and later row."""
    found = []
    for g, gap in enumerate(GAPS):
        for m, rows in enumerate(truth.rows_by_model()):
            epochs = truth.epoch[rows].astype(np.intp)
            earlier = np.flatnonzero(np.isin(epochs + gap, epochs))
            earlier = earlier[spread(len(earlier), _N_PAIRS)]
            later = np.searchsorted(epochs, epochs[earlier] + gap)
            found += [(g, m, rows[i], rows[j]) for i, j in zip(earlier, later, strict=True)]
    return np.array(found, np.intp).reshape(-1, 4)


def chance(truth: GroundTruth) -> float:
    """Return 0: half of the pairs are right by chance."""
    return 0.0
