"""Reproduction: a record's method, run again from its spec on the fresh models of a season.

A file beside the record says when, where, and how far the scores are apart. Answers that are made
up for the published models are far from those that the code gives on others.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

import wsbench

SUFFIX = ".reproduced"

_LEVEL = 0.95
_ROUNDING = 1e-8  # of sums, on other processors
_MAX_BYTES = 100_000
_FINITE = Meta(ge=-10.0, le=10.0)
_Number = Annotated[float, _FINITE]


class LargestGap(Struct, frozen=True, forbid_unknown_fields=True):
    """The gap that lies farthest out of its interval, or nearest to its end.

    ``interval`` is of the difference, ``score`` minus ``published``. All intervals of a
    reproduction hold 0 together in 95 % of cases.
    """

    task: Annotated[str, Meta(max_length=60)]
    track: Annotated[str, Meta(max_length=60)]
    published: _Number
    score: _Number
    interval: tuple[_Number, _Number]


class Reproduction(Struct, frozen=True, forbid_unknown_fields=True):
    """What the file beside a record holds.

    Attributes
    ----------
    season
        Its name.
    answers
        The sha256 of the answers of the run on the season's models.
    when
        Date of the run.
    largest
        The largest difference.
    agrees
        Whether all differences lie within their intervals.
    environment
        Of the run.
    """

    format: Literal[1]
    season: Annotated[str, Meta(max_length=20)]
    answers: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    when: datetime.date
    largest: LargestGap
    agrees: bool
    environment: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Run:
    """A finished reproduction: the record on fresh models, and the content of the file."""

    record: wsbench.Record
    reproduction: Reproduction


def reproduce(
    record: wsbench.Record,
    season: str,
    fresh: wsbench.FreshZoo,
    records: Path,
    *,
    progress: Any = None,
    unfinished: Path | None = None,
    workers: int = 1,
) -> Run:
    """Run a record's method on fresh models, and write its record and the file beside it.

    Parameters
    ----------
    record
        Of the published zoo that the fresh one is of.
    season
        Name of the season.
    fresh
        Its zoo.
    records
        Folder of records.
    progress, unfinished, workers
        As for `wsbench.evaluate`.

    Raises
    ------
    MethodError
        If the method cannot be loaded, fails, or its code is not that of the record.
    StorageError
        If a file cannot be written.
    """
    method = record.content.method
    settings = {name: method.parameters[name] for name in method.settings}
    suite = wsbench.SUITES[record.content.suite.name]
    with wsbench.open_methods([method.spec], settings) as (opened,):
        if opened.description.code_sha256 != method.code_sha256:
            raise wsbench.MethodError(
                f"{record.path.name}: the code of {method.spec} has changed since; evaluate and"
                " submit it again"
            )
        result = wsbench.evaluate(
            opened, fresh, suite=suite, progress=progress,
            unfinished=unfinished, workers=workers,
        )  # fmt: skip
    if result.error:
        raise wsbench.MethodError(f"{record.path.name}: the method failed: {result.error[-500:]}")
    written = wsbench.save_record(result, records)
    pointer = written.content.answers
    assert pointer is not None  # a method that failed is refused above
    largest = largest_gap(record, written)
    low, high = largest.interval
    found = Reproduction(
        1, season, pointer.sha256, datetime.datetime.now(datetime.UTC).date(), largest,
        low <= 0 <= high, msgspec.to_builtins(written.content.environment),
    )  # fmt: skip
    write_reproduction(record.path, found)
    return Run(written, found)


def write_reproduction(record: Path, found: Reproduction) -> None:
    """Write the file beside a record."""
    with wsbench.atomic_write(path_beside(record)) as temporary:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")


def renewed(found: Reproduction, published: wsbench.Record, fresh: wsbench.Record) -> Reproduction:
    """Return a reproduction whose difference follows from the records as they are now."""
    largest = largest_gap(published, fresh)
    low, high = largest.interval
    return msgspec.structs.replace(found, largest=largest, agrees=low <= 0 <= high)


def largest_gap(published: wsbench.Record, fresh: wsbench.Record) -> LargestGap:
    """Return the largest difference between two records, relative to its interval."""
    loaded = wsbench.load_answers(published), wsbench.load_answers(fresh)
    tracks = wsbench.tracks_of(published)
    n_gaps = sum(map(len, wsbench.generalisation_gaps(*loaded, tracks).values()))
    level = 1 - (1 - _LEVEL) / n_gaps  # Bonferroni: none of them is outside by chance
    gaps = wsbench.generalisation_gaps(*loaded, tracks, level=level)
    places = [(task, track) for task, by_track in gaps.items() for track in by_track]
    task, track = max(places, key=lambda place: _size(gaps, *place))
    gap = gaps[task][track]
    interval = gap.interval or (gap.difference, gap.difference)
    return LargestGap(task, track, gap.published, gap.other, interval)


def _size(gaps: Mapping[str, Mapping[str, wsbench.Gap]], task: str, track: str) -> float:
    """Return how far 0 is from the difference, in units of the distance to the interval's end."""
    gap = gaps[task][track]
    if gap.interval is None or gap.difference == 0:
        return abs(gap.difference)
    end = gap.interval[0] if gap.difference > 0 else gap.interval[1]
    return abs(gap.difference) / max(abs(gap.difference - end), 1e-12)


def is_same(found: Reproduction, other: Reproduction) -> bool:
    """Return whether two reproductions state the same, up to rounding."""
    numbers = [(r.largest.published, r.largest.score, *r.largest.interval) for r in (found, other)]
    return (
        (found.largest.task, found.largest.track) == (other.largest.task, other.largest.track)
        and all(abs(a - b) <= _ROUNDING for a, b in zip(*numbers, strict=True))
        and found.agrees == other.agrees
    )


def path_beside(record: Path) -> Path:
    """Return the path of the file beside a record."""
    return record.with_suffix(SUFFIX)


def load_reproduction(record: Path) -> Reproduction | None:
    """Return what the file beside a record says; None without one.

    Raises
    ------
    FormatError
        If it is damaged.
    """
    path = path_beside(record)
    if not path.exists():
        return None
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"more than {_MAX_BYTES:,} bytes")
        return msgspec.json.decode(path.read_bytes(), type=Reproduction)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise wsbench.FormatError(f"{path}: not a reproduction: {error}") from None
