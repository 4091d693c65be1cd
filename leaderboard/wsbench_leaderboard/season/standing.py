"""Standing: what a board shows of each method, with the current season before the published zoo."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from wsbench_leaderboard.board.collect import RescoredRecord, collect, sorted_results
from wsbench_leaderboard.season.reproduction import load_reproduction
from wsbench_leaderboard.season.season import Season, Seasons, load_seasons


def load_standing(records: Path) -> list[RescoredRecord]:
    """Return the results that the tables and pages of a folder of records show.

    Raises
    ------
    UnknownIdError, FormatError, IntegrityError
        As `collect` and `load_seasons` raise them.
    """
    return standing(collect(records), load_seasons(records))


def standing(results: Iterable[RescoredRecord], seasons: Seasons) -> list[RescoredRecord]:
    """Return one result for each record of a published zoo: that of the season, if there is one.

    A result of the season carries that of the published zoo, and says whether the method is newer
    than the season. Beside results of the season, one of the published zoo alone has no rank.
    Results of earlier seasons are left out.
    """
    season = seasons.current
    results = list(results)
    published = [result for result in results if not result.is_fresh]
    if season is None:
        return published
    fresh_ids = {fresh.id for fresh in season.zoos.values()}
    of_season = {_key(r): r for r in results if r.is_fresh and r.record.zoo in fresh_ids}
    in_season = {result.zoo[0] for result in of_season.values()}
    shown = []
    for result in published:
        fresh = of_season.pop(_key(result), None)
        if fresh is not None:
            found = load_reproduction(result.record.path)
            agrees = found.agrees if found and found.season == season.name else None
            shown.append(
                replace(fresh, published=result, is_newer=_is_newer(result, season), agrees=agrees)
            )
        else:
            shown.append(replace(result, is_outside=result.zoo[0] in in_season))
    shown += [replace(fresh, is_newer=_is_newer(fresh, season)) for fresh in of_season.values()]
    return sorted_results(shown)


def _key(result: RescoredRecord) -> tuple[object, ...]:
    record = result.record
    suite = record.content.suite
    return result.zoo[0], record.label, record.content.method.version, suite.name, suite.version


def _is_newer(result: RescoredRecord, season: Season) -> bool:
    return result.record.content.method.code_sha256 not in season.known_code
