"""Identification: which checkpoints are of one model? All test checkpoints, unlabelled, shuffled.

Precision grades the ranking by distance, from some checkpoints as queries; single linkage, cut into
as many clusters as there are models, says yes or no.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.metrics import clustering, retrieval
from wsbench.metrics.linkage import cut, margin, margin_parts, single_linkage
from wsbench.seeding import generator
from wsbench.tasks.ground_truth import Answers, GroundTruth, Rows, compact
from wsbench.tasks.score import Score, mean, score_of_models

PRIMARY = "map_at_r"


def answers(
    distances: npt.NDArray[np.float64], truth: GroundTruth, seen: Rows, seed: int
) -> Answers:
    """Return what is kept of a method's distances: neighbours of the queries, clusters, margin.

    Parameters
    ----------
    distances
        ``(n, n)``, of rows in the order in which the method saw them.
    truth
        Labels; they decide how many neighbours and clusters are kept.
    seen
        The row of `truth` that each row of the distances is, ``(n,)``. Ties are broken in the
        order of the distances, so that numbering models otherwise changes no score.
    seed
        For ties.
    """
    queries = np.sort(np.argsort(seen)[truth.queries])
    linkage = single_linkage(distances, rng=generator(seed, "ties", "linkage"))
    n_models = len(truth.rows_by_model())
    found = retrieval.nearest(
        distances[queries],
        int(_n_relevant(truth).max()),
        own=queries,
        rng=generator(seed, "ties", "nearest"),
    )
    clusters = np.empty(len(seen), np.intp)
    clusters[seen] = cut(linkage, n_models)
    return {
        "neighbours": compact(seen[found][np.argsort(seen[queries])]),
        "clusters": compact(clusters),
        "margin": np.array(margin_parts(distances, truth.model[seen])),
    }


def check(answers: Mapping[str, Any], truth: GroundTruth) -> None:
    """Raise `ValueError` if these are not such as a method's answers can be."""
    n, n_nearest = len(truth.model), int(_n_relevant(truth).max())
    neighbours = answers["neighbours"].astype(np.int64)
    expect_shape("neighbours", neighbours, (len(truth.queries), n_nearest))
    named = np.sort(np.c_[neighbours, truth.queries], axis=1)
    if (np.diff(named, axis=1) == 0).any() or named.max() >= n:
        raise ValueError("neighbours: must be different rows other than the query")
    expect_shape("clusters", answers["clusters"], (n,))
    n_models = len(truth.rows_by_model())
    if len(np.unique(answers["clusters"])) != n_models:
        raise ValueError(f"clusters: expected {n_models}, one for each model")
    expect_shape("margin", answers["margin"], (2,))
    if not (answers["margin"] >= 0).all():
        raise ValueError("margin: expected two distances")


def expect_shape(name: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
    """Raise `ValueError` if an array has another shape."""
    if array.shape != shape:
        raise ValueError(f"{name}: got shape {array.shape}, expected {shape}")


def scores(answers: Mapping[str, Any], truth: GroundTruth, seed: int) -> dict[str, Score]:
    """Return the scores; ``map_at_r`` is the primary one."""
    clusters, wanted = answers["clusters"], truth.model[truth.queries]
    first = retrieval.rank1(truth.model[answers["neighbours"]], wanted)
    gap = margin(*answers["margin"].tolist())
    return {
        "map_at_r": score_of_models(by_model(answers, truth), seed, "map_at_r"),
        "rank1": Score(mean(retrieval.model_means(first, wanted, _n_relevant(truth)))),
        "ari": Score(clustering.adjusted_rand_index(truth.model, clusters)),
        "bcubed_f1": Score(clustering.bcubed_f1(truth.model, clusters)),
        "purity": Score(clustering.purity(truth.model, clusters)),
        "margin": Score(gap if np.isfinite(gap) else None),
    }


def by_model(answers: Mapping[str, Any], truth: GroundTruth) -> npt.NDArray[np.float64]:
    """Return MAP@R of each model, models ascending, ``(n_models,)``."""
    wanted, n_relevant = truth.model[truth.queries], _n_relevant(truth)
    found = truth.model[answers["neighbours"]]
    precision = retrieval.average_precision_at_r(found, wanted, n_relevant)
    return retrieval.model_means(precision, wanted, n_relevant)


def _n_relevant(truth: GroundTruth) -> Rows:
    """How many other checkpoints of its model each query can find."""
    sizes = np.concatenate([np.full(len(rows), len(rows)) for rows in truth.rows_by_model()])
    n_relevant: Rows = sizes[truth.queries] - 1
    return n_relevant
