"""Retrieval: identify the model that a perturbed checkpoint was copied from.

Queries are test checkpoints after the perturbation. The gallery holds checkpoints of val and test
models as they were written, and none that the method was fitted on. Both take the same few epochs
of every model.

Detection compares each query with a gallery that holds its own model and with one that does not.
A false positive is a query that is called a copy of a sibling, a model of the same recipe
and another seed, when its own is absent. Counted by pairs of query and sibling, one false positive
in a hundred would be a false alarm for nearly every query: the gallery holds hundreds of siblings.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.methods.session import Session
from wsbench.metrics import retrieval
from wsbench.seeding import generator
from wsbench.tasks.blinded_zoo import BlindedCheckpoints, order_by_content
from wsbench.tasks.ground_truth import Answers, GroundTruth, Rows, compact, expect_shape
from wsbench.tasks.score import Column, Score, ScoreSpec, mean, score_of_models

NAME = "retrieval"
VERSION = 3
QUESTION = "of which model in a gallery is this a copy?"
# Queries are compared with a gallery as written, in one array: both need one layout. Under "none"
# the copy is equal bit for bit, which any method finds, and `random` had a MAP@R of .205.
LEAVES_OUT: tuple[str, ...] = ("none", "widen")
ARRAYS = {"found": "u", "near": "u"}
SCORES = (
    ScoreSpec("map_at_r", "MAP@R", "mean average precision at R", is_primary=True),
    ScoreSpec(
        "rank1", "rank-1", "share of queries whose nearest is of their model", in_summary=True
    ),
    ScoreSpec(
        "tpr_at_1_fpr", "TPR at 1 % FPR",
        "share of copies recognised where 1 % of queries without a copy are false alarms",
        in_summary=True,
    ),
)  # fmt: skip
COLUMNS = (Column(track="overall"),)

_FALSE_POSITIVE_RATE = 0.01


def run(session: Session, shown: BlindedCheckpoints) -> Answers:
    """Fit the method on train checkpoints as written: perturbed copies appear later."""
    session.fit(shown.clean_train, shown.train_labels)
    queries = shown.test[np.argsort(shown.shown_order)[shown.truth.queries]]
    together = np.concatenate([queries, shown.gallery])
    order = order_by_content(together, shown.seed)
    distances = session.distances(together[order])
    is_query = order < len(queries)
    between = distances[np.ix_(is_query, ~is_query)]
    shown_as = (order[is_query], order[~is_query] - len(queries))
    return answers(between, shown.truth, shown_as, shown.seed)


def answers(
    distances: npt.NDArray[np.float64],
    truth: GroundTruth,
    shown_as: tuple[Rows, Rows],
    seed: int,
) -> Answers:
    """Return what is kept: the models of the nearest, and how near own model and siblings are.

    Parameters
    ----------
    distances
        ``(n_queries, n_gallery)``, both in the order in which the method saw them.
    truth
        Labels of the test checkpoints, of which the queries are some, and of the gallery.
    shown_as
        The query, among the queries of `truth`, that each row of the distances is, and the entry
        of the gallery that each column is.
    seed
        For ties.
    """
    query, entry = shown_as
    wanted, there = truth.model[truth.queries][query], truth.gallery[entry]
    found = retrieval.nearest(
        distances, _n_relevant(truth), rng=generator(seed, "ties", "retrieval")
    )
    is_own = wanted[:, None] == there
    nearest_own = np.where(is_own, distances, np.inf).min(axis=1)
    nearest_sibling = np.where(is_own, np.inf, distances).min(axis=1)
    back = np.argsort(query)
    # A threshold needs ranks only, and distances of methods have no common unit.
    near = np.stack([nearest_own[back], nearest_sibling[back]])
    ranks = np.unique(near, return_inverse=True)[1].reshape(near.shape)
    return {"found": compact(there[found][back]), "near": compact(ranks)}


def check(answers: Mapping[str, Any], truth: GroundTruth) -> None:
    """Raise `ValueError` for answers that no method can give."""
    n, n_nearest = len(truth.queries), _n_relevant(truth)
    expect_shape("found", answers["found"], (n, n_nearest))
    expect_shape("near", answers["near"], (2, n))
    models, sizes = np.unique(truth.gallery, return_counts=True)
    if not np.isin(answers["found"], models).all():
        raise ValueError("found: names models that are not in the gallery")
    for model, size in zip(models, sizes, strict=True):
        if ((answers["found"] == model).sum(axis=1) > size).any():
            raise ValueError(f"found: names model {model} more often than the gallery holds it")
    _check_agreement(answers, truth)


def _check_agreement(answers: Mapping[str, Any], truth: GroundTruth) -> None:
    """Raise `ValueError` if ranks and models found cannot come from the same distances.

    The first of the models found is the nearer of own model and nearest sibling; either if both are
    equally near.
    """
    own, sibling = answers["near"].astype(np.int64)
    ranks = np.unique(answers["near"])
    if ranks[-1] != len(ranks) - 1:
        raise ValueError(f"near: expected the ranks 0 to {len(ranks) - 1}, each at least once")
    is_own = answers["found"][:, 0] == truth.model[truth.queries]
    wrong = (own < sibling) & ~is_own | (own > sibling) & is_own
    if wrong.any():
        raise ValueError(
            f"near: contradicts found for {wrong.sum()} of {len(wrong)} queries: the nearer of own"
            " model and sibling is found first"
        )


def scores(answers: Mapping[str, Any], truth: GroundTruth) -> dict[str, Score]:
    """Return the scores; ``map_at_r`` is the primary one."""
    wanted = truth.model[truth.queries]
    own, sibling = answers["near"]
    return {
        "map_at_r": score_of_models(by_model(answers, truth), SCORES[0]),
        "rank1": Score(mean(answers["found"][:, 0] == wanted)),
        "tpr_at_1_fpr": Score(retrieval.true_positive_rate(own, sibling, _FALSE_POSITIVE_RATE)),
    }


def by_model(answers: Mapping[str, Any], truth: GroundTruth) -> npt.NDArray[np.float64]:
    """Return MAP@R of each model, models ascending, ``(n_models,)``."""
    wanted, n_relevant = truth.model[truth.queries], _n_relevant_each(truth)
    relevant = answers["found"] == wanted[:, None]
    precision = retrieval.average_precision_at_r(relevant, n_relevant)
    return retrieval.model_means(precision, wanted, n_relevant)


def chance(truth: GroundTruth) -> float:
    """Return the MAP@R that random distances have on average."""
    n_relevant = _n_relevant_each(truth)
    expected = retrieval.expected_precision_at_r(n_relevant, len(truth.gallery))
    return mean(retrieval.model_means(expected, truth.model[truth.queries], n_relevant))


def _n_relevant_each(truth: GroundTruth) -> Rows:
    """Return the number of entries of its model in the gallery, for each query."""
    models, sizes = np.unique(truth.gallery, return_counts=True)
    n_relevant: Rows = sizes[np.searchsorted(models, truth.model[truth.queries])]
    return n_relevant


def _n_relevant(truth: GroundTruth) -> int:
    return int(np.unique(truth.gallery, return_counts=True)[1].max())
