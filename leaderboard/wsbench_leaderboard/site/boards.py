"""Boards, one for each zoo: the order of its methods, their ranks, and comparable times."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord, rank_value, ranks, zoo_place
from wsbench_leaderboard.site import text

Ranks = Mapping[Path, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Board:
    """The results of one zoo.

    Attributes
    ----------
    zoo, digest
        Id and content digest. Records of the same id and other content have another board.
    title
        The id, with the beginning of the digest if several boards share the id.
    slug
        File name of its page, without the ending.
    results
        Records by rank, then those of transductive methods, then stale ones.
    ranks
        ``"overall"``, or task, to the rank intervals by path of the record.
    machine
        The machine that measured most of the times; empty without times.
    """

    zoo: str
    digest: str
    title: str
    slug: str
    results: tuple[RescoredRecord, ...]
    ranks: Mapping[str, Ranks]
    machine: str

    def rank(self, rescored: RescoredRecord, task: str = "overall") -> tuple[int, int] | None:
        """Return a record's best and worst rank, overall or in a task."""
        return self.ranks[task].get(rescored.record.path)

    def best_other(self, rescored: RescoredRecord) -> RescoredRecord | None:
        """Return the best result of another method that has a rank."""
        others = (
            other
            for other in self.results
            if self.rank(other) and other.record.label != rescored.record.label
        )
        return next(others, None)

    def is_comparable(self, rescored: RescoredRecord) -> bool:
        """Return whether a record's times were measured on the board's machine."""
        return not rescored.is_stale and machine(rescored) == self.machine

    @property
    def has_other_machines(self) -> bool:
        """Whether some times were measured on another machine."""
        return any(
            machine(rescored) and not rescored.is_stale and not self.is_comparable(rescored)
            for rescored in self.results
        )

    @property
    def n_models(self) -> int:
        """Number of test models."""
        by_model = [values for rescored in self.results for values in rescored.by_model.values()]
        return max(map(len, by_model), default=0)


def boards(results: Iterable[RescoredRecord]) -> list[Board]:
    """Return a board for each zoo, in the order of `zoo_place`."""
    groups: dict[tuple[str, str], list[RescoredRecord]] = {}
    for rescored in results:
        groups.setdefault(rescored.zoo, []).append(rescored)
    n_digests = Counter(zoo for zoo, _ in groups)
    return [
        _board(zoo, digest, groups[zoo, digest], n_digests[zoo] == 1)
        for zoo, digest in sorted(groups, key=lambda key: (zoo_place(key[0]), key[1]))
    ]


def machine(rescored: RescoredRecord) -> str:
    """Return the machine that measured a record's times; empty without times."""
    if rescored.record.content.cost is None:
        return ""
    where = rescored.record.content.environment
    return f"{where.cpu}, {where.n_cpus} CPUs"


def label_and_version(record: wsbench.Record) -> tuple[str, str]:
    """Return the label and version of a record's method; each such pair has a page."""
    return record.label, str(record.content.method.version)


def suite_text(record: wsbench.Record) -> str:
    """Return the suite and seed of a record: ``"standard 2, seed 0"``, or what the seed is from."""
    suite = record.content.suite
    seed = "fresh models" if record.content.fresh_text else f"seed {record.content.seed}"
    return f"{suite.name} {suite.version}, {seed}"


def _board(zoo: str, digest: str, results: list[RescoredRecord], is_only: bool) -> Board:
    by_task = {task: ranks(results, task) for task in ("overall", *wsbench.TASKS)}
    machines = Counter(machine(rescored) for rescored in results if not rescored.is_stale)
    del machines[""]
    first = by_task["overall"]
    return Board(
        zoo=zoo,
        digest=digest,
        title=zoo if is_only else f"{zoo} ({digest[:19]}…)",
        slug=text.slug(zoo, digest),
        results=tuple(sorted(results, key=lambda rescored: _place(rescored, first))),
        ranks=by_task,
        machine=min(machines, key=lambda name: (-machines[name], name), default=""),
    )


def _place(rescored: RescoredRecord, ranks: Ranks) -> tuple[object, ...]:
    """Return the sort key of a record: stale, transductive, rank, score, names."""
    last = len(ranks) + 1
    rank = ranks.get(rescored.record.path, (last, last))
    return (
        rescored.is_stale,
        rescored.is_transductive,
        not rescored.has_rank,
        rank,
        -rank_value(rescored),
        label_and_version(rescored.record),
        rescored.record.path.name,
    )
