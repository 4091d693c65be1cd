"""The commands ``wsbench submit`` and ``wsbench leaderboard …``."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

import wsbench
from wsbench.cli.output import JsonOption, print_json, print_line
from wsbench_leaderboard.season.commands import open_season, reproduce_command
from wsbench_leaderboard.site.build import build_command, facts_command

_STALE = "stale, scored by another version of a task; run wsbench leaderboard restamp"

app = typer.Typer(help="Tables and pages of recorded results.", no_args_is_help=True)
app.command("build")(build_command)
app.command("facts")(facts_command)
app.command("open-season")(open_season)
app.command("reproduce")(reproduce_command)


@app.callback()
def leaderboard() -> None:
    """Tables and pages of recorded results."""


@app.command()
def table(
    records: Annotated[
        Path | None, typer.Argument(help="Folder of records; default: in the cache.")
    ] = None,
    update: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Replace the tables in a Markdown file, which stand between two marker lines, by"
            " those of the records beside it.",
        ),
    ] = None,
    is_summary: Annotated[
        bool, typer.Option("--summary", help="One table of the overall scores, methods × zoos.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the records of a folder as Markdown tables, with recomputed scores."""
    from wsbench_leaderboard.season.standing import load_standing
    from wsbench_leaderboard.tables import markdown, summary, with_tables

    folder = records or (update.parent if update else wsbench.home()) / "records"
    is_empty = update and not records and not folder.exists()  # git keeps no empty folder
    results = [] if is_empty else load_standing(folder)
    tables = summary(results) if is_summary else markdown(results)
    if update:
        text = with_tables(update, tables)
        with wsbench.atomic_write(update) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if as_json:
        print_json([_json(rescored) for rescored in results])
    elif update:
        print_line(f"{update}: {len(results)} records")
    else:
        print_line(tables.rstrip("\n"))


@app.command()
def check(
    records: Annotated[
        Path | None, typer.Argument(help="Folder of records; default: leaderboard/records.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that every record agrees with its answers, and that the folder holds nothing else."""
    from wsbench_leaderboard.board.folder import check_folder, find_folder

    report = check_folder(find_folder(records))
    if as_json:
        print_json(
            {
                "folder": str(report.folder),
                "records": len(report.results),
                "stale": report.stale,
                "problems": [asdict(problem) for problem in report.problems],
            }
        )
    else:
        for problem in report.problems:
            print_line(f"{problem.file}: {problem.message}")
        for file in report.stale:
            print_line(f"{file}: {_STALE}")
        n = len(report.problems)
        verdict = f"{n} problem{'s' * (n > 1)}" if n else "all right"
        print_line(f"{len(report.results)} records, {len(report.stale)} stale, {verdict}")
    if report.problems:
        raise typer.Exit(1)


@app.command("restamp")
def restamp_(
    records: Annotated[
        Path | None, typer.Argument(help="Folder of records; default: leaderboard/records.")
    ] = None,
    changelog: Annotated[
        Path, typer.Option(help="Changelog that must name changes of scores.")
    ] = Path("CHANGELOG.md"),
    as_json: JsonOption = False,
) -> None:
    """Update records to the current format and versions, with recomputed scores."""
    from wsbench_leaderboard.board.folder import find_folder
    from wsbench_leaderboard.board.restamp import restamp

    text = changelog.read_text(encoding="utf-8") if changelog.is_file() else ""
    restamped = restamp(find_folder(records), text)
    n_changed = sum(record.n_changed for record in restamped)
    if as_json:
        paths = {str(record.before): str(record.after) for record in restamped}
        print_json({"records": paths, "changed": n_changed})
        return
    n_updated = sum(record.before != record.after for record in restamped)
    print_line(f"{len(restamped)} records, {n_updated} updated, {n_changed} scores changed")


def submit(
    record: Annotated[
        str,
        typer.Argument(
            metavar="RECORD",
            help="Path of a record, or name of a method evaluated before.",
        ),
    ],
    zoo: Annotated[
        str, typer.Option(help="Zoo of the record that is given by name.")
    ] = wsbench.DEFAULT_ZOO,
    records: Annotated[
        Path | None, typer.Option(help="Folder of records; default: leaderboard/records.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a record and its method, copy the record to the leaderboard, and say how to commit."""
    from wsbench_leaderboard.board.check import check_record
    from wsbench_leaderboard.board.conformance import refuse_nonconforming
    from wsbench_leaderboard.board.folder import find_folder
    from wsbench_leaderboard.board.submit import submit_record

    folder = find_folder(records)
    path = Path(record)
    if not record.endswith(".json"):
        path = wsbench.find_record(record, wsbench.home() / "records" / zoo).path
    refuse_nonconforming(check_record(path).record)
    submission = submit_record(path, folder)
    submitted = submission.rescored.record
    readme = folder.parent / "README.md"
    add = [str(submitted.path.parent), *([str(readme)] if readme.exists() else [])]
    commands = [
        *([f"wsbench leaderboard table --update {shlex.quote(add[1])}"] if add[1:] else []),
        f"git add --all {shlex.join(add)}",
        f"git commit --message {shlex.quote(submission.message)}",
    ]
    if as_json:
        print_json(
            {
                "record": str(submitted.path),
                "answers": str(submission.answers),
                "replaced": [str(older) for older in submission.replaced],
                "stale": submission.rescored.is_stale,
                "commands": commands,
            }
        )
        return
    n_entries = len(submission.rescored.scores)
    print_line(f"{submitted.path}: scores of {n_entries} entries agree with the answers")
    print_line(f"{submission.rescored.record.label}: conforms")
    for older in submission.replaced:
        print_line(f"{older}: replaced")
    if submission.rescored.is_stale:
        print_line(f"{submitted.path}: {_STALE}")
    print_line("next:")
    for command in commands:
        print_line(f"  {command}")


def _json(rescored: Any) -> dict[str, Any]:
    content = rescored.record.content
    parts = {name: getattr(rescored, name) for name in ("scores", "robustness", "tracks")}
    return {
        "zoo": msgspec.to_builtins(content.zoo),
        "method": {key: getattr(content.method, key) for key in ("name", "version", "parameters")},
        "suite": {key: getattr(content.suite, key) for key in ("name", "version")},
        "seed": content.seed,
        "stale": rescored.is_stale,
        **msgspec.to_builtins(parts),
    }
