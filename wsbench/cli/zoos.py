"""The commands about zoos: list, info, build, verify; and env."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import wsbench
from wsbench.cli.output import JsonOption, build_progress, human_bytes, print_json, print_line
from wsbench.schema import ATTRIBUTES, COLUMNS, ZOO_FILE

ZooArgument = Annotated[
    str, typer.Argument(metavar="ZOO", help="Id of a zoo, or path of its folder.")
]


def list_(as_json: JsonOption = False) -> None:
    """List the published zoos and the installed methods."""
    zoos = [
        {**asdict(zoo), "built": (wsbench.zoo_folder(zoo.id) / ZOO_FILE).exists()}
        for zoo in wsbench.published_zoos().values()
    ]
    if as_json:
        print_json({"zoos": zoos, "methods": wsbench.list_methods()})
        return
    print_line("zoos")
    for zoo in zoos:
        state = "built" if zoo["built"] else "not built yet"
        print_line(f"  {zoo['id']:<16} {zoo['title']}; {human_bytes(zoo['bytes'])}, {state}")
    print_line("methods")
    for name in wsbench.list_methods():
        print_line(f"  {name}")


def info(zoo: ZooArgument = "digits-mlp-v1", as_json: JsonOption = False) -> None:
    """Describe a zoo: counts, columns, layout, accuracy, digest and recipe."""
    loaded = _load(zoo)
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
    zoo: Annotated[str, typer.Argument(metavar="ZOO", help="Id of a zoo, or path of a recipe.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the zoo; default: its place in the cache.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; default: one a CPU.")] = None,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Build it again, replace it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train every model of a zoo; a build that was stopped goes on where it was."""
    with build_progress(Path(zoo).stem) as progress:
        folder = wsbench.build_zoo(
            zoo, out=out, workers=workers, rebuild=rebuild, progress=progress
        )
    built = wsbench.load_zoo(folder)
    size = (folder / ZOO_FILE).stat().st_size
    if as_json:
        print_json(
            {
                "id": built.id,
                "folder": str(folder),
                "content_digest": built.content_digest,
                "bytes": size,
            }
        )
        return
    print_line(f"{built.id}: {built.n_models} models, {human_bytes(size)}")
    print_line(f"  {folder / ZOO_FILE}")
    print_line(f"  {built.content_digest}")
    print_line(f"next: wsbench evaluate --zoo {built.id if out is None else folder}")


def verify(zoo: ZooArgument = "digits-mlp-v1", as_json: JsonOption = False) -> None:
    """Check a zoo's files, format, values and digest; list every fault."""
    folder = Path(zoo) if Path(zoo).is_dir() else wsbench.zoo_folder(zoo)
    if not folder.is_dir():
        wsbench.load_zoo(zoo)  # builds it, or raises what to say about an unknown id
    faults = wsbench.verify_zoo(folder)
    if as_json:
        print_json({"folder": str(folder), "faults": faults})
    else:
        for fault in faults:
            print_line(fault)
        verdict = f"{len(faults)} faults" if faults else "files, format, values, digest: all right"
        print_line(f"{folder}: {verdict}")
    if faults:
        raise typer.Exit(2)


def env(as_json: JsonOption = False) -> None:
    """Print versions, processor and settings, for a bug report."""
    content = wsbench.environment()
    content["home"] = str(wsbench.home())
    if as_json:
        print_json(content)
        return
    for key, value in content.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} {item}" for name, item in value.items()) or "none"
        print_line(f"{key:<10} {value}")


def _load(zoo: str) -> wsbench.Zoo:
    with build_progress(zoo) as progress:
        return wsbench.load_zoo(zoo, progress=progress)
