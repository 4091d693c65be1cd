"""The commands ``wsbench submit`` and ``wsbench leaderboard …``."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

import wsbench
from wsbench.cli.output import JsonOption, print_json, print_line
from wsbench_leaderboard.site.build import build_command, facts_command

app = typer.Typer(help="Tables of recorded results.", no_args_is_help=True)
app.command("build")(build_command)
app.command("facts")(facts_command)


@app.callback()
def leaderboard() -> None:
    """Tables of recorded results."""


@app.command()
def table(
    records: Annotated[
        Path | None, typer.Argument(help="Folder of records; default: in the cache.")
    ] = None,
    update: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the tables between the two marker lines of a Markdown file, for the"
            " records beside it.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the records of a folder as Markdown, every score computed again from its answers."""
    from wsbench_leaderboard.board.collect import collect
    from wsbench_leaderboard.tables import markdown, with_tables

    folder = records or (update.parent if update else wsbench.home()) / "records"
    is_empty = update and not records and not folder.exists()  # git keeps no empty folder
    results = [] if is_empty else collect(folder)
    if update:
        text = with_tables(update, markdown(results))
        with wsbench.atomic_write(update) as temporary:
            temporary.write_text(text, encoding="utf-8")
    if as_json:
        print_json([_json(rescored) for rescored in results])
    elif update:
        print_line(f"{update}: {len(results)} records")
    else:
        print_line(markdown(results).rstrip("\n"))


@app.command()
def check(
    records: Annotated[
        Path | None, typer.Argument(help="Folder of records; default: leaderboard/records.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check that every record agrees with its answers, and that the folder holds nothing else."""
    from wsbench_leaderboard.board.folder import check_board, find_board

    report = check_board(find_board(records))
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
            print_line(f"{file}: stale, another version of a task scored it; restamp it")
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
    """Write records anew in the current format, every score computed again from its answers."""
    from wsbench_leaderboard.board.folder import find_board
    from wsbench_leaderboard.board.restamp import restamp

    text = changelog.read_text(encoding="utf-8") if changelog.is_file() else ""
    done = restamp(find_board(records), text)
    n_changed = sum(restamped.n_changed for restamped in done)
    if as_json:
        print_json({"records": {str(d.before): str(d.after) for d in done}, "changed": n_changed})
        return
    n_written = sum(one.before != one.after for one in done)
    print_line(f"{len(done)} records, {n_written} written anew, {n_changed} scores changed")


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
    board: Annotated[
        Path | None, typer.Option(help="Folder of records; default: leaderboard/records.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy a record to the leaderboard's folder, and print the commands that commit it."""
    from wsbench_leaderboard.board.folder import find_board
    from wsbench_leaderboard.board.submit import submit_record

    folder = find_board(board)
    found = record
    if not record.endswith(".json"):
        found = str(wsbench.find_record(record, wsbench.home() / "records" / zoo).path)
    done = submit_record(Path(found), folder)
    submitted = done.rescored.record
    readme = folder.parent / "README.md"
    add = [str(submitted.path.parent), *([str(readme)] if readme.exists() else [])]
    commands = [
        *([f"wsbench leaderboard table --update {shlex.quote(add[1])}"] if add[1:] else []),
        f"git add --all {shlex.join(add)}",
        f"git commit --message {shlex.quote(done.message)}",
    ]
    if as_json:
        print_json(
            {
                "record": str(submitted.path),
                "answers": str(done.answers),
                "replaced": [str(path) for path in done.replaced],
                "stale": done.rescored.is_stale,
                "commands": commands,
            }
        )
        return
    print_line(f"{submitted.path}: {len(done.rescored.scores)} entries, as its answers give them")
    for path in done.replaced:
        print_line(f"{path}: replaced")
    if done.rescored.is_stale:
        print_line("stale: another version of a task scored it; evaluate the method again")
    print_line("next:")
    for command in commands:
        print_line(f"  {command}")


def _json(rescored: Any) -> dict[str, Any]:
    content = rescored.record.content
    parts = {"scores": rescored.scores, "robustness": rescored.robustness}
    return {
        "zoo": msgspec.to_builtins(content.zoo),
        "method": {key: getattr(content.method, key) for key in ("name", "version", "parameters")},
        "suite": {key: getattr(content.suite, key) for key in ("name", "version")},
        "seed": content.seed,
        "stale": rescored.is_stale,
        **msgspec.to_builtins(parts),
    }
