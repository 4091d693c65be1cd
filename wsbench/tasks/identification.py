"""Identification: group all test checkpoints, unlabelled and shuffled, by model.

Precision grades the ranking by distance, with every checkpoint as a query. Single linkage, cut into
as many clusters as there are models, decides yes or no.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.methods.session import Session
from wsbench.metrics import clustering, retrieval
from wsbench.metrics.linkage import cut, margin, margin_parts, single_linkage
from wsbench.seeding import generator
from wsbench.tasks import relevance
from wsbench.tasks.blinded_zoo import BlindedCheckpoints
from wsbench.tasks.ground_truth import Answers, GroundTruth, Rows, compact, expect_shape
from wsbench.tasks.score import LARGEST, Column, Score, ScoreSpec, mean, score_of_models

NAME = "identification"
VERSION = 3
QUESTION = "which checkpoints are of one model?"
ARRAYS = {"relevant": "u", "neighbours": "u", "clusters": "u", "margin": "f"}
LEAVES_OUT: tuple[str, ...] = ()
SCORES = (
    ScoreSpec("map_at_r", "MAP@R", "mean average precision at R", is_primary=True),
    ScoreSpec(
        "rank1", "rank-1", "share of queries whose nearest is of their model", in_summary=True
    ),
    ScoreSpec(
        "ari", "ARI", "adjusted Rand index of the clusters; 0 by chance", range=(-1.0, 1.0),
        in_summary=True,
    ),
    ScoreSpec("bcubed_f1", "B³ F1", "BCubed F1 of the clusters"),
    ScoreSpec(
        "purity", "purity", "share of a cluster's dominant model, mean over clusters",
        in_summary=True,
    ),
    ScoreSpec(
        "margin", "margin", "smallest distance between models over largest height within one",
        range=(0.0, LARGEST),
    ),
)  # fmt: skip
COLUMNS = (Column("map_at_r"),)


def run(session: Session, shown: BlindedCheckpoints) -> Answers:
    """Fit the method on the perturbed train checkpoints and ask it for distances."""
    session.fit(shown.train, shown.train_labels)
    distances = session.distances(shown.test)
    return answers(distances, shown.truth, shown.shown_order, shown.seed)


def answers(
    distances: npt.NDArray[np.float64], truth: GroundTruth, shown_order: Rows, seed: int
) -> Answers:
    """Return what is kept of a method's distances.

    Of all checkpoints, whether each of the nearest is of their model; of a sample, the nearest
    themselves; the clusters and the margin.

    Parameters
    ----------
    distances
        ``(n, n)``, of rows in the order in which the method saw them.
    truth
        Labels; they decide how many neighbours and clusters are kept.
    shown_order
        The row of `truth` that each row of the distances is, ``(n,)``. Ties are broken in the
        order of the distances, so that numbering models otherwise changes no score.
    seed
        For ties.
    """
    linkage = single_linkage(distances, rng=generator(seed, "ties", "linkage"))
    neighbours = relevance.neighbours(distances, truth, shown_order, seed)
    clusters = np.empty(len(shown_order), np.intp)
    clusters[shown_order] = cut(linkage, truth.n_models)
    return {
        "relevant": relevance.packed(neighbours, truth),
        "neighbours": compact(neighbours[truth.queries]),
        "clusters": compact(clusters),
        "margin": np.array(margin_parts(distances, truth.model[shown_order])),
    }


def check(answers: Mapping[str, Any], truth: GroundTruth) -> None:
    """Raise `ValueError` for answers that no method can give."""
    n, n_nearest = len(truth.model), int(truth.n_relevant.max())
    relevance.check("relevant", answers["relevant"], truth)
    neighbours = answers["neighbours"].astype(np.int64)
    expect_shape("neighbours", neighbours, (len(truth.queries), n_nearest))
    named = np.sort(np.c_[neighbours, truth.queries], axis=1)
    if (np.diff(named, axis=1) == 0).any() or named.max() >= n:
        raise ValueError("neighbours: must be different rows other than the query")
    expect_shape("clusters", answers["clusters"], (n,))
    if len(np.unique(answers["clusters"])) != truth.n_models:
        raise ValueError(f"clusters: expected {truth.n_models}, one for each model")
    expect_shape("margin", answers["margin"], (2,))
    if not (answers["margin"] >= 0).all():
        raise ValueError("margin: expected two distances")
    _check_agreement(answers, truth)


def _check_agreement(answers: Mapping[str, Any], truth: GroundTruth) -> None:
    """Raise `ValueError` if the answers cannot come from the same distances.

    The heights within a model are those of its own minimum spanning tree, and each row's nearest
    neighbour of its model is at most as far. Ties leave all of it open.
    """
    between, within = answers["margin"].tolist()
    if not np.isfinite(within) or np.isfinite(between) != (truth.n_models > 1):
        raise ValueError("margin: expected two distances, the first infinite if there is one model")
    is_whole = clustering.adjusted_rand_index(truth.model, answers["clusters"]) == 1.0
    if between > within and not is_whole:
        raise ValueError("clusters: expected the models, since the margin separates them")
    if between < within and is_whole:
        raise ValueError("clusters: got the models, although the margin does not separate them")
    relevant = relevance.unpacked(answers["relevant"], truth)
    if between > within and not relevant[truth.n_relevant > 0, :1].all():
        raise ValueError(
            "relevant: a nearest is of another model, although the margin separates models"
        )
    named = truth.model[answers["neighbours"]] == truth.model[truth.queries][:, None]
    if (named != relevant[truth.queries]).any():
        raise ValueError("neighbours: their models are not those that relevant tells of")


def scores(answers: Mapping[str, Any], truth: GroundTruth) -> dict[str, Score]:
    """Return the scores; ``map_at_r`` is the primary one."""
    clusters = answers["clusters"]
    relevant = relevance.unpacked(answers["relevant"], truth)
    first = np.asarray(relevant[:, :1].any(axis=1), np.float64)
    gap = margin(*answers["margin"].tolist())
    return {
        "map_at_r": score_of_models(by_model(answers, truth), SCORES[0]),
        "rank1": Score(mean(retrieval.model_means(first, truth.model, truth.n_relevant))),
        "ari": Score(clustering.adjusted_rand_index(truth.model, clusters)),
        "bcubed_f1": Score(clustering.bcubed_f1(truth.model, clusters)),
        "purity": Score(clustering.purity(truth.model, clusters)),
        "margin": Score(gap if gap < LARGEST else None),
    }


def by_model(answers: Mapping[str, Any], truth: GroundTruth) -> npt.NDArray[np.float64]:
    """Return MAP@R of each model, models ascending, ``(n_models,)``."""
    return relevance.precision_by_model(answers["relevant"], truth)


def chance(truth: GroundTruth) -> float:
    """Return the MAP@R that random distances have on average."""
    return relevance.chance(truth)
