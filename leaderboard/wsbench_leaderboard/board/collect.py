"""Records of a folder with every score recomputed from the stored answers."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

import wsbench

Scores = Mapping[str, Mapping[str, wsbench.Score]]
Parts = Mapping[str, Scores]  # "scores" by entry, "robustness" and "tracks" by task

# Answers are whole numbers and a score is a short sum of them. Processors and releases of numpy
# differ in the last of sixteen digits of an interval. Tables show what is computed here.
_ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class RescoredRecord:
    """A record with its scores recomputed from the stored answers.

    Attributes
    ----------
    record
        The record itself: names, costs, environment.
    scores, robustness, tracks
        The recomputed scores by entry, robustness by task, and tracks by task or ``"overall"``.
    by_model
        ``"overall"``, or task, to the score of each test model that ranks, ``(n_models,)``.
    published
        Of a result of the season: the same method's on the published zoo, if there is one.
    agrees
        Whether the two agreed where the method was run again; None where it was not.
    is_newer
        Whether the method's code was not on the board when the season opened.
    is_outside
        Whether other methods have results of the season on this zoo, and this one has none.
    """

    record: wsbench.Record
    scores: Scores
    robustness: Scores
    tracks: Scores
    by_model: Mapping[str, npt.NDArray[np.float64]]
    published: "RescoredRecord | None" = None
    agrees: bool | None = None
    is_newer: bool = False
    is_outside: bool = False

    @property
    def zoo(self) -> tuple[str, str]:
        """Id and content digest of the published zoo, also of a result on fresh models."""
        content = self.record.content
        zoo = content.fit_on if self.is_fresh and content.fit_on else content.zoo
        return zoo.id, zoo.content_digest

    @property
    def is_fresh(self) -> bool:
        """Whether the scores are those on fresh models."""
        return bool(self.record.content.fresh_text)

    @property
    def published_overall(self) -> wsbench.Score | None:
        """The overall score on the published zoo."""
        return self.published.tracks["overall"]["overall"] if self.published else None

    @property
    def overall_gap(self) -> wsbench.Score | None:
        """The overall score minus that on the published zoo, with its interval."""
        if self.published is None:
            return None
        values = self.by_model["overall"], self.published.by_model["overall"]
        difference = float(np.mean(values[0]) - np.mean(values[1]))
        return wsbench.Score(difference, wsbench.interval_of_difference(*values))

    @property
    def kinds(self) -> tuple[str, ...]:
        """Words that mark the result in tables."""
        marks = {
            "supervised": self.is_supervised,
            "transductive": self.is_transductive,
            "reproduced": self.agrees is True,
            "not reproduced": self.agrees is False,
            "newer than the season": self.is_newer,
            "not in the season": self.is_outside,
            "stale": self.is_stale,
        }
        return tuple(mark for mark, holds in marks.items() if holds)

    @property
    def has_rank(self) -> bool:
        """Whether it may have a rank."""
        apart = self.is_stale, self.is_transductive, self.is_outside, self.is_newer
        return not any(apart) and self.agrees is not False

    @property
    def is_stale(self) -> bool:
        """Whether another version of a task computed the recorded scores."""
        return self.record.is_stale

    @property
    def is_transductive(self) -> bool:
        """Whether a distance depends on other checkpoints than its two."""
        return self.record.content.is_transductive

    @property
    def is_supervised(self) -> bool:
        """Whether the method is fitted on labels."""
        return "labels" in self.record.content.method.needs


@dataclass(frozen=True)
class Difference:
    """A score whose recorded and recomputed values differ; None stands for a missing score."""

    part: str
    group: str
    name: str
    recorded: wsbench.Score | None
    computed: wsbench.Score | None

    def describe(self) -> str:
        """Return the score's place, its recorded and its recomputed value, for messages."""
        name = ".".join((self.part, self.group, self.name))
        return f"{name:.80} is {_shown(self.recorded)}, the answers give {_shown(self.computed)}"


def collect(folder: Path) -> list[RescoredRecord]:
    """Return every record below a folder that has scores, by zoo and method.

    Raises
    ------
    UnknownIdError
        If there is no such folder.
    FormatError, IntegrityError
        If a record or its answers are damaged, or its scores do not follow from its answers. Scores
        of a stale record may differ.
    """
    expect_folder(folder)
    results = [rescore_record(wsbench.load_record(path)) for path in sorted(folder.rglob("*.json"))]
    return sorted_results(rescored for rescored in results if rescored.scores)


def expect_folder(folder: Path) -> None:
    """Raise `UnknownIdError` without a folder of records; git keeps none that is empty."""
    is_in_clone = folder.name == "records" and (folder.parent / "wsbench_leaderboard").is_dir()
    if not folder.is_dir() and not is_in_clone:
        raise wsbench.UnknownIdError(
            f"{folder}: no such folder of records; wsbench evaluate writes one"
        )


def zoo_place(zoo_id: str) -> tuple[bool, str]:
    """Return the sort key of a zoo: those that seconds build, on small data, follow the others."""
    published = wsbench.published_zoos().get(zoo_id)
    return published is not None and published.embedded, zoo_id


def sorted_results(results: Iterable[RescoredRecord]) -> list[RescoredRecord]:
    """Return results by zoo, method, and name of the record."""

    def place(rescored: RescoredRecord) -> tuple[str, ...]:
        record = rescored.record
        return rescored.zoo[0], record.label, record.path.name

    return sorted(results, key=place)


def rescore_record(record: wsbench.Record) -> RescoredRecord:
    """Recompute a record's scores; raise as `collect` does."""
    answers, truths = wsbench.load_answers(record)
    tracks = wsbench.tracks_of(record)
    scored = wsbench.score_answers(answers, truths, tracks)
    if not record.is_stale:
        _expect_same(record, recorded_parts(record), vars(scored))
    by_model = wsbench.ranked_by_model(answers, truths, tracks)
    return RescoredRecord(record, **vars(scored), by_model=by_model)


def recorded_parts(record: wsbench.Record) -> Parts:
    """Return the recorded scores, robustness and tracks."""
    return {"scores": record.scores, "robustness": record.robustness, "tracks": record.tracks}


def rank_value(rescored: RescoredRecord) -> float:
    """Return the overall score; without tracks, -infinity."""
    score = rescored.tracks.get("overall", {}).get("overall")
    return float("-inf") if score is None or score.value is None else score.value


def ranks(results: Iterable[RescoredRecord], task: str = "overall") -> dict[Path, tuple[int, int]]:
    """Return the rank intervals of one zoo's records by path, overall or in a task.

    Stale records, transductive methods, records without this score, and what the season excludes
    have no rank. On fewer than six test models no record has one.
    """
    by_name = {
        str(rescored.record.path): rescored.by_model[task]
        for rescored in results
        if rescored.has_rank and task in rescored.by_model
    }
    intervals = wsbench.rank_intervals(by_name)
    return {Path(name): ranks for name, ranks in intervals.items()}


def differences(recorded: Parts, computed: Parts) -> Iterator[Difference]:
    """Yield the differences between two sets of scores, robustness and tracks."""
    old, new = (
        {
            (part, group, name): score
            for part, by_group in parts.items()
            for group, by_name in by_group.items()
            for name, score in by_name.items()
        }
        for parts in (recorded, computed)
    )
    for key in sorted({**old, **new}):
        before, after = old.get(key), new.get(key)
        if before is None or after is None or not _is_same(before, after):
            yield Difference(*key, before, after)


def _expect_same(record: wsbench.Record, recorded: Parts, computed: Parts) -> None:
    """Raise `IntegrityError` with the first recorded score that the answers do not give."""
    for difference in differences(recorded, computed):
        raise wsbench.IntegrityError(
            f"{record.path}: the scores do not follow from the answers: {difference.describe()};"
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
