"""Commands for zoos (info, build, verify), and env."""

import sys
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

import wsbench
from wsbench.cli.completion import complete_zoo
from wsbench.cli.output import JsonOption, human_bytes, print_json, print_line
from wsbench.cli.progress import build_progress
from wsbench.zoo.digest import layout_sha256, probe_sha256
from wsbench.zoo.schema import ATTRIBUTES, COLUMNS, ZOO_FILE
from wsbench.zoo.zoo import read_attributes

ZooArgument = Annotated[
    str,
    typer.Argument(
        metavar="ZOO", help="Id of a zoo, or path of its folder.", autocompletion=complete_zoo
    ),
]


_MAX_FINDINGS = 5


def info(zoo: ZooArgument = wsbench.DEFAULT_ZOO, as_json: JsonOption = False) -> None:
    """Describe a zoo: counts, columns, layout, accuracy, digest and recipe."""
    loaded = load(zoo)
    last = loaded.test_accuracy[loaded.rows(epochs=[int(loaded.epoch.max())])]
    content: dict[str, Any] = {
        "id": loaded.id,
        "models": loaded.n_models,
        "checkpoints": len(loaded.weights),
        "parameters": loaded.weights.shape[1],
        "epochs": int(loaded.epoch.max()),
        "splits": {
            name: len(set(loaded.model[loaded.rows(name)].tolist()))
            for name in ("train", "val", "test")
        },
        "final_test_accuracy": {
            "mean": float(last.mean()),
            "min": float(last.min()),
            "max": float(last.max()),
        },
        "content_digest": loaded.content_digest,
        "layout_sha256": layout_sha256(loaded.layout),
        "probe_sha256": probe_sha256(loaded.probe_inputs),
        "license": loaded.license,
        "created_by": loaded.created_by,
        "columns": {column.name: column.meaning for column in COLUMNS},
        "attributes": ATTRIBUTES,
        "tensors": {t.name: list(t.shape) for t in loaded.layout.tensors},
        "recipe": loaded.recipe_text,
    }
    if as_json:
        print_json(content)
        return
    splits, accuracy = content["splits"], content["final_test_accuracy"]
    print_line(f"{loaded.id}: {loaded.recipe.get('title', '')}")
    print_line(
        f"  {content['models']} models ({splits['train']} train, {splits['val']} val,"
        f" {splits['test']} test), epochs 0 to {content['epochs']},"
        f" {content['checkpoints']:,} checkpoints of {content['parameters']:,} parameters"
    )
    print_line(
        f"  test accuracy at the last epoch: mean {accuracy['mean']:.3f},"
        f" from {accuracy['min']:.3f} to {accuracy['max']:.3f}"
    )
    print_line(f"  {content['content_digest']}")
    print_line(f"  {content['license']}, {content['created_by']}")
    print_line("columns of zoo.h5")
    for name, meaning in content["columns"].items():
        print_line(f"  {name:<14} {meaning}")
    print_line("tensors of a row of weights")
    for name, shape in content["tensors"].items():
        print_line(f"  {name:<14} {' x '.join(map(str, shape))}")
    print_line("recipe")
    for line in loaded.recipe_text.splitlines():
        print_line(f"  {line}".rstrip())


def build(
    zoo: Annotated[
        str,
        typer.Argument(
            metavar="ZOO", help="Id of a zoo, or path of a recipe.", autocompletion=complete_zoo
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the zoo; default: its place in the cache.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; default: one per CPU.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler, tcp://host:port.")
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build it again and replace it.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train every model of a zoo; an interrupted build is resumed."""
    if workers and cluster:
        raise typer.BadParameter(
            "--workers sets threads on this machine, --cluster uses others: give one of the two"
        )
    with build_progress(Path(zoo).stem) as progress:
        folder = wsbench.build_zoo(
            zoo, out=out, workers=workers, cluster=cluster, rebuild=rebuild, progress=progress
        )
    if not progress.is_used:
        sys.stderr.write("built already; --rebuild builds it again\n")
    built = read_attributes(folder)
    n_models = tomllib.loads(built["recipe"])["models"]
    size = (folder / ZOO_FILE).stat().st_size
    if as_json:
        print_json(
            {
                "id": built["id"],
                "folder": str(folder),
                "content_digest": built["content_digest"],
                "bytes": size,
            }
        )
        return
    print_line(f"{built['id']}: {n_models} models, {human_bytes(size)}")
    print_line(f"  {folder / ZOO_FILE}")
    print_line(f"  {built['content_digest']}")
    print_line(f"next: wsbench evaluate --zoo {built['id'] if out is None else folder}")


def verify(
    zoo: ZooArgument = wsbench.DEFAULT_ZOO,
    retrain: Annotated[
        int, typer.Option(min=0, metavar="K", help="Train K models again and compare every bit.")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Check a zoo: its files, its format and its claims."""
    with build_progress(zoo, "training", then="comparing") as progress:
        verification = wsbench.verify_zoo(zoo, retrain=retrain, progress=progress)
    if as_json:
        checks = [asdict(check) for check in verification.checks]
        print_json({"zoo": zoo, "folder": str(verification.folder), "checks": checks})
    else:
        _print_verification(verification)
    if verification.failed:
        raise typer.Exit(2 if verification.is_damaged else 1)


def _print_verification(verification: wsbench.Verification) -> None:
    print_line(f"{verification.folder}")
    for check in verification.checks:
        first, *others = check.findings or [check.claim]
        print_line(f"  {check.outcome:<8} {check.name:<10} {first}")
        for finding in others[:_MAX_FINDINGS]:
            print_line(f"{'':<22}{finding}")
        if len(others) > _MAX_FINDINGS:
            print_line(f"{'':<22}and {len(others) - _MAX_FINDINGS} more; --json lists all")
    n_failed, n_skipped = len(verification.failed), len(verification.skipped)
    verdict = f"{n_failed} failed" if n_failed else "all right"
    print_line(verdict + (f", {n_skipped} skipped" if n_skipped else ""))


def env(as_json: JsonOption = False) -> None:
    """Print versions, processor and settings, for a bug report."""
    found = wsbench.environment()
    if as_json:
        print_json({**msgspec.to_builtins(found), "home": str(wsbench.home())})
        return
    pools = [f"{p.library} {p.version or '?'} × {p.threads}" for p in found.thread_pools]
    rows = {
        "python": found.python,
        "platform": found.platform,
        "cpu": f"{found.cpu}, {found.n_cpus} CPUs",
        "packages": ", ".join(f"{name} {version}" for name, version in found.packages.items()),
        "variables": ", ".join(f"{name}={v}" for name, v in found.variables.items()) or "none",
        "threads": ", ".join(pools) or "none",
        "home": str(wsbench.home()),
    }
    for key, value in rows.items():
        print_line(f"{key:<10} {value}")


def load(zoo: str) -> wsbench.Zoo:
    """Return a zoo, and show the progress of its build if it has to be built."""
    with build_progress(zoo) as progress:
        return wsbench.load_zoo(zoo, progress=progress)
