"""The command ``download``."""

from pathlib import Path
from typing import Annotated

import typer

import wsbench
from wsbench.cli.completion import complete_zoo
from wsbench.cli.output import JsonOption, human_bytes, print_json, print_line
from wsbench.cli.progress import download_progress
from wsbench.zoo.schema import ZOO_FILE
from wsbench.zoo.zoo import read_attributes


def download(
    zoo: Annotated[
        str, typer.Argument(metavar="ZOO", help="Id of a zoo.", autocompletion=complete_zoo)
    ],
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Folder of zoos, https://…, file://… or hf://datasets/OWNER/NAME; default:"
            " $WSBENCH_MIRROR, then the zoo's own.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the zoo; default: its place in the cache.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch a zoo and check every byte; an interrupted download goes on where it stopped."""
    with download_progress(zoo) as progress:
        folder = wsbench.download_zoo(zoo, mirror, out=out, progress=progress)
    found = read_attributes(folder)
    size = (folder / ZOO_FILE).stat().st_size
    if as_json:
        print_json(
            {"id": found["id"], "path": str(folder), "content_digest": found["content_digest"]}
        )
        return
    print_line(f"{found['id']}: {folder}, {human_bytes(size)}")
    print_line(f"  {found['content_digest']}")
    print_line(f"next: wsbench evaluate --zoo {folder if out else found['id']}")
