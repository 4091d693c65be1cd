"""Season: a public text that fresh test models follow from, and the zoos that they are of.

The text is younger than every method on the board when the season opens. A method whose code was
not on the board then could have been written for the season's models, and is marked as newer.
"""

import datetime
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, ValidationError, convert

import wsbench

_NAME = r"^[0-9]{4}-[0-9]{1,2}$"
_ONE_LINE = r"^[^\x00-\x1f\x7f<>]{1,500}$"


class SeasonZoo(Struct, frozen=True, forbid_unknown_fields=True):
    """The fresh zoo of a published one: its id and its content digest."""

    id: Annotated[str, Meta(max_length=100)]
    content_digest: Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]


class Season(Struct, frozen=True, forbid_unknown_fields=True):
    """One season, as its file holds it.

    Attributes
    ----------
    name
        Year and number, ``"2026-2"``; the file is named after it.
    opened
        Date from which it counts.
    suite
        Name and version of the suite, ``"standard 2"``.
    beacon, origin
        The public text, and where it is from.
    zoos
        Id of a published zoo to its fresh one.
    known_code
        The sha256 of the code of each method that was on the board when the season opened.
    """

    name: Annotated[str, Meta(pattern=_NAME)]
    opened: datetime.date
    suite: Annotated[str, Meta(pattern=_ONE_LINE)]
    beacon: Annotated[str, Meta(pattern=_ONE_LINE)]
    origin: Annotated[str, Meta(pattern=_ONE_LINE)]
    zoos: dict[str, SeasonZoo]
    known_code: list[Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]]


@dataclass(frozen=True)
class Seasons:
    """The seasons of a board, in the order in which they opened."""

    seasons: Sequence[Season] = ()

    @property
    def current(self) -> Season | None:
        """The last one, which ranks."""
        return self.seasons[-1] if self.seasons else None

    @property
    def fresh_zoos(self) -> dict[str, tuple[Season, str]]:
        """Id of a fresh zoo to its season and to the published zoo."""
        return {
            fresh.id: (season, source)
            for season in self.seasons
            for source, fresh in season.zoos.items()
        }

    def find(self, name: str) -> Season:
        """Return a season by name.

        Raises
        ------
        UnknownIdError
            If there is none.
        """
        for season in self.seasons:
            if season.name == name:
                return season
        known = ", ".join(season.name for season in self.seasons) or "none"
        raise wsbench.UnknownIdError(f"unknown season {name!r:.60}; known are {known}")


def load_seasons(records: Path) -> Seasons:
    """Return the seasons beside a folder of records; none if there is no folder of seasons.

    Raises
    ------
    FormatError
        If a file is not a season, or two overlap.
    """
    paths = sorted((records.parent / "seasons").glob("*.toml"))
    seasons = sorted(map(_load, paths), key=lambda season: (season.opened, season.name))
    ids = [fresh.id for season in seasons for fresh in season.zoos.values()]
    if len(set(ids)) < len(ids):
        raise wsbench.FormatError(f"{records.parent}/seasons: two seasons have the same fresh zoo")
    return Seasons(seasons)


def season_text(season: Season) -> str:
    """Return a season as the text of its file."""
    lines = [
        f"# Season {season.name}: fresh test models that follow from the beacon.",
        "# An open season is never edited.",
        f'name = "{season.name}"',
        f"opened = {season.opened.isoformat()}",
        f'suite = "{season.suite}"',
        "",
        "# Public, and younger than the code below.",
        f'beacon = "{season.beacon}"',
        f'origin = "{season.origin}"',
        "",
        "# The code of the methods that were on the board when the season opened.",
        "known_code = [",
        *(f'    "{sha256}",' for sha256 in season.known_code),
        "]",
    ]
    for source, fresh in season.zoos.items():
        lines += ["", f"[zoos.{source}]", f'id = "{fresh.id}"']
        lines += [f'content_digest = "{fresh.content_digest}"']
    return "\n".join(lines) + "\n"


def _load(path: Path) -> Season:
    try:
        season = convert(tomllib.loads(path.read_text(encoding="utf-8")), Season)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise wsbench.FormatError(f"{path}: not a season: {error}") from None
    if path.stem != season.name:
        raise wsbench.FormatError(f"{path}: is of season {season.name}; rename it")
    for source, fresh in season.zoos.items():
        expected = wsbench.fresh_id(source, season.suite, season.beacon)
        if fresh.id != expected:
            raise wsbench.FormatError(
                f"{path}: zoos.{source}.id: got {fresh.id!r}, the beacon gives {expected}"
            )
    return season
