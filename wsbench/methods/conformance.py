"""Conformance: checks of a method on made-up trajectories, or on a few checkpoints of a zoo.

Each check makes a change that must not change a method's answer (shuffled rows, fewer rows, a
second call, another process, a symmetry of the network) and compares. Two answers are equal if they
differ by at most 1e-5 of the largest distance.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from wsbench.errors import FormatError, MethodError, MethodFailedError, WsbenchError
from wsbench.methods.failure import summary
from wsbench.methods.invariance import TOLERANCE, distances_before_and_after, holds
from wsbench.methods.opening import OpenMethod, open_methods, opened
from wsbench.methods.process import MethodProcess
from wsbench.methods.protocol import LoadedMethod
from wsbench.methods.samples import Sample, made_up_sample, zoo_sample
from wsbench.methods.session import Session
from wsbench.metrics.distances import pairwise_euclidean
from wsbench.networks.layout import Layout
from wsbench.networks.symmetries import ACTIONS
from wsbench.seeding import generator

if TYPE_CHECKING:
    from wsbench.zoo.zoo import Zoo

Status = Literal["passed", "failed", "skipped", "hint"]
Distances = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_SUBSET = "a subset gives the rows of the whole"


@dataclass(frozen=True)
class Finding:
    """The result of one check: its name, its status, and the reason for a failure or a skip.

    A hint is no failure: it names an invariance that holds and is not declared, or says that the
    method is transductive.
    """

    check: str
    status: Status
    detail: str = ""


class _NotConformingError(Exception):
    """A check failed; the message says why."""


class _HintError(Exception):
    """A check did not hold, which is allowed; the message says why."""


def check_method(
    method: str | LoadedMethod | OpenMethod, zoo: "str | Zoo | None" = None
) -> list[Finding]:
    """Run every conformance check on a method.

    Parameters
    ----------
    method
        As `wsbench.evaluate` takes it.
    zoo
        As `load_zoo` takes or returns it. The method is fitted on a few of its train models and
        asked about a few test models. None for a tiny zoo of made-up networks.

    Returns
    -------
    findings
        One for each check, in a fixed order; the method conforms if none has failed.

    Raises
    ------
    UnknownIdError, MethodError, FormatError, IntegrityError, ZooError
        As `wsbench.evaluate` raises them.

    Examples
    --------
    >>> [finding for finding in check_method("euclidean") if finding.status == "failed"]
    []
    """
    sample = _sample(zoo)
    if isinstance(method, LoadedMethod):
        return list(_findings(_Subject(opened(method), sample)))
    if isinstance(method, OpenMethod):
        return list(_findings(_Subject(method, sample)))
    with open_methods([method]) as (one,):
        return list(_findings(_Subject(one, sample)))


def _sample(zoo: "str | Zoo | None") -> Sample:
    if zoo is None:
        return made_up_sample()
    from wsbench.exchange.loading import load_zoo

    return zoo_sample(load_zoo(zoo) if isinstance(zoo, str) else zoo)


class _Subject:
    """A method, and the sample that it is fitted on and asked about."""

    def __init__(self, method: OpenMethod, sample: Sample) -> None:
        if method.port is None:
            raise MethodFailedError(
                f"{method.description.spec} cannot be loaded", method.error or ""
            )
        self.port = method.port
        self.description = method.description
        self.sample = sample
        self.layout, self.inputs, self.weights = sample.layout, sample.inputs, sample.asked
        self.session = self._new_session()

    def _new_session(self) -> Session:
        return Session(self.port, self.layout, self.inputs, seed=0)

    def fit(self) -> None:
        """Fit the method, also if it is fitted already."""
        self.session = self._new_session()
        self.session.fit(self.sample.train, self.sample.labels)

    def answer(self, weights: Floats) -> npt.NDArray[Any]:
        return self.session.answer(weights)

    def distances(self, weights: Floats, layout: Layout | None = None) -> Distances:
        """Return distances as the method gives them: the checks look for faults in them."""
        answer = self.session.answer(weights, layout)
        return answer if self.description.gives_distances else pairwise_euclidean(answer)


def _findings(subject: _Subject) -> Iterator[Finding]:
    checks: list[tuple[str, Callable[[_Subject], str | None]]] = [
        ("fits and answers, reading nothing undeclared", _answers),
        ("right shape, finite numbers", _has_shape),
        ("symmetric, zero diagonal", _is_a_distance),
        ("the same when asked twice", _is_repeatable),
        ("the same in a fresh process", _is_the_same_elsewhere),
        ("does not depend on row order", _ignores_row_order),
        (_SUBSET, _ignores_other_rows),
        ("leaves its input alone", _leaves_input),
        ("order is a permutation", _orders),
        ("progress is a number for each, whatever the others", _progresses),
    ]
    for name, check in checks:
        finding = _run(name, check, subject)
        yield finding
        if finding.status == "failed" and check in (_answers, _has_shape):
            return  # nothing else can be asked
    for name in ACTIONS:
        yield _invariance(subject, name)


def _run(name: str, check: Callable[[_Subject], str | None], subject: _Subject) -> Finding:
    try:
        skipped = check(subject)
    except _NotConformingError as failure:
        return Finding(name, "failed", str(failure))
    except _HintError as hint:
        return Finding(name, "hint", str(hint))
    except MethodFailedError as error:
        return Finding(name, "failed", summary(error.report))
    except MethodError as error:
        return Finding(name, "failed", str(error))
    return Finding(name, "skipped", skipped) if skipped else Finding(name, "passed")


def _answers(subject: _Subject) -> None:
    subject.fit()
    subject.answer(subject.weights)


def _has_shape(subject: _Subject) -> None:
    answer, n = subject.answer(subject.weights), len(subject.weights)
    right = (
        answer.shape == (n, n) if subject.description.gives_distances else answer.shape[:1] == (n,)
    )
    if not right or answer.ndim != 2 or not answer.size:
        expected = f"({n}, {n})" if subject.description.gives_distances else f"({n}, d)"
        raise _NotConformingError(f"shape {answer.shape}, expected {expected}")
    if answer.dtype.kind not in "fiu" or not np.isfinite(answer).all():
        raise _NotConformingError("holds NaN, infinity or something that is not a number")


def _is_a_distance(subject: _Subject) -> str | None:
    if not subject.description.gives_distances:
        return "the method gives an embedding"
    distances = subject.answer(subject.weights)
    _compare(distances, distances.T, "d(i, j) and d(j, i)")
    if (off := np.abs(distances.diagonal()).max()) > TOLERANCE * np.abs(distances).max():
        raise _NotConformingError(f"the distance of a checkpoint from itself is {off:g}")
    if distances.min() < 0:
        raise _NotConformingError(f"a distance is negative: {distances.min():g}")
    return None


def _is_repeatable(subject: _Subject) -> None:
    before = subject.distances(subject.weights)
    _compare(before, subject.distances(subject.weights), "two calls")
    subject.fit()
    _compare(before, subject.distances(subject.weights), "two fits with the same rng")


def _is_the_same_elsewhere(subject: _Subject) -> str | None:
    description = subject.description
    if not description.spec:
        return "the method was not loaded by name, module or file"
    here = subject.distances(subject.weights)
    settings = {name: description.parameters[name] for name in description.settings}
    with MethodProcess(hash_seed=1) as process:
        try:
            process.find(description.spec)
            there = _Subject(OpenMethod(process.make(settings), process), subject.sample)
            there.fit()
            _compare(here, there.distances(there.weights), "this process and a fresh one")
        except MethodFailedError as error:
            raise _NotConformingError(
                f"it fails in a fresh process: {_last_line(error.report)}"
            ) from None
    return None


def _last_line(report: str | None) -> str:
    return (report or "").strip().rpartition("\n")[2]


def _ignores_row_order(subject: _Subject) -> None:
    order = generator(0, "conformance", "order").permutation(len(subject.weights))
    whole = subject.distances(subject.weights)
    shuffled = subject.distances(subject.weights[order])
    _compare(whole[np.ix_(order, order)], shuffled, "rows in two orders")


def _ignores_other_rows(subject: _Subject) -> None:
    some = np.arange(0, len(subject.weights), 3)
    try:
        among_all = subject.distances(subject.weights)[np.ix_(some, some)]
        _compare(among_all, subject.distances(subject.weights[some]), "distances among fewer")
    except _NotConformingError as failure:
        raise _HintError(f"transductive, so it has no rank: {failure}") from None
    whole = subject.answer(subject.weights)
    part = subject.answer(subject.weights[some])
    expected = whole[np.ix_(some, some)] if subject.description.gives_distances else whole[some]
    if part.shape != expected.shape:
        raise _NotConformingError(
            f"{len(some)} rows give {part.shape[1]} columns, all {whole.shape[1]}"
        )
    _compare(expected, part, "a row among others and among fewer")


def _leaves_input(subject: _Subject) -> None:
    if not subject.port.leaves_input(subject.weights, subject.layout, subject.inputs):
        raise _NotConformingError("the weights were changed or made writeable")


def _orders(subject: _Subject) -> str | None:
    if not subject.description.has_order:
        return "the method has no order; linkage heights stand in for it"
    k = 5
    try:
        subject.session.order(subject.weights[:k])
    except MethodError as error:
        raise _NotConformingError(str(error)) from None
    return None


def _progresses(subject: _Subject) -> str | None:
    if not subject.description.has_progress:
        return "the method has no progress"
    try:
        whole = subject.session.progress(subject.weights)
        some = subject.session.progress(subject.weights[::3])
    except MethodError as error:
        raise _NotConformingError(str(error)) from None
    _compare(whole[::3], some, "the progress of a checkpoint among others and among fewer")
    return None


def _invariance(subject: _Subject, name: str) -> Finding:
    """Apply a symmetry to each checkpoint and compare the distances before and after."""
    check = f"invariant under {name}"
    declared = name in subject.description.info.invariances

    try:
        before, after = distances_before_and_after(
            name, subject.distances, subject.weights, subject.layout, subject.inputs
        )
        _compare(before, after, "before and after")
    except _NotConformingError as failure:
        if declared:
            return Finding(check, "failed", f"declared, but {failure}")
        return Finding(check, "skipped", "not declared, and does not hold")
    except MethodFailedError as error:
        return Finding(check, "failed", summary(error.report))
    except FormatError as error:  # the zoo's networks do not have the symmetry
        return Finding(check, "skipped", str(error))
    except WsbenchError as error:
        return Finding(check, "failed", str(error))
    if declared:
        return Finding(check, "passed")
    if not holds(before, after):
        return Finding(check, "skipped", "not declared; all distances are zero")
    return Finding(check, "hint", f'holds, but is not declared: invariances={{"{name}"}}')


def _compare(a: npt.NDArray[Any], b: npt.NDArray[Any], what: str) -> None:
    if a.shape != b.shape:
        raise _NotConformingError(f"{what} differ in shape: {a.shape} and {b.shape}")
    scale = max(float(np.abs(a).max()), float(np.abs(b).max()), np.finfo(np.float64).tiny)
    off = float(np.abs(a - b).max())
    if not off <= TOLERANCE * scale:
        raise _NotConformingError(f"{what} differ by up to {off:.3g} of {scale:.3g}")
