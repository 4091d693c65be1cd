"""Evaluation of one method on one zoo under a suite.

Finished conditions are saved, so an interrupted run resumes.
"""

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from threadpoolctl import threadpool_limits

from wsbench.errors import MethodError, MethodFailedError
from wsbench.evaluation.accuracy import accuracy_after
from wsbench.evaluation.cost import Cost, measure_cost
from wsbench.evaluation.resume import Part, PartialResults
from wsbench.evaluation.suites import SUITES, Suite
from wsbench.methods.invariance import distances_before_and_after, holds
from wsbench.methods.limits import Limits
from wsbench.methods.opening import OpenMethod, open_methods, opened
from wsbench.methods.protocol import LoadedMethod, MethodDescription
from wsbench.methods.session import Port, Session
from wsbench.networks.perturbations import COMPRESSION
from wsbench.networks.symmetries import ACTIONS
from wsbench.tasks.blinded_zoo import BlindedZoo
from wsbench.tasks.catalogue import TASKS
from wsbench.tasks.condition import Condition
from wsbench.tasks.ground_truth import Answers, GroundTruth
from wsbench.tasks.scoring import Scores, score
from wsbench.zoo.cache import DEFAULT_ZOO, load_zoo
from wsbench.zoo.zoo import Zoo

_N_MEASURED = 20  # checkpoints on which invariances are measured


@dataclass(frozen=True)
class EvaluationState:
    """Progress of an evaluation: conditions in all, taken over from an earlier run, and done."""

    n_conditions: int
    n_resumed: int
    n_done: int


Progress = Callable[[EvaluationState], None]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One method's answers and scores on one zoo, or why it has none.

    Attributes
    ----------
    method
        The method, and what it says about itself.
    zoo_id, zoo_digest, suite, seed
        The zoo, the suite, and the seed of shuffles, ties and perturbations.
    truths
        The labels of the test checkpoints, by protocol.
    answers
        Entry (``"identification/permute"``) to the arrays that its scores are computed from.
    scores
        Entry to score name to score; empty if the method failed.
    robustness
        Task to ``"compression"`` and ``"symmetry"`` to the mean of the primary score, relative to
        that without a perturbation.
    accuracy
        Perturbation to the mean test accuracy of the perturbed networks, where it is computable.
    seconds
        Wall time of ``fit``, ``embed`` (distances) and ``order`` under the first condition.
    cost
        Time and memory in a process of its own, if the suite measures it.
    invariances
        The symmetries of the networks under which the method's distances of some test checkpoints
        were measured to stay.
    error
        None, or the traceback of a method that failed.
    """

    method: MethodDescription
    zoo_id: str
    zoo_digest: str
    suite: Suite
    seed: int
    truths: dict[str, GroundTruth]
    answers: dict[str, Answers] = field(default_factory=dict)
    scores: Scores = field(default_factory=dict)
    robustness: Scores = field(default_factory=dict)
    accuracy: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cost: Cost | None = None
    invariances: tuple[str, ...] = ()
    error: str | None = None


def evaluate(
    method: str | LoadedMethod | OpenMethod,
    zoo: str | Zoo = DEFAULT_ZOO,
    *,
    suite: Suite | None = None,
    seed: int = 0,
    unfinished: Path | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
) -> Evaluation:
    """Evaluate a method on a zoo.

    It is fitted on the train models and asked about the test models, epochs 1 to the last.

    Parameters
    ----------
    method
        A spec as `load_method` takes it runs in a process of its own; what `load_method` returns
        runs in this one. `open_methods` gives either.
    zoo
        As `load_zoo` takes or returns it.
    suite
        Which tasks are asked under which conditions; None for the suite ``"smoke"``.
    seed
        For shuffles, ties, perturbations, the bootstrap, and the method's own ``rng``.
    unfinished
        A folder for the answers under finished conditions. The same evaluation, if it was
        interrupted, resumes from these. None keeps none.
    progress
        Called before the first condition and after each.
    limits
        Memory, time a call and threads; None for the defaults of `Limits`.

    Returns
    -------
    evaluation
        Scores and answers. If the method fails (an error, a crash, no answer in time, an answer of
        the wrong shape or with NaN), `Evaluation.error` says how and there are no scores.

    Raises
    ------
    UnknownIdError, MethodError, FormatError, IntegrityError
        As `load_method` and `load_zoo` raise them.
    ZooError
        If the zoo has no train or no test models, or no epoch after initialisation.
    StorageError
        If answers cannot be written to the folder `unfinished`.

    Examples
    --------
    >>> scores = evaluate("euclidean").scores
    >>> scores["identification/none"]["map_at_r"].value
    1.0
    """
    limits = limits or Limits()
    zoo = load_zoo(zoo) if isinstance(zoo, str) else zoo
    run = _Run(zoo, suite or SUITES["smoke"], seed, unfinished, progress, limits)
    if isinstance(method, LoadedMethod):
        return run(opened(method))
    if isinstance(method, OpenMethod):
        return run(method)
    with open_methods([method], limits=limits) as (one,):
        return run(one)


class _Run:
    """What an evaluation needs beside the method."""

    def __init__(
        self,
        zoo: Zoo,
        suite: Suite,
        seed: int,
        unfinished: Path | None,
        progress: Progress | None,
        limits: Limits,
    ) -> None:
        self.zoo, self.suite, self.seed, self.limits = zoo, suite, seed, limits
        self._unfinished = unfinished
        self._report = progress or (lambda state: None)
        self.blinded = cache(lambda protocol, repeat: BlindedZoo(zoo, protocol, seed + repeat))

    def __call__(self, method: OpenMethod) -> Evaluation:
        # The last bit of svd-k and of distances may depend on the number of threads.
        with threadpool_limits(self.limits.threads):
            return self._evaluated(method)

    def _evaluated(self, method: OpenMethod) -> Evaluation:
        zoo, suite, description = self.zoo, self.suite, method.description
        truths = {protocol: self.blinded(protocol, 0).truth for protocol in suite.protocols}
        result = Evaluation(description, zoo.id, zoo.content_digest, suite, self.seed, truths)
        if method.port is None:
            return replace(result, error=method.error)
        usual = self.blinded(suite.protocols[0], 0)
        digest = zoo.content_digest
        partial = PartialResults(self._unfinished, description, suite, digest, self.seed)
        try:
            answers, seconds = self._answers(method.port, partial)
            invariances = _invariances(method.port, usual)
            is_costed = suite.measures_cost and description.spec
            cost = measure_cost(description, usual, self.limits) if is_costed else None
        except MethodError as error:  # anything else is not the method's fault
            partial.remove()
            report = error.report if isinstance(error, MethodFailedError) else None
            return replace(result, error=report or traceback.format_exc())
        partial.remove()
        scores, summaries = score(answers, truths, self.seed)
        return replace(
            result,
            answers=answers,
            scores=scores,
            robustness=summaries,
            accuracy=_accuracy(usual, suite),
            seconds=seconds,
            cost=cost,
            invariances=invariances,
        )

    def _answers(
        self, port: Port, partial: PartialResults
    ) -> tuple[dict[str, Answers], dict[str, float]]:
        """Return the answers by entry, and the seconds under the first condition."""
        conditions = self.suite.conditions(self.zoo.layout)
        n_resumed = sum(partial.has(condition) for condition in conditions)
        answers: dict[str, Answers] = {}
        first: dict[str, float] = {}
        for i, condition in enumerate(conditions):
            self._report(EvaluationState(len(conditions), n_resumed, i))
            part = partial.load(condition)
            if part is None:
                blinded = self.blinded(condition.protocol, condition.repeat)
                part = answers_under(condition, port, blinded, self.suite.tasks)
                partial.save(condition, *part)
            by_task, seconds = part
            first = first or seconds
            answers |= {condition.entry(task): arrays for task, arrays in by_task.items()}
        self._report(EvaluationState(len(conditions), n_resumed, len(conditions)))
        return answers, first


def answers_under(
    condition: Condition, port: Port, blinded: BlindedZoo, tasks: Sequence[str]
) -> Part:
    """Return a method's answers to tasks under one condition, and the seconds they took."""
    shown = blinded.under(condition.perturbation)
    session = Session(port, blinded.zoo.layout, blinded.zoo.probe_inputs, shown.seed)
    return {task: TASKS[task].run(session, shown) for task in tasks}, session.seconds


def _invariances(port: Port, blinded: BlindedZoo) -> tuple[str, ...]:
    """Return the symmetries under which the distances of a fitted method stay."""
    zoo = blinded.zoo
    session = Session(port, zoo.layout, zoo.probe_inputs, blinded.seed)
    weights = blinded.test("none")[:_N_MEASURED]
    held = []
    for symmetry in ACTIONS:
        try:
            before, after = distances_before_and_after(
                symmetry, session.distances, weights, zoo.layout, zoo.probe_inputs
            )
        except Exception:  # it has answered every task, and fails on another activation
            continue
        if holds(before, after):
            held.append(symmetry)
    return tuple(held)


def _accuracy(blinded: BlindedZoo, suite: Suite) -> dict[str, float]:
    """Return the accuracy of the networks under each perturbation, if one is a compression."""
    perturbations = [condition.perturbation for condition in suite.conditions(blinded.zoo.layout)]
    if not set(perturbations) & set(COMPRESSION):
        return {}
    return accuracy_after(blinded, tuple(dict.fromkeys(perturbations)))
