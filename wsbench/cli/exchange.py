"""The commands ``download``, ``export`` and ``publish``."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
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


def export(
    zoo: Annotated[
        str,
        typer.Argument(
            metavar="ZOO", help="Id of a zoo, or path of its folder.", autocompletion=complete_zoo
        ),
    ],
    model: Annotated[int, typer.Option(help="Number of the model.")],
    epoch: Annotated[int, typer.Option(help="Epoch of the checkpoint; 0 is initialisation.")],
    to: Annotated[
        Path, typer.Option(metavar="FILE", help="The ending says how: .safetensors, .pt or .npz.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Write one checkpoint to a file that other software reads."""
    loaded = wsbench.load_zoo(zoo)
    path = wsbench.export_checkpoint(loaded, model, epoch, to)
    accuracy = float(loaded.test_accuracy[loaded.row(model, epoch)])
    if as_json:
        print_json({"path": str(path), "test_accuracy": accuracy})
        return
    print_line(
        f"{path}: model {model} of {loaded.id} at epoch {epoch}, test accuracy {accuracy:.3f}"
    )


def publish(
    zoo: Annotated[
        str,
        typer.Argument(
            metavar="ZOO", help="Id of a zoo, or path of its folder.", autocompletion=complete_zoo
        ),
    ],
    to: Annotated[
        str, typer.Option(metavar="TARGET", help="Folder of zoos, or hf://datasets/OWNER/NAME.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Verify the zoo, and show what would go where.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Verify a zoo, put it where others can fetch it, and fetch it again from there."""
    done = wsbench.publish_zoo(zoo, to, dry_run=dry_run)
    if as_json:
        print_json(asdict(done) | {"files": msgspec.to_builtins(done.files)})
        return
    print_line(f"{done.zoo_id}: {'published at' if done.is_done else 'would go to'} {done.target}")
    for name, entry in done.files.items():
        print_line(f"  {name:<14} {human_bytes(entry.bytes):>8}  sha256 {entry.sha256[:12]}…")
    print_line(f"  {done.content_digest}")
    if done.is_done:
        print_line("fetched again from there: the same")
        print_line(f"next: wsbench download {done.zoo_id} --mirror {shlex.quote(to)}")
