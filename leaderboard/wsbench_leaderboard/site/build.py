"""Build of the static site: the same records give the same bytes."""

from pathlib import Path
from typing import Annotated

import typer

import wsbench
from wsbench.cli.output import JsonOption, print_json, print_line


def build(records: Path, out: Path, facts: Path | None = None) -> list[Path]:
    """Write the site.

    Parameters
    ----------
    records
        Folder of records; every score is recomputed from the answers.
    out
        Folder of the site. Pages of an earlier build are replaced or removed; all other files
        stay.
    facts
        Folder of facts about zoos (`wsbench_leaderboard.site.facts`); None for ``zoos`` beside the
        folder of records. Zoos without facts have no charts of accuracy and step length.

    Returns
    -------
    paths
        The written pages, the index first.

    Raises
    ------
    UnknownIdError, FormatError, IntegrityError
        As `collect` raises them, or if facts are damaged.
    StorageError
        If a page would replace a file that is not a page of a site, or cannot be written.
    """
    from wsbench_leaderboard.season.standing import load_standing
    from wsbench_leaderboard.site.render import GENERATOR, render

    pages = render(load_standing(records), facts or records.parent / "zoos")
    with wsbench.explain_storage_errors(out):
        earlier = {path for path in _html_files(out) if GENERATOR in _beginning(path)}
        for path in sorted(out / name for name in pages):
            if path.exists() and path not in earlier:
                raise wsbench.StorageError(
                    f"{path}: not a page of wsbench leaderboard build; choose another folder with"
                    " --out"
                )
        for name, content in pages.items():
            with wsbench.atomic_write(out / name) as temporary:
                temporary.write_bytes(content)
        for path in sorted(earlier - {out / name for name in pages}):
            path.unlink()
    return [out / name for name in pages]


def _html_files(out: Path) -> list[Path]:
    return [
        path
        for pattern in ("*.html", "methods/*.html", "zoos/*.html")
        for path in out.glob(pattern)
    ]


def _beginning(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(2000).decode("utf-8", "replace")


def build_command(
    records: Annotated[
        Path | None, typer.Argument(help="Folder of records; default: in the cache.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the site.")] = Path("site"),
    facts: Annotated[
        Path | None, typer.Option("--facts", help="Facts about zoos; default: zoos beside RECORDS.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a static site of the records in a folder; it works offline, without a server."""
    pages = build(records or wsbench.home() / "records", out, facts)
    if as_json:
        print_json({"pages": [str(page) for page in pages]})
    else:
        print_line(f"{pages[0]}: {len(pages)} pages, this is the index")


def facts_command(
    zoo: Annotated[str, typer.Argument(metavar="ZOO", help="Id of a zoo, or path of its folder.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of facts; default: zoos in the cache.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the distributions of accuracy and step length in a zoo, for the zoo's page."""
    from wsbench_leaderboard.site.facts import write_facts

    path = write_facts(wsbench.load_zoo(zoo), out or wsbench.home() / "zoos")
    if as_json:
        print_json({"facts": str(path)})
    else:
        print_line(str(path))
