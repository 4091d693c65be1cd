"""The commands ``wsbench leaderboard open-season`` and ``reproduce``."""

import datetime
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer

import wsbench
from wsbench.cli.output import JsonOption, print_json, print_line
from wsbench.cli.progress import build_progress, evaluation_progress

RecordsOption = Annotated[
    Path | None, typer.Option(help="Folder of records; default: leaderboard/records.")
]
_SUITE = "standard"


def open_season(
    name: Annotated[str, typer.Argument(help="Year and number: 2026-2.")],
    beacon: Annotated[
        str, typer.Option(help="Public text, younger than every method on the board.")
    ],
    origin: Annotated[str, typer.Option(help="Where the text is from.")],
    zoo: Annotated[
        list[str] | None,
        typer.Option(help="Published zoo; repeat for more. Default: all with records."),
    ] = None,
    records: RecordsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a season's fresh models, and write its file beside the folder of records."""
    import msgspec

    from wsbench_leaderboard.board.collect import collect
    from wsbench_leaderboard.board.folder import find_folder
    from wsbench_leaderboard.season.season import Season, SeasonZoo, season_text

    folder = find_folder(records)
    path = folder.parent / "seasons" / f"{name}.toml"
    if path.exists():
        raise wsbench.StorageError(f"{path}: exists, and an open season is never edited")
    results = [result for result in collect(folder) if not result.is_fresh]
    suite = wsbench.SUITES[_SUITE].describe()
    zoos = {}
    for source in zoo or sorted({result.zoo[0] for result in results}):
        fresh = _fresh_zoo(wsbench.load_zoo(source), suite, beacon).zoo
        zoos[source] = SeasonZoo(fresh.id, fresh.content_digest)
    known = sorted({result.record.content.method.code_sha256 for result in results})
    season = Season(name, datetime.date.today(), suite, beacon, origin, zoos, known)
    try:
        msgspec.convert(msgspec.to_builtins(season), Season)
    except msgspec.ValidationError as error:
        raise typer.BadParameter(str(error), param_hint="NAME, --beacon, --origin") from None
    with wsbench.atomic_write(path) as temporary:
        temporary.write_text(season_text(season), encoding="utf-8")
    if as_json:
        print_json({"season": str(path), "zoos": msgspec.to_builtins(zoos)})
        return
    print_line(f"{path}: {len(zoos)} fresh zoos, {len(known)} methods were on the board")
    print_line(f"next: wsbench leaderboard reproduce --season {name}")


def reproduce_command(
    record: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RECORD",
            help="Record of a published zoo. Default: all that this season has not reproduced.",
        ),
    ] = None,
    season: Annotated[
        str | None, typer.Option(help="Name of a season; default: the current one.")
    ] = None,
    zoo: Annotated[str | None, typer.Option(help="Only records of this zoo.")] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Conditions that are answered side by side.")
    ] = 1,
    records: RecordsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the methods of records again, on models that did not exist when they were written."""
    from wsbench_leaderboard.board.folder import find_folder
    from wsbench_leaderboard.season.season import load_seasons

    folder = find_folder(records)
    seasons = load_seasons(folder)
    chosen = seasons.find(season) if season else seasons.current
    if chosen is None:
        raise wsbench.UnknownIdError(
            f"{folder.parent}/seasons: there is no season; wsbench leaderboard open-season"
        )
    by_zoo = defaultdict(list)
    for one in _asked(record or [], folder, chosen.name):
        if one.zoo in chosen.zoos and zoo in (None, one.zoo):
            by_zoo[one.zoo].append(one)
    found = []
    for source, asked in sorted(by_zoo.items()):
        found += _reproduced(source, asked, chosen, folder, workers)
    if as_json:
        print_json(found)
    elif not found:
        print_line(f"season {chosen.name}: no record is left to reproduce")
    if any(not one["agrees"] for one in found):
        raise typer.Exit(1)


def _asked(named: list[Path], folder: Path, season: str) -> list[wsbench.Record]:
    from wsbench_leaderboard.season.reproduction import load_reproduction

    if named:
        return [wsbench.load_record(path) for path in named]
    found = []
    for path in sorted(folder.glob("*/*.json")):
        before = load_reproduction(path)
        record = wsbench.load_record(path)
        if not record.content.fit_on and (before is None or before.season != season):
            found.append(record)
    return found


def _reproduced(
    source: str, asked: list[wsbench.Record], season: Any, folder: Path, workers: int
) -> list[dict[str, Any]]:
    """Reproduce the records of one zoo, and print a line for each."""
    from wsbench_leaderboard.season.reproduction import reproduce

    fresh = _fresh_zoo(wsbench.load_zoo(source), season.suite, season.beacon)
    expected = season.zoos[source].content_digest
    if fresh.zoo.content_digest != expected:
        raise wsbench.IntegrityError(
            f"{fresh.zoo.id}: built as {fresh.zoo.content_digest}, season {season.name} has"
            f" {expected}; report it with wsbench env"
        )
    found = []
    unfinished = wsbench.home() / "records" / "unfinished"
    with evaluation_progress(len(asked)) as progress:
        for record in asked:
            line: dict[str, Any] = {"record": str(record.path), "agrees": False}
            try:
                run = reproduce(
                    record, season.name, fresh, folder,
                    progress=progress.method(record.label), unfinished=unfinished,
                    workers=workers,
                )  # fmt: skip
            except wsbench.MethodError as error:
                line["error"] = str(error)
                print_line(f"{source} {record.label}: {error}")
            else:
                gap = run.reproduction.largest
                line |= {"agrees": run.reproduction.agrees, "run": str(run.record.path)}
                verdict = "reproduced" if run.reproduction.agrees else "NOT reproduced"
                low, high = gap.interval
                print_line(
                    f"{source} {record.label}: {verdict}; {gap.task} {gap.track}"
                    f" {gap.published:z.3f} published, {gap.score:z.3f} here, difference"
                    f" {gap.score - gap.published:+.3f} [{low:+.3f}, {high:+.3f}]"
                )
            found.append(line)
    return found


def _fresh_zoo(zoo: wsbench.Zoo, suite: str, beacon: str) -> wsbench.FreshZoo:
    """Return the fresh models of a season, which stay in memory: methods must not find them."""
    with build_progress(f"fresh models of {zoo.id}", "training") as progress:
        return wsbench.fresh_zoo(zoo, suite, beacon, keep=False, progress=progress)
