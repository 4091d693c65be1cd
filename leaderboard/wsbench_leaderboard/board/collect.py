"""The records of a folder, every score recomputed from the stored answers."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import wsbench

Scores = Mapping[str, Mapping[str, wsbench.Score]]
Parts = Mapping[str, Scores]  # "scores" by entry, "robustness" by task

# Answers are whole numbers, and a score is a short sum of them; processors and releases of numpy
# differ in the last of sixteen digits of an interval. What is shown is always computed here.
_ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class RescoredRecord:
    """A method's record on a zoo, with its scores computed again from the stored answers.

    Attributes
    ----------
    record
        What was recorded; names, costs, the environment.
    scores, robustness
        As computed here.
    by_model
        Task to the primary score of each test model without a perturbation, ``(n_models,)``.
    """

    record: wsbench.Record
    scores: Scores
    robustness: Scores
    by_model: Mapping[str, npt.NDArray[np.float64]]

    @property
    def is_stale(self) -> bool:
        """Whether another version of a task scored the method."""
        return self.record.is_stale


@dataclass(frozen=True)
class Difference:
    """A score that is not what was recorded; None where one of the two has no such score."""

    part: str
    group: str
    name: str
    recorded: wsbench.Score | None
    computed: wsbench.Score | None

    def describe(self) -> str:
        """Return the score's place, its recorded and its recomputed value, for messages."""
        name = ".".join((self.part, self.group, self.name))
        return f"{name:.80} is {_shown(self.recorded)}, its answers give {_shown(self.computed)}"


def collect(folder: Path) -> list[RescoredRecord]:
    """Return the result for each record below a folder that has scores, by zoo and method.

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
    results = [rescore_record(wsbench.load_record(path)) for path in sorted(folder.rglob("*.json"))]
    return in_order(found for found in results if found.scores)


def in_order(results: Iterable[RescoredRecord]) -> list[RescoredRecord]:
    """Return results as `collect` does: by zoo, method, and name of the record."""
    return sorted(results, key=lambda e: (e.record.zoo, e.record.label, e.record.path.name))


def rescore_record(record: wsbench.Record) -> RescoredRecord:
    """Compute a record's scores again; raise as `collect` does."""
    answers, truths = wsbench.load_answers(record)
    scores, robustness = wsbench.score_answers(answers, truths, record.content.seed)
    recorded = {"scores": record.scores, "robustness": record.robustness}
    if not record.is_stale:
        _expect_same(record, recorded, {"scores": scores, "robustness": robustness})
    by_model = {
        name: task.by_model(answers[f"{name}/none"], truths["standard"])
        for name, task in wsbench.TASKS.items()
        if f"{name}/none" in answers
    }
    return RescoredRecord(record, scores, robustness, by_model)


def rank_task() -> str:
    """Return the task whose ranks order tables: the first of the catalogue."""
    return next(iter(wsbench.TASKS))


def rank_value(rescored: RescoredRecord) -> float:
    """Return the primary score of the `rank_task` as written; -infinity if there is none."""
    task = rank_task()
    score = rescored.scores.get(f"{task}/none", {}).get(wsbench.primary_score(task).name)
    return float("-inf") if score is None or score.value is None else score.value


def ranks(results: Iterable[RescoredRecord], task: str) -> dict[Path, tuple[int, int]]:
    """Return the rank interval of each result of one zoo, by its record's path.

    Stale records and those without this task as written have none, nor have any on fewer than six
    test models.
    """
    fresh = [e for e in results if not e.is_stale and task in e.by_model]
    by_name = {str(e.record.path): e.by_model[task] for e in fresh}
    intervals = wsbench.rank_intervals(by_name)
    return {Path(name): ranks for name, ranks in intervals.items()}


def differences(recorded: Parts, computed: Parts) -> Iterator[Difference]:
    """Yield the scores that differ between two sets of ``"scores"`` and ``"robustness"``."""
    listed, expected = (
        {
            (part, group, name): score
            for part, by_group in parts.items()
            for group, by_name in by_group.items()
            for name, score in by_name.items()
        }
        for parts in (recorded, computed)
    )
    for key in sorted({**listed, **expected}):
        got, right = listed.get(key), expected.get(key)
        if got is None or right is None or not _is_same(got, right):
            yield Difference(*key, got, right)


def _expect_same(record: wsbench.Record, recorded: Parts, computed: Parts) -> None:
    """Raise `IntegrityError` with the first score that is not the one its answers give."""
    for found in differences(recorded, computed):
        raise wsbench.IntegrityError(
            f"{record.path}: its scores are not those of its answers: {found.describe()};"
            " evaluate the method again"
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
