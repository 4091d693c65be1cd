"""The tasks: what is asked of a method, what is kept of its answers, and the scores of these.

Scores are computed from the stored answers alone, here and in `wsbench.rescore`, so that a number
can always be computed again. Rows are numbered in the order in which the method saw them, which
does not depend on their order in the zoo; so nothing that is kept can depend on it either.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench import metrics
from wsbench.bootstrap import interval
from wsbench.linkage import cut, leaf_heights, single_linkage
from wsbench.seeding import generator

Answers = dict[str, npt.NDArray[Any]]
Distances = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

# The modules whose code decides a score: their hash is the evaluator digest of a record.
_EVALUATOR = (
    "bootstrap.py",
    "linkage.py",
    "metrics/identification.py",
    "metrics/ordering.py",
    "tasks.py",
)

_ANSWERS = ("model", "epoch", "neighbours", "clusters", "heights", "margin", "order")


@dataclass(frozen=True, eq=False)
class Truth:
    """Which model and which epoch each row is."""

    model: npt.NDArray[np.int32]
    epoch: npt.NDArray[np.int16]

    def rows_by_model(self) -> list[Rows]:
        """Return the rows of each model in epoch order, models ascending."""
        ranked = np.lexsort((self.epoch, self.model))
        starts = np.flatnonzero(np.diff(self.model[ranked])) + 1
        return np.split(ranked, starts)


@dataclass(frozen=True)
class Score:
    """A value, with its 95 % interval if it is primary; None stands for infinite."""

    value: float | None
    interval: tuple[float, float] | None = None


def identification_answers(distances: Distances, truth: Truth, seed: int) -> Answers:
    """Return what is kept of a method's distances: neighbours, clusters and linkage heights.

    Parameters
    ----------
    distances
        ``(n, n)``.
    truth
        Labels of the rows; they decide only how many neighbours and clusters are kept.
    seed
        For ties.
    """
    _, group, sizes = np.unique(truth.model, return_inverse=True, return_counts=True)
    neighbours = metrics.nearest(
        distances, sizes[group] - 1, rng=generator(seed, "ties", "nearest")
    )
    linkage = single_linkage(distances, rng=generator(seed, "ties", "linkage"))
    return {
        "neighbours": neighbours,
        "clusters": cut(linkage, len(sizes)).astype(np.int32),
        "heights": linkage.heights,
        "margin": np.array(metrics.margin_parts(distances, truth.model)),
    }


def identification_scores(answers: Mapping[str, Any], truth: Truth, seed: int) -> dict[str, Score]:
    """Return the scores of identification; ``map_at_r`` is the primary one."""
    neighbours, clusters = answers["neighbours"], answers["clusters"]
    precision = identification_by_model(answers, truth)
    margin = metrics.margin(*answers["margin"].tolist())
    return {
        "map_at_r": _with_interval(precision, seed, "map_at_r"),
        "rank1": Score(
            _mean(metrics.model_means(metrics.rank1(neighbours, truth.model), truth.model))
        ),
        "ari": Score(metrics.adjusted_rand_index(truth.model, clusters)),
        "bcubed_f1": Score(metrics.bcubed_f1(truth.model, clusters)),
        "purity": Score(metrics.purity(truth.model, clusters)),
        "margin": Score(margin if np.isfinite(margin) else None),
    }


def identification_by_model(answers: Mapping[str, Any], truth: Truth) -> npt.NDArray[np.float64]:
    """Return MAP@R of each model, models ascending, ``(n_models,)``."""
    precision = metrics.average_precision_at_r(answers["neighbours"], truth.model)
    return metrics.model_means(precision, truth.model)


def ordering_answers(order_of: Callable[[Rows], npt.NDArray[np.intp]], truth: Truth) -> Answers:
    """Return the rows of each model in predicted order, models ascending.

    Parameters
    ----------
    order_of
        Takes the rows of one model, ascending, and returns a permutation that puts them in order.
    truth
        Labels of the rows, to take one model at a time.
    """
    rows_by_model = [np.sort(rows) for rows in truth.rows_by_model()]
    order: dict[int, Rows] = {}
    # Asked in the order in which models appear, not by number, so that numbers cannot matter.
    for model in sorted(range(len(rows_by_model)), key=lambda m: rows_by_model[m][0]):
        rows = rows_by_model[model]
        order[model] = rows[order_of(rows)]
    return {"order": np.concatenate([order[m] for m in sorted(order)]).astype(np.int32)}


def order_by_linkage(distances: Distances, rng: np.random.Generator) -> npt.NDArray[np.intp]:
    """Return the order of one model's checkpoints by decreasing linkage height, as in the paper.

    Parameters
    ----------
    distances
        ``(k, k)`` between them.
    rng
        Decides between equal heights, of which there are many.
    """
    return metrics.by_decreasing(leaf_heights(single_linkage(distances, rng=rng)), rng=rng)


def ordering_scores(answers: Mapping[str, Any], truth: Truth, seed: int) -> dict[str, Score]:
    """Return the scores of ordering, means over models; ``kendall_tau`` is the primary one."""
    ranks = _predicted_ranks(answers, truth)
    return {
        "kendall_tau": _with_interval(ordering_by_model(answers, truth), seed, "kendall_tau"),
        "ordered_pairs": Score(_mean([metrics.ordered_pairs(r) for r in ranks])),
        "ordered_initial": Score(_mean([metrics.ordered_initial(r) for r in ranks])),
    }


def ordering_by_model(answers: Mapping[str, Any], truth: Truth) -> npt.NDArray[np.float64]:
    """Return Kendall's τ of each model, models ascending, ``(n_models,)``."""
    return np.array([metrics.kendall_tau(r) for r in _predicted_ranks(answers, truth)])


def _predicted_ranks(answers: Mapping[str, Any], truth: Truth) -> list[Rows]:
    """Return the true ranks of each model's checkpoints in their predicted order."""
    order = answers["order"].astype(np.intp)
    rank = np.empty(len(order), np.intp)
    by_model = truth.rows_by_model()
    for rows in by_model:
        rank[rows] = np.arange(len(rows))
    return np.split(rank[order], np.cumsum([len(rows) for rows in by_model])[:-1])


def _with_interval(values: npt.NDArray[np.float64], seed: int, name: str) -> Score:
    return Score(_mean(values), interval(values, rng=generator(seed, "bootstrap", name)))


def _mean(values: npt.ArrayLike) -> float:
    # In ascending order: numbering the models otherwise must not change the last digit.
    return float(np.mean(np.sort(np.asarray(values, np.float64))))


def check_answers(answers: Mapping[str, Any]) -> None:
    """Raise `ValueError` if arrays from a file are not such as a method's answers can be.

    A score is as good as the answers: a neighbour that is named twice would count twice.
    """
    if set(answers) != set(_ANSWERS):
        raise ValueError(f"expected the arrays {', '.join(_ANSWERS)}, got {', '.join(answers)}")
    n = answers["model"].size
    by_model = np.unique(answers["model"], return_counts=True)
    shapes = dict.fromkeys(_ANSWERS, (n,)) | {
        "neighbours": (n, int(by_model[1].max(initial=1)) - 1),
        "heights": (n - 1,),
        "margin": (2,),
    }
    for name, shape in shapes.items():
        array, kind = answers[name], "f" if name in ("heights", "margin") else "i"
        if array.shape != shape or array.dtype.kind != kind:
            raise ValueError(f"{name}: got {array.dtype} {array.shape}, expected {kind} {shape}")
    truth = Truth(answers["model"], answers["epoch"])
    rows_by_model = truth.rows_by_model()
    if any((np.diff(truth.epoch[rows]) == 0).any() for rows in rows_by_model):
        raise ValueError("epoch: a model has the same epoch twice")
    neighbours = np.sort(np.c_[answers["neighbours"], np.arange(n)], axis=1)  # and the query
    if (np.diff(neighbours, axis=1) == 0).any() or neighbours.min() < 0 or neighbours.max() >= n:
        raise ValueError("neighbours: must be different rows other than the query")
    if len(np.unique(answers["clusters"])) != len(rows_by_model):
        raise ValueError(f"clusters: expected {len(rows_by_model)}, one for each model")
    ends = np.cumsum([len(rows) for rows in rows_by_model])[:-1]
    ordered = zip(np.split(answers["order"], ends), rows_by_model, strict=True)
    if not all(np.array_equal(np.sort(order), np.sort(rows)) for order, rows in ordered):
        raise ValueError("order: must hold the rows of each model, models ascending")


def evaluator_digest() -> str:
    """Return the hash of the code that computes scores: ``sha256:…``."""
    sha = hashlib.sha256()
    for name in _EVALUATOR:
        sha.update(f"{name}\n".encode())
        sha.update((files("wsbench") / name).read_bytes())
    return f"sha256:{sha.hexdigest()}"
