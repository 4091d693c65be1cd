"""One board for each zoo: which methods it ranks, in which order, and whose times compare."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import wsbench
from wsbench.tasks import PRIMARY
from wsbench_leaderboard.board.collect import Entry, ranks
from wsbench_leaderboard.site import text

Ranks = Mapping[Path, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Board:
    """The entries of one zoo.

    Attributes
    ----------
    zoo, digest
        Id and content digest. Records of the same id but of other content have another board.
    title
        The id, and the beginning of the digest where the id alone is not enough.
    slug
        Names its page.
    entries
        By rank; the stale ones last.
    ranks
        Question to the rank interval of each entry that has one, by the path of its record.
    machine
        Where most of the times were measured; empty if none were.
    """

    zoo: str
    digest: str
    title: str
    slug: str
    entries: tuple[Entry, ...]
    ranks: Mapping[str, Ranks]
    machine: str

    def rank(self, entry: Entry, question: str = "identification") -> tuple[int, int] | None:
        """Return the best and worst rank that an entry may have."""
        return self.ranks[question].get(entry.record.path)

    def is_comparable(self, entry: Entry) -> bool:
        """Return whether an entry's times were measured where those of the board were."""
        return not entry.stale and machine(entry) == self.machine

    @property
    def has_other_machines(self) -> bool:
        """Whether some times were measured on another machine."""
        return any(
            machine(entry) and not entry.stale and not self.is_comparable(entry)
            for entry in self.entries
        )

    @property
    def n_models(self) -> int:
        """How many models the methods are scored on."""
        return max((len(values) for e in self.entries for values in e.by_model.values()), default=0)


def boards(entries: Iterable[Entry]) -> list[Board]:
    """Return the boards of all zoos that entries are of, by id."""
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        zoo = entry.record.content["zoo"]
        groups.setdefault((zoo["id"], zoo["content_digest"]), []).append(entry)
    n_digests = Counter(zoo for zoo, _ in groups)
    return [
        _board(zoo, digest, groups[zoo, digest], n_digests[zoo] == 1)
        for zoo, digest in sorted(groups)
    ]


def machine(entry: Entry) -> str:
    """Return the machine that an entry's times were measured on; empty if none were."""
    if entry.record.content["cost"] is None:
        return ""
    where = entry.record.content["environment"]
    return f"{where.get('cpu', 'unknown')}, {where.get('n_cpus', '?')} CPUs"


def label_and_version(record: wsbench.Record) -> tuple[str, str]:
    """Return what tells methods apart; each such pair has a page."""
    return record.label, str(record.content["method"]["version"])


def suite(record: wsbench.Record) -> str:
    """Return what a method was asked: ``"standard 1, seed 0"``."""
    asked = record.content["suite"]
    return f"{asked['name']} {asked['version']}, seed {record.content['seed']}"


def _board(zoo: str, digest: str, entries: list[Entry], is_only: bool) -> Board:
    by_question = {question: ranks(entries, question) for question in PRIMARY}
    found = Counter(machine(entry) for entry in entries if not entry.stale)
    del found[""]
    first = by_question["identification"]
    return Board(
        zoo=zoo,
        digest=digest,
        title=zoo if is_only else f"{zoo} ({digest[:19]}…)",
        slug=text.slug(zoo, digest),
        entries=tuple(sorted(entries, key=lambda entry: _place(entry, first))),
        ranks=by_question,
        machine=min(found, key=lambda name: (-found[name], name), default=""),
    )


def _place(entry: Entry, ranks: Ranks) -> tuple[object, ...]:
    """Sort by rank, then by score; stale entries last, and names where all else is the same."""
    primary = entry.scores.get("identification/none", {}).get("map_at_r")
    value = primary.value if primary and primary.value is not None else float("-inf")
    last = len(ranks) + 1
    rank = ranks.get(entry.record.path, (last, last))
    return (entry.stale, rank, -value, label_and_version(entry.record), entry.record.path.name)
