"""One board for each zoo: which methods it ranks, in which order, and whose times compare."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord, rank_task, rank_value, ranks
from wsbench_leaderboard.site import text

Ranks = Mapping[Path, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Board:
    """The results of one zoo.

    Attributes
    ----------
    zoo, digest
        Id and content digest. Records of the same id but of other content have another board.
    title
        The id, and the beginning of the digest where the id alone is not enough.
    slug
        Names its page.
    results
        By rank; the stale ones last.
    ranks
        Task to the rank interval of each record that has one, by the path of its record.
    machine
        Where most of the times were measured; empty if none were.
    """

    zoo: str
    digest: str
    title: str
    slug: str
    results: tuple[RescoredRecord, ...]
    ranks: Mapping[str, Ranks]
    machine: str

    def rank(self, rescored: RescoredRecord, task: str = "") -> tuple[int, int] | None:
        """Return a record's best and worst rank in a task; in the `rank_task` if none is named."""
        return self.ranks[task or rank_task()].get(rescored.record.path)

    def is_comparable(self, rescored: RescoredRecord) -> bool:
        """Return whether an rescored's times were measured where those of the board were."""
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
        """How many models the methods are scored on."""
        return max((len(values) for e in self.results for values in e.by_model.values()), default=0)


def boards(results: Iterable[RescoredRecord]) -> list[Board]:
    """Return the boards of all zoos that results are of, by id."""
    groups: dict[tuple[str, str], list[RescoredRecord]] = {}
    for rescored in results:
        zoo = rescored.record.content.zoo
        groups.setdefault((zoo.id, zoo.content_digest), []).append(rescored)
    n_digests = Counter(zoo for zoo, _ in groups)
    return [
        _board(zoo, digest, groups[zoo, digest], n_digests[zoo] == 1)
        for zoo, digest in sorted(groups)
    ]


def machine(rescored: RescoredRecord) -> str:
    """Return the machine on which the times of a record were measured; empty if none were."""
    if rescored.record.content.cost is None:
        return ""
    where = rescored.record.content.environment
    return f"{where.cpu}, {where.n_cpus} CPUs"


def label_and_version(record: wsbench.Record) -> tuple[str, str]:
    """Return what tells methods apart; each such pair has a page."""
    return record.label, str(record.content.method.version)


def suite(record: wsbench.Record) -> str:
    """Return what a method was asked: ``"standard 1, seed 0"``."""
    asked = record.content.suite
    return f"{asked.name} {asked.version}, seed {record.content.seed}"


def _board(zoo: str, digest: str, results: list[RescoredRecord], is_only: bool) -> Board:
    by_task = {task: ranks(results, task) for task in wsbench.TASKS}
    found = Counter(machine(rescored) for rescored in results if not rescored.is_stale)
    del found[""]
    first = by_task[rank_task()]
    return Board(
        zoo=zoo,
        digest=digest,
        title=zoo if is_only else f"{zoo} ({digest[:19]}…)",
        slug=text.slug(zoo, digest),
        results=tuple(sorted(results, key=lambda rescored: _place(rescored, first))),
        ranks=by_task,
        machine=min(found, key=lambda name: (-found[name], name), default=""),
    )


def _place(rescored: RescoredRecord, ranks: Ranks) -> tuple[object, ...]:
    """Sort by rank, then by score; stale results last, and names where all else is the same."""
    last = len(ranks) + 1
    rank = ranks.get(rescored.record.path, (last, last))
    return (
        rescored.is_stale,
        rank,
        -rank_value(rescored),
        label_and_version(rescored.record),
        rescored.record.path.name,
    )
