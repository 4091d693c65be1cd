"""Ordering: put one model's shuffled checkpoints in the order in which they were written.

Which checkpoints lie next to each other, and which end is the first, are two questions. The primary
score grades the order without its direction; the direction is a score of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.methods.session import Session
from wsbench.metrics import ordering
from wsbench.metrics.linkage import leaf_heights, single_linkage
from wsbench.seeding import generator
from wsbench.tasks.blinded_zoo import BlindedCheckpoints
from wsbench.tasks.ground_truth import Answers, GroundTruth, Rows, compact
from wsbench.tasks.score import LARGEST, Column, Score, ScoreSpec, mean, score_of_models

NAME = "ordering"
VERSION = 3
QUESTION = "in which order were one model's checkpoints written?"
LEAVES_OUT: tuple[str, ...] = ()
ARRAYS = {"order": "u"}
SCORES = (
    ScoreSpec(
        "abs_tau", "|tau|", "Kendall's rank correlation with the order of the epochs, without sign",
        is_primary=True,
    ),
    ScoreSpec(
        "direction", "direction", "share of models whose order begins at the right end",
        in_summary=True,
    ),
    ScoreSpec(
        "kendall_tau", "tau", "Kendall's rank correlation with the order of the epochs",
        range=(-1.0, 1.0), in_summary=True,
    ),
    ScoreSpec(
        "ordered_pairs", "pairs", "share of neighbours that are true successors", in_summary=True
    ),
    ScoreSpec(
        "ordered_initial", "prefix", "epochs in the right place from the first on",
        range=(0.0, LARGEST),
    ),
)  # fmt: skip
COLUMNS = (Column(track="overall"), Column("direction"))


def run(session: Session, shown: BlindedCheckpoints) -> Answers:
    """Fit the method as for identification and ask it for the order of each model's checkpoints.

    A method without an order is asked for progress, and one without either for distances: linkage
    heights stand in, as in the paper.
    """
    session.fit(shown.train, shown.train_labels)
    rng = generator(shown.seed, "ties", "order")

    def order_of(rows: Rows) -> Rows:
        checkpoints = shown.test[rows]
        if session.has_order:
            return session.order(checkpoints)
        if session.has_progress:
            return ordering.by_decreasing(-session.progress(checkpoints), rng=rng)
        return order_by_linkage(session.distances(checkpoints), rng)

    return answers(order_of, shown.truth, shown.shown_order)


def answers(order_of: Callable[[Rows], Rows], truth: GroundTruth, shown_order: Rows) -> Answers:
    """Return the rows of each model in predicted order, models ascending.

    Parameters
    ----------
    order_of
        Takes the rows of one model, ascending, and returns a permutation that puts them in order.
        Rows are numbered as the method saw them, and models come in the order of their first row.
    truth
        Labels, to take one model at a time.
    shown_order
        The row of `truth` that each row shown is, ``(n,)``.
    """
    place = np.argsort(shown_order)
    shown = [np.sort(place[rows]) for rows in truth.rows_by_model()]
    order: dict[int, Rows] = {}
    for model in sorted(range(len(shown)), key=lambda m: int(shown[m][0])):
        order[model] = shown_order[shown[model][order_of(shown[model])]]
    return {"order": compact(np.concatenate([order[m] for m in sorted(order)]))}


def order_by_linkage(distances: npt.NDArray[np.float64], rng: np.random.Generator) -> Rows:
    """Return the order of one model's checkpoints by decreasing linkage height, as in the paper.

    Parameters
    ----------
    distances
        ``(k, k)`` between them.
    rng
        Decides between equal heights, of which there are many.
    """
    return ordering.by_decreasing(leaf_heights(single_linkage(distances, rng=rng)), rng=rng)


def check(answers: Mapping[str, Any], truth: GroundTruth) -> None:
    """Raise `ValueError` for answers that no method can give."""
    by_model = truth.rows_by_model()
    ends = np.cumsum([len(rows) for rows in by_model])
    order = answers["order"]
    if order.shape != (ends[-1],) or not all(
        np.array_equal(np.sort(part), rows)
        for part, rows in zip(np.split(order, ends[:-1]), by_model, strict=True)
    ):
        raise ValueError("order: must hold the rows of each model, models ascending")


def scores(answers: Mapping[str, Any], truth: GroundTruth) -> dict[str, Score]:
    """Return the scores, means over models; ``abs_tau`` is the primary one."""
    ranks = _predicted_ranks(answers, truth)
    tau = np.array([ordering.kendall_tau(r) for r in ranks])
    return {
        "abs_tau": score_of_models(np.abs(tau), SCORES[0]),
        "direction": Score(mean((np.sign(tau) + 1) / 2)),
        "kendall_tau": Score(mean(tau)),
        "ordered_pairs": Score(mean([ordering.ordered_pairs(r) for r in ranks])),
        "ordered_initial": Score(mean([ordering.ordered_initial(r) for r in ranks])),
    }


def by_model(answers: Mapping[str, Any], truth: GroundTruth) -> npt.NDArray[np.float64]:
    """Return |τ| of each model, models ascending, ``(n_models,)``."""
    return np.array([abs(ordering.kendall_tau(r)) for r in _predicted_ranks(answers, truth)])


def chance(truth: GroundTruth) -> float:
    """Return the |τ| that random orders have on average."""
    return mean([ordering.expected_abs_tau(len(rows)) for rows in truth.rows_by_model()])


def _predicted_ranks(answers: Mapping[str, Any], truth: GroundTruth) -> list[Rows]:
    """Return the true ranks of each model's checkpoints in their predicted order."""
    by_model = truth.rows_by_model()
    starts = np.array([rows[0] for rows in by_model])
    parts = np.split(answers["order"].astype(np.intp), starts[1:])
    return [part - start for part, start in zip(parts, starts, strict=True)]
