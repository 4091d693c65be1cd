"""Evaluating one method on one zoo: all that a suite asks, scored; what is done is kept."""

import hashlib
import json
import shutil
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wsbench.evaluation.accuracy import accuracy_after
from wsbench.evaluation.blinded_zoo import BlindedZoo
from wsbench.evaluation.cost import Cost, measure_cost
from wsbench.evaluation.suites import SUITES, Part, Suite
from wsbench.methods.loading import load_method
from wsbench.methods.protocol import LoadedMethod
from wsbench.networks.perturbations import COMPRESSION, SYMMETRY
from wsbench.storage.atomic import atomic_write
from wsbench.storage.npz import pack, unpack
from wsbench.tasks import PRIMARY, QUESTIONS, Answers, GroundTruth, Score, evaluator_digest
from wsbench.tasks.robustness import robustness
from wsbench.zoo.cache import DEFAULT_ZOO, load_zoo
from wsbench.zoo.zoo import Zoo

Scores = dict[str, dict[str, Score]]


@dataclass(frozen=True)
class EvaluationState:
    """How far an evaluation has come: parts in all, taken over from an earlier run, and done."""

    n_parts: int
    n_resumed: int
    n_done: int


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
        The labels of the rows that it was asked about, by protocol.
    answers
        Task (``"identification/permute"``) to arrays from which the scores can be recomputed.
    scores
        Task to score name to score; empty if the method failed.
    robustness
        Question to ``"compression"`` and ``"symmetry"`` to the mean of the primary score, relative
        to that without a perturbation.
    accuracy
        Perturbation to the mean test accuracy of the perturbed networks, where it is computable.
    seconds
        Wall time of ``fit``, ``embed`` (pairwise, or transform and distances) and ``order`` in the
        first part.
    cost
        Time and memory in a process of its own, if the suite measures it.
    invariances
        The symmetries of the networks that the method was measured not to see, on some of the test
        checkpoints.
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
    parts: Path | None = None,
    progress: Callable[[EvaluationState], None] | None = None,
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
        Which questions are asked after which perturbations; None for the suite ``"smoke"``.
    seed
        For shuffles, ties, perturbations, the bootstrap, and the method's own ``rng``.
    parts
        A folder where the answers after each perturbation are kept until all are there: the same
        evaluation, if it was interrupted, goes on from these. None keeps none.
    progress
        Told of every part that is done, and before the first.

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
    >>> scores = evaluate("euclidean").scores
    >>> scores["identification/none"]["map_at_r"].value
    1.0
    """
    loaded = load_method(method) if isinstance(method, str) else method
    zoo = load_zoo(zoo) if isinstance(zoo, str) else zoo
    suite = suite or SUITES["smoke"]
    trial = cache(lambda protocol, round_: BlindedZoo(zoo, protocol, seed + round_))
    truths = {protocol: trial(protocol, 0).truth for protocol in suite.protocols}
    result = Evaluation(loaded, zoo.id, zoo.content_digest, suite, seed, truths)
    kept = _PartialResults(result, parts)
    try:
        answers, seconds = _answers(loaded, zoo, suite, trial, kept, progress)
        invariances = trial(suite.protocols[0], 0).invariances(loaded)
        cost = measure_cost(loaded, zoo, seed) if suite.measures_cost else None
    except (Exception, SystemExit):  # whatever a method does, the others go on
        kept.drop()
        return replace(result, error=traceback.format_exc())
    kept.drop()
    scores, summaries = score(answers, truths, seed)
    return replace(
        result,
        answers=answers,
        scores=scores,
        robustness=summaries,
        accuracy=_accuracy(zoo, suite, seed),
        seconds=seconds,
        cost=cost,
        invariances=invariances,
    )


def _answers(
    loaded: LoadedMethod,
    zoo: Zoo,
    suite: Suite,
    trial: Callable[[str, int], BlindedZoo],
    kept: "_PartialResults",
    progress: Callable[[EvaluationState], None] | None,
) -> tuple[dict[str, Answers], dict[str, float]]:
    todo = suite.parts(zoo.layout)
    n_resumed = sum(kept.has(part) for part in todo)
    answers: dict[str, Answers] = {}
    first: dict[str, float] = {}
    for i, part in enumerate(todo):
        if progress:
            progress(EvaluationState(len(todo), n_resumed, i))
        found = kept.load(part)
        if found is None:
            at = trial(part.protocol, part.round)
            found = at.answers(loaded, part.perturbation, suite.questions)
            kept.save(part, *found)
        by_question, seconds = found
        first = first or seconds
        answers |= {part.task(question): arrays for question, arrays in by_question.items()}
    if progress:
        progress(EvaluationState(len(todo), n_resumed, len(todo)))
    return answers, first


def score(
    answers: Mapping[str, Answers], truths: Mapping[str, GroundTruth], seed: int
) -> tuple[Scores, Scores]:
    """Return scores and robustness from stored answers: the one way to a score there is."""
    scores = {}
    for task, arrays in answers.items():
        question, truth = question_and_truth(task, truths)
        scores[task] = QUESTIONS[question].scores(arrays, truth, seed)
    summaries: Scores = {}
    for question in PRIMARY:
        primary = primary_by_model(answers, truths, question)
        if "none" in primary and len(primary) > 1:
            summaries[question] = {
                kind: robustness(primary, perturbations, seed)
                for kind, perturbations in (("compression", COMPRESSION), ("symmetry", SYMMETRY))
            }
    return scores, summaries


def primary_by_model(
    answers: Mapping[str, Answers], truths: Mapping[str, GroundTruth], question: str
) -> dict[str, npt.NDArray[np.float64]]:
    """Return a question's primary score on each model under the standard protocol.

    Parameters
    ----------
    answers, truths
        Of an `Evaluation`, or from a record.
    question
        ``"identification"``, ``"ordering"`` or ``"retrieval"``.

    Returns
    -------
    by_perturbation
        Perturbation to ``(n_models,)``, models ascending.
    """
    tasks = {task.split("/")[1]: task for task in answers if task.split("/")[::2] == [question]}
    return {
        perturbation: QUESTIONS[question].by_model(answers[task], truths["standard"])
        for perturbation, task in tasks.items()
    }


def question_and_truth(task: str, truths: Mapping[str, GroundTruth]) -> tuple[str, GroundTruth]:
    """Return what a task asks, and the labels of the rows that it asks about."""
    question, _, *more = task.split("/")
    return question, truths[more[0] if more else "standard"]


def _accuracy(zoo: Zoo, suite: Suite, seed: int) -> dict[str, float]:
    """Return the accuracy of the networks after each perturbation, if there is any compression."""
    perturbations = [part.perturbation for part in suite.parts(zoo.layout)]
    if not set(perturbations) & set(COMPRESSION):
        return {}
    return accuracy_after(zoo, tuple(dict.fromkeys(perturbations)), seed)


class _PartialResults:
    """The parts of an evaluation that are done, on disk until all are."""

    def __init__(self, evaluation: Evaluation, folder: Path | None) -> None:
        method = evaluation.method
        same = [
            evaluation.zoo_digest,
            evaluation.seed,
            evaluation.suite.questions,
            method.spec,
            method.info.version,
            method.code_sha256,
            dict(method.parameters),
            evaluator_digest(),
        ]
        key = hashlib.sha256(json.dumps(same).encode()).hexdigest()[:16]
        self._folder = folder and folder / f"{method.info.name}-{key}"

    def _file(self, part: Part) -> Path | None:
        return self._folder and self._folder / f"{part.task('').strip('/').replace('/', '-')}.npz"

    def has(self, part: Part) -> bool:
        file = self._file(part)
        return file is not None and file.exists()

    def load(self, part: Part) -> tuple[dict[str, Answers], dict[str, float]] | None:
        file = self._file(part)
        try:
            arrays = unpack(file.read_bytes()) if file else None
        except (OSError, ValueError):
            return None  # not there, or not whole: it is computed again
        if arrays is None:
            return None
        found: dict[str, Answers] = {}
        seconds: dict[str, float] = {}
        for name, array in arrays.items():
            kind, _, rest = name.partition("/")
            if kind == "seconds":
                seconds[rest] = float(array)
            else:
                found.setdefault(kind, {})[rest] = array
        return found, seconds

    def save(self, part: Part, answers: dict[str, Answers], seconds: dict[str, float]) -> None:
        file = self._file(part)
        if file is None:
            return
        arrays = {
            f"{question}/{n}": a for question, found in answers.items() for n, a in found.items()
        }
        arrays |= {f"seconds/{name}": np.array(value) for name, value in seconds.items()}
        with atomic_write(file) as temporary:
            temporary.write_bytes(pack(arrays))

    def drop(self) -> None:
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            with suppress(OSError):  # others are in it, or it was never made
                self._folder.parent.rmdir()
