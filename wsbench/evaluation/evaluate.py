"""Evaluation of one method on one zoo under a suite.

Finished conditions are saved, so an interrupted run resumes.
"""

import logging
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from wsbench.errors import MethodError, MethodFailedError, ZooError
from wsbench.evaluation.accuracy import accuracy_after
from wsbench.evaluation.cost import Cost, measure_cost
from wsbench.evaluation.jobs import Jobs, blinded_zoo, in_turn, on_cluster, side_by_side
from wsbench.evaluation.properties import measured_properties
from wsbench.evaluation.resume import PartialResults
from wsbench.evaluation.suite import SUITES, Suite
from wsbench.exchange.loading import load_zoo
from wsbench.methods.limits import Limits
from wsbench.methods.opening import OpenMethod, open_methods, opened
from wsbench.methods.protocol import LoadedMethod, MethodDescription
from wsbench.networks.perturbations import COMPRESSION
from wsbench.tasks.blinded_zoo import BlindedZoo
from wsbench.tasks.ground_truth import Answers, GroundTruth
from wsbench.tasks.scoring import Scores, score_answers
from wsbench.zoo.cache import DEFAULT_ZOO
from wsbench.zoo.fresh import FreshZoo
from wsbench.zoo.zoo import Zoo

_log = logging.getLogger("wsbench")


@dataclass(frozen=True)
class EvaluationState:
    """Progress of an evaluation: conditions in all, taken over from an earlier run, and done."""

    n_conditions: int
    n_resumed: int
    n_done: int


Progress = Callable[[EvaluationState], None]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One method's answers and scores on one zoo, or the report of its failure.

    Attributes
    ----------
    method
        The method's description.
    zoo_id, zoo_digest, suite, seed
        The zoo, the suite, and the seed of shuffles, ties and perturbations.
    fit_on
        Id and digest of the zoo that the method was fitted on; None for the zoo itself.
    fresh_text
        The text that a fresh zoo follows from; empty for any other.
    truths
        The labels of the test checkpoints, by protocol.
    answers
        Entry (``"identification/permute"``) to the arrays that its scores are computed from.
    scores
        Entry to score name to score; empty if the method failed.
    robustness
        Task to ``"compression"`` and ``"symmetry"`` to the share of the primary score above chance
        that is kept under perturbations.
    tracks
        Task, or ``"overall"``, to ``"overall"`` or track to the mean over conditions; empty in a
        suite without tracks. The overall of ``"overall"`` ranks methods.
    accuracy
        Perturbation to the mean test accuracy of the perturbed networks, where it is computable.
    seconds
        Wall time of ``fit``, ``embed`` (distances) and ``order`` under the first condition.
    cost
        Time and memory in a fresh process, if the suite measures it.
    invariances
        The symmetries of the networks that left the method's distances of some test checkpoints
        unchanged.
    is_transductive
        Whether the distance of two checkpoints depends on which others are there.
    error
        None, or the traceback of a method that failed.
    threads
        Of each numerical library.
    """

    method: MethodDescription
    zoo_id: str
    zoo_digest: str
    suite: Suite
    seed: int
    truths: dict[str, GroundTruth]
    fit_on: tuple[str, str] | None = None
    fresh_text: str = ""
    answers: dict[str, Answers] = field(default_factory=dict)
    scores: Scores = field(default_factory=dict)
    robustness: Scores = field(default_factory=dict)
    tracks: Scores = field(default_factory=dict)
    accuracy: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cost: Cost | None = None
    invariances: tuple[str, ...] = ()
    is_transductive: bool = False
    error: str | None = None
    threads: int = 1


def evaluate(
    method: str | LoadedMethod | OpenMethod,
    zoo: str | Zoo | FreshZoo = DEFAULT_ZOO,
    *,
    suite: Suite | None = None,
    seed: int = 0,
    fit_on: str | Zoo | None = None,
    unfinished: Path | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    workers: int = 1,
    cluster: str | None = None,
) -> Evaluation:
    """Evaluate a method on a zoo.

    It is fitted on the train models and asked about the test models, epochs 1 to the last.

    Parameters
    ----------
    method
        A spec, as for `load_method`, runs in its own process. A method that `load_method` returned
        runs in this one. `open_methods` gives either.
    zoo
        As `load_zoo` takes or returns it, or from `fresh_zoo`, which brings its own suite's name,
        ``fit_on`` and seed.
    suite
        Tasks and conditions; None for the suite ``"smoke"``.
    seed
        For shuffles, ties, perturbations, and the method's own ``rng``.
    fit_on
        Another zoo with networks of the same layout, on whose train models the method is fitted
        instead: does what it has learned carry over? None for the zoo itself.
    unfinished
        A folder for the answers under finished conditions, from which the same evaluation resumes.
        None keeps none.
    progress
        Called before the first condition and after each.
    limits
        Memory, time a call and threads; None for the defaults of `Limits`.
    workers
        Number of conditions evaluated at the same time, each in its own process of the method. No
        score depends on it; with more than one, seconds are those of a busy machine.
    cluster
        Address of a Dask scheduler, ``tcp://host:port``, whose workers answer instead.

    Returns
    -------
    evaluation
        Scores and answers. If the method fails (an error, a crash, no answer in time, an answer of
        the wrong shape or with NaN), there are no scores and `Evaluation.error` has the report.

    Raises
    ------
    UnknownIdError, MethodError, FormatError, IntegrityError
        As `load_method` and `load_zoo` raise them.
    ZooError
        If the zoo has no train or no test models, or no epoch after initialisation, or if no task
        is asked about its networks under any perturbation of the suite.
    ValueError
        If a fresh zoo is given with another suite, seed, or zoo to fit on than its own.
    StorageError
        If answers cannot be written to the folder `unfinished`.
    WorkerError
        If no scheduler answers at the address of the cluster.

    Examples
    --------
    >>> scores = evaluate("euclidean", "digits-mlp-v1").scores
    >>> scores["identification/none"]["map_at_r"].value
    1.0
    """
    limits = limits or Limits()
    suite = suite or SUITES["smoke"]
    source: Zoo | None
    if isinstance(zoo, FreshZoo):
        if seed or fit_on or zoo.suite != suite.describe():
            raise ValueError(
                f"a fresh zoo of suite {zoo.suite} brings its seed and the zoo to fit on; got seed"
                f" {seed}, fit_on {fit_on} and suite {suite.describe()}"
            )
        asked, source, seed, text = zoo.zoo, zoo.source, zoo.seed, zoo.text
    else:
        asked, text = load_zoo(zoo) if isinstance(zoo, str) else zoo, ""
        source = load_zoo(fit_on) if isinstance(fit_on, str) else fit_on
    run = _Run(asked, suite, seed, source, text, unfinished, progress, limits, workers, cluster)
    if isinstance(method, LoadedMethod):
        return run(opened(method))
    if isinstance(method, OpenMethod):
        return run(method)
    with open_methods([method], limits=limits) as (one,):
        return run(one)


class _Run:
    """The inputs of an evaluation except the method."""

    def __init__(
        self,
        zoo: Zoo,
        suite: Suite,
        seed: int,
        fit_on: Zoo | None,
        text: str,
        unfinished: Path | None,
        progress: Progress | None,
        limits: Limits,
        workers: int,
        cluster: str | None,
    ) -> None:
        self.zoo, self.suite, self.seed, self.limits = zoo, suite, seed, limits
        self._text = text
        self._unfinished = unfinished
        self._workers, self._cluster = workers, cluster
        self._report = progress or (lambda state: None)
        self.fit_on = fit_on if fit_on and fit_on.content_digest != zoo.content_digest else None

    def blinded(self, protocol: str, repeat: int) -> BlindedZoo:
        """Return the zoo as methods see it."""
        return blinded_zoo(self.zoo, self.fit_on, protocol, self.seed + repeat)

    def __call__(self, method: OpenMethod) -> Evaluation:
        from threadpoolctl import threadpool_limits

        # The last bit of svd-k and of distances may depend on the number of threads.
        with threadpool_limits(self.limits.threads):
            return self._evaluated(method)

    def _evaluated(self, method: OpenMethod) -> Evaluation:
        zoo, suite, description = self.zoo, self.suite, method.description
        if not suite.conditions(zoo.layout):
            raise ZooError(
                f"zoo {zoo.id!r}: under {', '.join(suite.perturbations)} no task is asked about"
                " these networks; name another perturbation"
            )
        truths = {protocol: self.blinded(protocol, 0).truth for protocol in suite.protocols}
        result = Evaluation(
            description, zoo.id, zoo.content_digest, suite, self.seed, truths,
            fit_on=(self.fit_on.id, self.fit_on.content_digest) if self.fit_on else None,
            fresh_text=self._text,
            threads=self.limits.threads,
        )  # fmt: skip
        if method.port is None:
            return replace(result, error=method.error)
        usual = self.blinded(suite.protocols[0], 0)
        digest = zoo.content_digest + (self.fit_on.content_digest if self.fit_on else "")
        partial = PartialResults(
            self._unfinished, description, suite, digest, self.seed, self.limits.threads
        )
        self._announce_resumed(description.label, partial)
        try:
            answers, seconds = self._answers(method, partial)
            invariances, is_transductive = measured_properties(method.port, usual)
            is_costed = suite.measures_cost and description.spec
            cost = measure_cost(description, usual, self.limits) if is_costed else None
        except MethodError as error:  # anything else is not the method's fault
            partial.remove()
            report = error.report if isinstance(error, MethodFailedError) else None
            return replace(result, error=report or traceback.format_exc())
        partial.remove()
        scored = score_answers(answers, truths, suite.tracks)
        return replace(
            result,
            answers=answers,
            scores=scored.scores,
            robustness=scored.robustness,
            tracks=scored.tracks,
            accuracy=_accuracy(usual, suite),
            seconds=seconds,
            cost=cost,
            invariances=invariances,
            is_transductive=is_transductive,
        )

    def _announce_resumed(self, label: str, partial: PartialResults) -> None:
        conditions = self.suite.conditions(self.zoo.layout)
        if times := partial.written(conditions):
            _log.warning(
                "wsbench: %s: %d of %d conditions are taken over from an earlier run, of %s",
                label, len(times), len(conditions), f"{times[-1]:%Y-%m-%d %H:%M}",
            )  # fmt: skip

    def _answers(
        self, method: OpenMethod, partial: PartialResults
    ) -> tuple[dict[str, Answers], dict[str, float]]:
        """Return the answers by entry, and the seconds under the first condition."""
        conditions = self.suite.conditions(self.zoo.layout)
        parts = {condition: partial.load(condition) for condition in conditions}
        missing = [condition for condition, part in parts.items() if part is None]
        state = EvaluationState(len(conditions), len(conditions) - len(missing), 0)
        state = replace(state, n_done=state.n_resumed)
        self._report(state)
        with self._jobs(method) as run:
            for condition, found in run(missing):
                partial.save(condition, *found)
                parts[condition] = found
                state = replace(state, n_done=state.n_done + 1)
                self._report(state)
        answers: dict[str, Answers] = {}
        for condition, part in parts.items():
            assert part is not None
            answers |= {condition.entry(task): arrays for task, arrays in part[0].items()}
        first = parts[conditions[0]]
        return answers, first[1] if first else {}

    def _jobs(self, method: OpenMethod) -> AbstractContextManager[Jobs]:
        suite, limits = self.suite, self.limits
        assert method.port is not None
        if self._cluster:
            zoos = (self.zoo, self.fit_on)
            return on_cluster(self._cluster, method.description, zoos, suite, self.seed, limits)
        if self._workers > 1:
            return side_by_side(method, self.blinded, suite, self._workers, limits)
        return nullcontext(in_turn(method.port, self.blinded, suite))


def _accuracy(blinded: BlindedZoo, suite: Suite) -> dict[str, float]:
    """Return the accuracy of the networks under each perturbation, if one is a compression."""
    perturbations = [condition.perturbation for condition in suite.conditions(blinded.zoo.layout)]
    if not set(perturbations) & set(COMPRESSION):
        return {}
    return dict(accuracy_after(blinded, tuple(dict.fromkeys(perturbations))))
