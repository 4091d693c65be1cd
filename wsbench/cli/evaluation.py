"""The command ``evaluate``, and the table it prints."""

import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import wsbench
from wsbench.cli.output import JsonOption, build_progress, print_json, print_line
from wsbench.cli.settings import SetOption, settings
from wsbench.evaluate import primary_by_model

_TASKS = {"identification": "map_at_r", "ordering": "kendall_tau"}
_WIDE = 92  # columns that value and interval need beside each other
_LEAST_NAME = 12  # columns left to the names of methods before lines grow longer than the terminal


def evaluate_(
    methods: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[METHOD]...",
            help="Names, package.module:Name or path/file.py:Name; default: all installed.",
        ),
    ] = None,
    zoo: Annotated[str, typer.Option(help="Id of a zoo, or path of its folder.")] = "digits-mlp-v1",
    assignments: SetOption = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="For shuffles, ties and methods.")
    ] = 0,
    records: Annotated[
        Path | None, typer.Option(help="Folder for the records; default: in the cache.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Score methods on a zoo: which checkpoints belong together, and in which order they came."""
    with redirect_stdout(sys.stderr):  # what a method prints is not a result
        loaded = wsbench.load_methods(methods or wsbench.list_methods(), settings(assignments))
        with build_progress(zoo) as progress:
            on = wsbench.load_zoo(zoo, progress=progress)
        results = [wsbench.evaluate(method, on, seed=seed) for method in loaded]
    written = [wsbench.save_record(result, records) for result in results]
    standings = {
        task: wsbench.standings(
            {r.method.label: primary_by_model(r, task) for r in results if not r.error}
        )
        for task in _TASKS
    }
    if as_json:
        print_json(_json(on, results, written, standings))
    else:
        _print(on, results, written, standings)
    if any(result.error for result in results):
        raise typer.Exit(1)


def _json(
    zoo: wsbench.Zoo,
    results: list[wsbench.Evaluation],
    records: list[wsbench.Record],
    standings: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    return {
        "zoo": {"id": zoo.id, "content_digest": zoo.content_digest},
        "methods": [
            {
                "name": result.method.info.name,
                "parameters": dict(result.method.parameters),
                "scores": {
                    task: {name: asdict(value) for name, value in scores.items()}
                    for task, scores in result.scores.items()
                },
                "standing": {task: standings[task].get(result.method.label) for task in _TASKS},
                "seconds": result.seconds,
                "error": result.error,
                "record": str(record.path),
            }
            for result, record in zip(results, records, strict=True)
        ],
    }


def _print(
    zoo: wsbench.Zoo,
    results: list[wsbench.Evaluation],
    records: list[wsbench.Record],
    standings: dict[str, dict[str, Any]],
) -> None:
    n_test = len(set(zoo.model[zoo.rows("test")].tolist()))
    print_line(f"{zoo.id}: fitted on train models, scored on {n_test} test models")
    _print_table(results, standings)
    print_line("* best   = tied with the best: the 95 % interval of the difference holds 0")
    for result in results:
        if result.error:
            print_line(f"{result.method.info.name} failed: {result.error.splitlines()[-1]}")
    print_line(f"records in {records[0].path.parent}:")
    for record in records:
        print_line(f"  {record.path.name}")
    print_line("next: write a class with transform(checkpoints), then")
    print_line("      wsbench evaluate my_method.py:MyMethod euclidean")


def _print_table(results: list[wsbench.Evaluation], standings: dict[str, dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    between = " " if console.width >= _WIDE else "\n"  # value and interval
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("method", overflow="fold")
    for heading in (f"MAP@R{between}95 %", "rank-1", "ARI", "purity", f"tau{between}95 %"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("ordered\npairs", justify="right", no_wrap=True)
    table.add_column("s", justify="right", no_wrap=True)
    for result in _ranked(results):
        name = result.method.label
        if result.error:
            table.add_row(name, "failed")
            continue
        found, ordered = result.scores["identification"], result.scores["ordering"]
        table.add_row(
            name,
            _primary(found["map_at_r"], standings["identification"][name], between),
            *(_number(found[score].value) for score in ("rank1", "ari", "purity")),
            _primary(ordered["kendall_tau"], standings["ordering"][name], between),
            _number(ordered["ordered_pairs"].value),
            f"{sum(result.seconds.values()):.2f}",
        )
    # Rich cuts what does not fit; names are folded instead, and numbers always whole.
    longest = max(len(result.method.label) for result in results)
    folded = max(0, longest - _LEAST_NAME) if console.is_terminal else 0
    whole = console.measure(table, options=console.options.update(max_width=1000)).maximum
    console.width = max(console.width, whole - folded)
    console.print(table)


def _ranked(results: list[wsbench.Evaluation]) -> list[wsbench.Evaluation]:
    def key(result: wsbench.Evaluation) -> tuple[bool, float, float]:
        if result.error:
            return True, 0.0, 0.0
        primary = [result.scores[task][name].value or 0.0 for task, name in _TASKS.items()]
        return False, -primary[0], -primary[1]

    return sorted(results, key=key)


def _primary(score: wsbench.Score, standing: str, between: str) -> str:
    mark = {"best": "*", "tie": "=", "behind": " "}[standing]
    value = f"{_number(score.value)} {mark}"
    if standing != "behind":
        value = f"[bold]{value}[/]"
    low, high = score.interval or (0.0, 0.0)
    return f"{value}{between}{_number(low)}\u2013{_number(high)}"


def _number(value: float | None) -> str:
    return "inf" if value is None else f"{value:.3f}"
