"""Running one method on one zoo: fit on train models, answer for the test models, score.

The method sees the rows in an order that depends only on their content and the seed (they are
sorted by a hash), so that neither how a zoo numbers its models nor how its rows are sorted can
change a score, and row order tells the method nothing.
"""

import hashlib
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from wsbench.checkpoints import Checkpoints, Labels
from wsbench.distances import pairwise_euclidean
from wsbench.errors import MethodError, ZooError
from wsbench.invariance import distances_before_and_after, holds
from wsbench.layout import Layout
from wsbench.loading import load_method
from wsbench.methods import LoadedMethod
from wsbench.seeding import generator
from wsbench.store import DEFAULT_ZOO, load_zoo
from wsbench.symmetry import ACTIONS
from wsbench.tasks import (
    Answers,
    Rows,
    Score,
    Truth,
    identification_answers,
    identification_by_model,
    identification_scores,
    order_by_linkage,
    ordering_answers,
    ordering_by_model,
    ordering_scores,
)
from wsbench.zoo import Zoo

T = TypeVar("T")

_N_MEASURED = 20  # checkpoints on which invariances are measured


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One method's answers and scores on one zoo, or why it has none.

    Attributes
    ----------
    method
        The method, and what it says about itself.
    zoo_id, zoo_digest, seed
        What it was evaluated on, and the seed of shuffles and ties.
    scores
        Task to score name to score; empty if the method failed.
    answers
        Arrays from which the scores can be recomputed, and the true ``model`` and ``epoch`` of
        their rows, which are numbered in the order in which the method saw them.
    seconds
        Wall time of ``fit``, ``embed`` (pairwise, or transform and distances) and ``order``.
    invariances
        The symmetries of the networks that the method was measured not to see, on some of the test
        checkpoints.
    error
        None, or the traceback of a method that failed.
    """

    method: LoadedMethod
    zoo_id: str
    zoo_digest: str
    seed: int
    scores: dict[str, dict[str, Score]]
    answers: Answers
    seconds: dict[str, float]
    invariances: tuple[str, ...] = ()
    error: str | None = None


def evaluate(
    method: str | LoadedMethod, zoo: str | Zoo = DEFAULT_ZOO, *, seed: int = 0
) -> Evaluation:
    """Evaluate a method on a zoo under the standard protocol.

    It is fitted on the train models and asked about the test models, epochs 1 to the last: which
    checkpoints belong together (identification), and in which order they came (ordering).

    Parameters
    ----------
    method
        As `load_method` takes or returns it.
    zoo
        As `load_zoo` takes or returns it.
    seed
        For shuffles, ties, the bootstrap, and the method's own ``rng``.

    Returns
    -------
    evaluation
        Scores and answers. If the method fails, by an error of its own or an answer of the wrong
        shape or with NaN, `Evaluation.error` holds the traceback and there are no scores.

    Raises
    ------
    UnknownIdError, MethodError, FormatError, IntegrityError
        As `load_method` and `load_zoo` raise them.
    ZooError
        If the zoo has no train or no test models, or no epoch after initialisation.

    Examples
    --------
    >>> evaluate("euclidean").scores["identification"]["map_at_r"].value  # doctest: +SKIP
    1.0
    """
    loaded = load_method(method) if isinstance(method, str) else method
    zoo = load_zoo(zoo) if isinstance(zoo, str) else zoo
    run = _Run(loaded, zoo, seed)
    scores: dict[str, dict[str, Score]] = {}
    answers: Answers = {}
    invariances: tuple[str, ...] = ()
    error = None
    try:
        answers, scores = run.answer()
        invariances = run.invariances()
    except (Exception, SystemExit):  # whatever a method does, the others go on
        error = traceback.format_exc()
    return Evaluation(
        loaded,
        zoo.id,
        zoo.content_digest,
        seed,
        scores,
        answers,
        run.seconds,
        invariances,
        error,
    )


class _Run:
    """One pass of a method over a zoo, with its clock."""

    def __init__(self, loaded: LoadedMethod, zoo: Zoo, seed: int) -> None:
        self._loaded = loaded
        self._method: Any = loaded.method
        self._zoo = zoo
        self._seed = seed
        self._train, self._test = self._shuffled("train"), self._shuffled("test")
        self.seconds = {"fit": 0.0, "embed": 0.0, "order": 0.0}

    def answer(self) -> tuple[Answers, dict[str, dict[str, Score]]]:
        self._fit()
        truth = Truth(self._zoo.model[self._test], self._zoo.epoch[self._test])
        checkpoints = self._view(self._zoo.weights[self._test])
        distances = self._timed("embed", lambda: self._distances(checkpoints))
        found = identification_answers(distances, truth, self._seed)
        ordered = ordering_answers(self._order_of(checkpoints, distances), truth)
        answers: Answers = {"model": truth.model, "epoch": truth.epoch, **found, **ordered}
        return answers, score(answers, self._seed)

    def invariances(self) -> tuple[str, ...]:
        weights = self._zoo.weights[self._test[:_N_MEASURED]]

        def distances_of(
            weights: npt.NDArray[np.float32], layout: Layout
        ) -> npt.NDArray[np.float64]:
            return self._distances(self._loaded.view(weights, layout, self._zoo.probe_inputs))

        held = []
        for symmetry in ACTIONS:
            try:
                before, after = distances_before_and_after(
                    symmetry, distances_of, weights, self._zoo.layout, self._zoo.probe_inputs
                )
            except Exception:  # it has answered all that was asked, and fails on another activation
                continue
            if holds(before, after):
                held.append(symmetry)
        return tuple(held)

    def _shuffled(self, split: str) -> Rows:
        """Return the zoo's rows of a split, epochs 1 to the last, as a method will see them."""
        rows = self._zoo.rows(split)
        rows = rows[self._zoo.epoch[rows] > 0]
        if len(rows) == len(np.unique(self._zoo.model[rows])):
            raise ZooError(
                f"zoo {self._zoo.id!r} has no two checkpoints of a {split} model after epoch 0, and"
                " methods are fitted on train models and scored on test models; five models and"
                " two epochs are enough"
            )
        salt = self._seed.to_bytes(16, "little", signed=True)
        keys = [hashlib.sha256(salt + self._zoo.weights[row].tobytes()).digest() for row in rows]
        # The order of rows that are equal to the last bit must not tell either.
        ties = generator(self._seed, "shuffle").random(len(rows))
        return rows[sorted(range(len(rows)), key=lambda i: (keys[i], ties[i]))]

    def _view(self, weights: npt.NDArray[np.float32]) -> Checkpoints:
        return self._loaded.view(weights, self._zoo.layout, self._zoo.probe_inputs)

    def _fit(self) -> None:
        train = self._loaded.view(
            self._zoo.weights[self._train],
            self._zoo.layout,
            self._zoo.probe_inputs,
            Labels(self._zoo.model[self._train], self._zoo.epoch[self._train]),
        )
        self._timed("fit", lambda: self._loaded.fit(train, generator(self._seed, "method")))

    def _distances(self, checkpoints: Checkpoints) -> npt.NDArray[np.float64]:
        n = len(checkpoints)
        if self._loaded.gives_distances:
            return _checked_distances(self._method.pairwise(checkpoints), n)
        return pairwise_euclidean(_checked_embedding(self._method.transform(checkpoints), n))

    def _order_of(
        self, checkpoints: Checkpoints, distances: npt.NDArray[np.float64]
    ) -> Callable[[Rows], npt.NDArray[np.intp]]:
        if not hasattr(self._method, "order"):
            rng = generator(self._seed, "ties", "order")
            return lambda rows: order_by_linkage(distances[np.ix_(rows, rows)], rng)

        def by_method(rows: Rows) -> npt.NDArray[np.intp]:
            view = self._view(checkpoints.weights[rows])
            order = self._timed("order", lambda: self._method.order(view))
            return _checked_order(order, len(rows))

        return by_method

    def _timed(self, part: str, call: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = call()
        self.seconds[part] += time.perf_counter() - start
        return result


def score(answers: Answers, seed: int) -> dict[str, dict[str, Score]]:
    """Return the scores of every task from stored answers: the one way to a score there is."""
    truth = Truth(answers["model"], answers["epoch"])
    return {
        "identification": identification_scores(answers, truth, seed),
        "ordering": ordering_scores(answers, truth, seed),
    }


def primary_by_model(evaluation: Evaluation, task: str) -> npt.NDArray[np.float64]:
    """Return a task's primary score on each test model, ``(n_models,)``, models ascending."""
    truth = Truth(evaluation.answers["model"], evaluation.answers["epoch"])
    by_model = {"identification": identification_by_model, "ordering": ordering_by_model}
    return by_model[task](evaluation.answers, truth)


def _checked_embedding(embedding: Any, n: int) -> npt.NDArray[np.floating[Any]]:
    array = _numbers("transform", embedding)
    if array.ndim != 2 or len(array) != n or not array.shape[1]:
        raise MethodError(f"transform returned shape {array.shape}, expected ({n}, d) with d ≥ 1")
    _check_finite("transform", array)
    return array


def _checked_distances(distances: Any, n: int) -> npt.NDArray[np.float64]:
    array = _numbers("pairwise", distances).astype(np.float64, copy=False)
    if array.shape != (n, n):
        raise MethodError(f"pairwise returned shape {array.shape}, expected ({n}, {n})")
    _check_finite("pairwise", array)
    asymmetry = float(np.abs(array - array.T).max())
    if asymmetry > 1e-6 * float(np.abs(array).max()):
        raise MethodError(f"pairwise is not symmetric: d(i, j) and d(j, i) differ by {asymmetry:g}")
    return array


def _checked_order(order: Any, n: int) -> npt.NDArray[np.intp]:
    array = np.asarray(order)
    if array.shape != (n,) or array.dtype.kind not in "iu" or set(array.tolist()) != set(range(n)):
        raise MethodError(f"order must return a permutation of 0 … {n - 1}, got {array!r:.80}")
    return array.astype(np.intp)


def _numbers(call: str, value: Any) -> npt.NDArray[np.floating[Any]]:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise MethodError(
            f"{call} returned {type(value).__name__} of {array.dtype}, expected numbers"
        )
    return array


def _check_finite(call: str, array: npt.NDArray[np.floating[Any]]) -> None:
    # Beyond 1e100 their squares would overflow, and distances be infinite or NaN.
    largest = np.abs(array).max(axis=1).astype(np.float64)
    wrong = ~(largest <= 1e100)
    if wrong.any():
        raise MethodError(
            f"{call} returned NaN, infinity or a number beyond 1e100 in {wrong.sum()} of"
            f" {len(array)} rows"
        )
