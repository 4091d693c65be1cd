"""Reading the records of a folder, and believing none of the numbers in them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import wsbench
from wsbench.evaluation.evaluate import primary_by_model, score
from wsbench.records.record import load_answers
from wsbench.tasks import PRIMARY

Scores = Mapping[str, Mapping[str, wsbench.Score]]

# Answers are whole numbers, and a score is a short sum of them; processors and releases of numpy
# differ in the last of sixteen digits of an interval. What is shown is always computed here.
_ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class Entry:
    """A method's record on a zoo, with its scores computed again from the stored answers.

    Attributes
    ----------
    record
        What was recorded; names, costs, the environment.
    scores, robustness
        As computed here.
    by_model
        Question to the primary score of each test model without a perturbation, ``(n_models,)``.
    stale
        Whether the code that computes scores has changed since the method was evaluated.
    """

    record: wsbench.Record
    scores: Scores
    robustness: Scores
    by_model: Mapping[str, npt.NDArray[np.float64]]
    stale: bool


def collect(folder: Path) -> list[Entry]:
    """Return an entry for each record below a folder that has scores, by zoo and method.

    Raises
    ------
    UnknownIdError
        If there is no such folder.
    FormatError, IntegrityError
        If a record or its answers are damaged, or its scores are not those of its answers (those
        of a stale record may be others, as they were computed in another way).
    """
    if not folder.is_dir():
        raise wsbench.UnknownIdError(
            f"{folder}: no such folder of records; wsbench evaluate writes one"
        )
    entries = [entry(wsbench.load_record(path)) for path in sorted(folder.rglob("*.json"))]
    return in_order(found for found in entries if found.scores)


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Return entries as `collect` does: by zoo, method, and name of the record."""
    return sorted(entries, key=lambda e: (e.record.zoo, e.record.label, e.record.path.name))


def entry(record: wsbench.Record) -> Entry:
    """Compute a record's scores again; raise as `collect` does."""
    stale = record.content["evaluator"] != wsbench.evaluator_digest()
    given = {"tasks": record.scores, "robustness": record.robustness}
    if record.content["answers"] is None:
        _expect(record, given, {"tasks": {}, "robustness": {}})
        return Entry(record, {}, {}, {}, stale)
    answers, truths = load_answers(record)
    scores, robustness = score(answers, truths, record.content["seed"])
    if not stale:
        _expect(record, given, {"tasks": scores, "robustness": robustness})
    by_model = {}
    for question in PRIMARY:
        by_perturbation = primary_by_model(answers, truths, question)
        if "none" in by_perturbation:
            by_model[question] = by_perturbation["none"]
    return Entry(record, scores, robustness, by_model, stale)


def ranks(entries: Iterable[Entry], question: str) -> dict[Path, tuple[int, int]]:
    """Return the rank interval of each entry of one zoo, by its record's path.

    None have the stale ones, and those that were not asked the question without a perturbation.
    """
    fresh = [e for e in entries if not e.stale and question in e.by_model]
    by_name = {str(e.record.path): e.by_model[question] for e in fresh}
    intervals = wsbench.rank_intervals(by_name)
    return {e.record.path: intervals[str(e.record.path)] for e in fresh}


def _expect(
    record: wsbench.Record, given: Mapping[str, Scores], computed: Mapping[str, Scores]
) -> None:
    """Raise `IntegrityError` with the first score that is not the one its answers give."""
    listed, expected = (
        {
            f"{part}.{task}.{name}": value
            for part, by_task in scores.items()
            for task, by_name in by_task.items()
            for name, value in by_name.items()
        }
        for scores in (given, computed)
    )
    for name in sorted({**listed, **expected}):
        got, right = listed.get(name), expected.get(name)
        if got is None or right is None or not _is_same(got, right):
            raise wsbench.IntegrityError(
                f"{record.path}: its scores are not those of its answers: {name:.80} is"
                f" {_shown(got)}, its answers give {_shown(right)}; evaluate the method again"
            )


def _is_same(a: wsbench.Score, b: wsbench.Score) -> bool:
    numbers, others = ([s.value, *(s.interval or (None, None))] for s in (a, b))
    return all(
        x is y is None
        or (
            x is not None
            and y is not None
            and math.isclose(x, y, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
        )
        for x, y in zip(numbers, others, strict=True)
    )


def _shown(score: wsbench.Score | None) -> str:
    if score is None:
        return "missing"
    return f"{score.value}" + (f" {list(score.interval)}" if score.interval else "")
