"""Whether a method is what it says it is, measured on a tiny zoo of made-up trajectories.

Every check applies something that must not change a method's answer (shuffled rows, fewer rows, a
second call, another process, a symmetry of the network) and compares. Where two answers should be
equal they may differ by rounding: by 1e-5 of the largest distance.
"""

import json
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from wsbench.errors import MethodError
from wsbench.methods.invariance import TOLERANCE, distances_before_and_after, holds
from wsbench.methods.loading import load_method
from wsbench.methods.protocol import LoadedMethod
from wsbench.methods.session import Session
from wsbench.networks.checkpoints import Checkpoints, Labels
from wsbench.networks.layout import Layout
from wsbench.networks.symmetries import ACTIONS
from wsbench.seeding import generator

Status = Literal["passed", "failed", "skipped", "hint"]
Distances = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

# More checkpoints than parameters, so that a method may have as many components as either.
_N_MODELS, _N_EPOCHS = 10, 12


@dataclass(frozen=True)
class Finding:
    """What one check found: its name, whether the method passed, and why not or why it was not run.

    A hint is not a failure: the method could say more of itself than it does.
    """

    check: str
    status: Status
    detail: str = ""


class _NotConformingError(Exception):
    """The method did not pass; the message says why."""


def check_method(method: str | LoadedMethod) -> list[Finding]:
    """Run every conformance check on a method.

    Parameters
    ----------
    method
        As `load_method` takes or returns it.

    Returns
    -------
    findings
        One for each check, in a fixed order; the method conforms if none has failed.

    Examples
    --------
    >>> [finding for finding in check_method("euclidean") if finding.status == "failed"]
    []
    """
    loaded = load_method(method) if isinstance(method, str) else method
    return list(_findings(_Subject(loaded)))


def tiny_layout(activation: str) -> Layout:
    """Return the layout of the MLP 12-6-5-3 on which methods are checked."""
    return Layout.of(
        [
            ("fc1.weight", (6, 12), ("hidden-1", "input")),
            ("fc2.weight", (5, 6), ("hidden-2", "hidden-1")),
            ("fc3.weight", (3, 5), ("output", "hidden-2")),
        ],
        activation,
    )


class _Subject:
    """A method and what it is asked about: the checkpoints of four models, six epochs each."""

    def __init__(self, loaded: LoadedMethod) -> None:
        self.loaded = loaded
        self.method: Any = loaded.method
        self.layout = tiny_layout("sigmoid")
        rng = generator(0, "conformance")
        n, p = _N_MODELS * _N_EPOCHS, self.layout.n_parameters
        start = rng.standard_normal((_N_MODELS, 1, p))
        steps = rng.standard_normal((_N_MODELS, _N_EPOCHS, p)) * 0.3
        trajectories = start + np.cumsum(steps / np.arange(1, _N_EPOCHS + 1)[:, None], axis=1)
        shuffle = rng.permutation(n)
        self.weights = trajectories.reshape(n, p)[shuffle].astype(np.float32)
        self.inputs = rng.random((40, 12), dtype=np.float32)
        self._labels = Labels(
            np.repeat(np.arange(_N_MODELS, dtype=np.int32), _N_EPOCHS)[shuffle],
            np.tile(np.arange(1, _N_EPOCHS + 1, dtype=np.int16), _N_MODELS)[shuffle],
        )

        self.session = self._new_session()

    def _new_session(self) -> Session:
        return Session(self.loaded, self.layout, self.inputs, seed=0)

    def fit(self) -> None:
        """Fit the method, also if it is fitted already."""
        self.session = self._new_session()
        self.session.fit(self.weights, self._labels)

    def view(self) -> Checkpoints:
        return self.loaded.view(self.weights, self.layout, self.inputs)

    def answer(self, weights: Floats) -> npt.NDArray[Any]:
        return self.session.answer(weights)

    def distances(self, weights: Floats, layout: Layout | None = None) -> Distances:
        """Return distances as they are asked for; a new array each time, so none is remembered."""
        return self.session.distances(weights.copy(), layout)


def _findings(subject: _Subject) -> Iterator[Finding]:
    checks: list[tuple[str, Callable[[_Subject], str | None]]] = [
        ("fits and answers, reading nothing undeclared", _answers),
        ("right shape, finite numbers", _has_shape),
        ("symmetric, zero diagonal", _is_a_distance),
        ("the same when asked twice", _is_repeatable),
        ("the same in a fresh process", _is_the_same_elsewhere),
        ("does not depend on row order", _ignores_row_order),
        ("a subset gives the rows of the whole", _ignores_other_rows),
        ("leaves its input alone", _leaves_input),
        ("order is a permutation", _orders),
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
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        reason = " ".join(str(error).split())
        where = f"{Path(frame.filename).name}, line {frame.lineno}"
        return Finding(name, "failed", f"{type(error).__name__}: {reason} ({where})")
    return Finding(name, "skipped", skipped) if skipped else Finding(name, "passed")


def _answers(subject: _Subject) -> None:
    subject.fit()
    subject.answer(subject.weights)


def _has_shape(subject: _Subject) -> None:
    answer, n = subject.answer(subject.weights), len(subject.weights)
    right = answer.shape == (n, n) if subject.loaded.gives_distances else answer.shape[:1] == (n,)
    if not right or answer.ndim != 2 or not answer.size:
        expected = f"({n}, {n})" if subject.loaded.gives_distances else f"({n}, d)"
        raise _NotConformingError(f"shape {answer.shape}, expected {expected}")
    if answer.dtype.kind not in "fiu" or not np.isfinite(answer).all():
        raise _NotConformingError("holds NaN, infinity or something that is not a number")


def _is_a_distance(subject: _Subject) -> str | None:
    if not subject.loaded.gives_distances:
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


_ELSEWHERE = """
import json, sys
import numpy as np
from wsbench.methods.conformance import _Subject
from wsbench.methods.loading import load_method
subject = _Subject(load_method(sys.argv[1], json.loads(sys.argv[2])))
subject.fit()
np.save(sys.argv[3], subject.distances(subject.weights))
"""


def _is_the_same_elsewhere(subject: _Subject) -> str | None:
    if not subject.loaded.spec:
        return "the method was not loaded by name, module or file"
    here = subject.distances(subject.weights)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "distances.npy"
        found = (subject.loaded.spec, json.dumps(dict(subject.loaded.parameters)))
        command = [sys.executable, "-c", _ELSEWHERE, *found, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise _NotConformingError(f"there it fails: {done.stderr.strip().splitlines()[-1]}")
        _compare(here, np.load(file), "this process and a fresh one")
    return None


def _ignores_row_order(subject: _Subject) -> None:
    order = generator(0, "conformance", "order").permutation(len(subject.weights))
    whole = subject.distances(subject.weights)
    shuffled = subject.distances(subject.weights[order])
    _compare(whole[np.ix_(order, order)], shuffled, "rows in two orders")


def _ignores_other_rows(subject: _Subject) -> None:
    some = np.arange(0, len(subject.weights), 3)
    whole = subject.answer(subject.weights)
    part = subject.answer(subject.weights[some])
    expected = whole[np.ix_(some, some)] if subject.loaded.gives_distances else whole[some]
    if part.shape != expected.shape:
        raise _NotConformingError(
            f"{len(some)} rows give {part.shape[1]} columns, all {whole.shape[1]}"
        )
    _compare(expected, part, "a row among others and among fewer")


def _leaves_input(subject: _Subject) -> None:
    view = subject.view()
    before = view.weights.copy()
    method: Any = subject.method
    (method.pairwise if subject.loaded.gives_distances else method.transform)(view)
    if view.weights.flags.writeable or (view.weights != before).any():
        raise _NotConformingError("the weights were changed or made writeable")


def _orders(subject: _Subject) -> str | None:
    if not hasattr(subject.method, "order"):
        return "the method has no order; linkage heights stand in for it"
    k = 5
    try:
        subject.session.order(subject.weights[:k])
    except MethodError as error:
        raise _NotConformingError(str(error)) from None
    return None


def _invariance(subject: _Subject, name: str) -> Finding:
    """Apply a symmetry to every checkpoint on its own and see whether the distances notice."""
    check = f"invariant under {name}"
    declared = name in subject.loaded.info.invariances

    try:
        before, after = distances_before_and_after(
            name, subject.distances, subject.weights, subject.layout, subject.inputs
        )
        _compare(before, after, "before and after")
    except _NotConformingError as failure:
        if declared:
            return Finding(check, "failed", f"declared, but {failure}")
        return Finding(check, "skipped", "not declared, and does not hold")
    except Exception as error:
        return Finding(check, "failed", f"{type(error).__name__}: {error}")
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
