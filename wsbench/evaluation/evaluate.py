"""Evaluation of one method on one zoo under a suite.

Finished conditions are saved, so an interrupted run resumes.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from wsbench.evaluation.accuracy import accuracy_after
from wsbench.evaluation.cost import Cost, measure_cost
from wsbench.evaluation.resume import PartialResults
from wsbench.evaluation.suites import SUITES, Suite
from wsbench.methods.invariance import distances_before_and_after, holds
from wsbench.methods.loading import load_method
from wsbench.methods.protocol import LoadedMethod
from wsbench.methods.session import Session
from wsbench.networks.perturbations import COMPRESSION
from wsbench.networks.symmetries import ACTIONS
from wsbench.tasks.blinded_zoo import BlindedZoo
from wsbench.tasks.catalogue import TASKS
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

    method: LoadedMethod
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
    method: str | LoadedMethod,
    zoo: str | Zoo = DEFAULT_ZOO,
    *,
    suite: Suite | None = None,
    seed: int = 0,
    unfinished: Path | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate a method on a zoo.

    It is fitted on the train models and asked about the test models, epochs 1 to the last.

    Parameters
    ----------
    method
        As `load_method` takes or returns it.
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
    >>> scores = evaluate("euclidean").scores  # doctest: +SKIP
    >>> scores["identification/none"]["map_at_r"].value  # doctest: +SKIP
    1.0
    """
    loaded = load_method(method) if isinstance(method, str) else method
    zoo = load_zoo(zoo) if isinstance(zoo, str) else zoo
    suite = suite or SUITES["smoke"]
    blinded = cache(lambda protocol, repeat: BlindedZoo(zoo, protocol, seed + repeat))
    truths = {protocol: blinded(protocol, 0).truth for protocol in suite.protocols}
    result = Evaluation(loaded, zoo.id, zoo.content_digest, suite, seed, truths)
    partial = PartialResults(unfinished, loaded, suite, zoo.content_digest, seed)
    try:
        answers, seconds = _answers(loaded, zoo, suite, blinded, partial, progress)
        invariances = _invariances(loaded, blinded(suite.protocols[0], 0))
        cost = measure_cost(loaded, blinded("standard", 0)) if suite.measures_cost else None
    except (Exception, SystemExit):  # whatever a method does, the next one runs
        partial.remove()
        return replace(result, error=traceback.format_exc())
    partial.remove()
    scores, summaries = score(answers, truths, seed)
    return replace(
        result,
        answers=answers,
        scores=scores,
        robustness=summaries,
        accuracy=_accuracy(blinded("standard", 0), suite),
        seconds=seconds,
        cost=cost,
        invariances=invariances,
    )


def _answers(
    loaded: LoadedMethod,
    zoo: Zoo,
    suite: Suite,
    blinded: Callable[[str, int], BlindedZoo],
    partial: PartialResults,
    progress: Progress | None,
) -> tuple[dict[str, Answers], dict[str, float]]:
    """Return the answers by entry, and the seconds under the first condition."""
    conditions = suite.conditions(zoo.layout)
    n_resumed = sum(partial.has(condition) for condition in conditions)
    report = progress or (lambda state: None)
    answers: dict[str, Answers] = {}
    first: dict[str, float] = {}
    for i, condition in enumerate(conditions):
        report(EvaluationState(len(conditions), n_resumed, i))
        part = partial.load(condition)
        if part is None:
            shown = blinded(condition.protocol, condition.repeat).under(condition.perturbation)
            session = Session(loaded, zoo.layout, zoo.probe_inputs, shown.seed)
            part = {task: TASKS[task].run(session, shown) for task in suite.tasks}, session.seconds
            partial.save(condition, *part)
        by_task, seconds = part
        first = first or seconds
        answers |= {condition.entry(task): arrays for task, arrays in by_task.items()}
    report(EvaluationState(len(conditions), n_resumed, len(conditions)))
    return answers, first


def _invariances(loaded: LoadedMethod, blinded: BlindedZoo) -> tuple[str, ...]:
    """Return the symmetries under which the distances of a fitted method stay."""
    zoo = blinded.zoo
    session = Session(loaded, zoo.layout, zoo.probe_inputs, blinded.seed)
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
