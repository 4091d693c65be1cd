"""The command ``evaluate``."""

import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

import wsbench
from wsbench.cli.output import JsonOption, build_progress, print_json, print_line
from wsbench.cli.progress import evaluation_progress
from wsbench.cli.settings import SetOption, settings
from wsbench.cli.tables import print_tables, ranks_of
from wsbench.evaluation.suites import SUITES, Suite, find_suite


def evaluate_(
    methods: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[METHOD]...",
            help="Names, package.module:Name or path/file.py:Name; default: all installed.",
        ),
    ] = None,
    zoo: Annotated[
        str, typer.Option(help="Id of a zoo, or path of its folder.")
    ] = wsbench.DEFAULT_ZOO,
    suite: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(SUITES)}; default: smoke.")
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(help="Ask this question only: identification, ordering or retrieval."),
    ] = None,
    perturbation: Annotated[
        list[str] | None,
        typer.Option(
            help="Ask after this change of the weights: none, permute, int8, svd-50 and so on."
        ),
    ] = None,
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
    asked = _suite(suite, task or [], perturbation or [])
    with redirect_stdout(sys.stderr):  # what a method prints is not a result
        loaded = wsbench.load_methods(methods or wsbench.list_methods(), settings(assignments))
        with build_progress(zoo) as building:
            on = wsbench.load_zoo(zoo, progress=building)
        results, written = [], []
        for method in loaded:
            with evaluation_progress(method.label) as progress:
                result = wsbench.evaluate(
                    method,
                    on,
                    suite=asked,
                    seed=seed,
                    parts=(records or wsbench.home() / "records") / "unfinished",
                    progress=progress,
                )
            results.append(result)
            written.append(wsbench.save_record(result, records))
    if as_json:
        print_json(_json(on, results, written))
    else:
        _print(on, results, written)
    if any(result.error for result in results):
        raise typer.Exit(1)


def _suite(name: str | None, questions: list[str], perturbations: list[str]) -> Suite:
    try:
        return find_suite(name, questions, perturbations)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--suite") from None


def _json(
    zoo: wsbench.Zoo, results: list[wsbench.Evaluation], records: list[wsbench.Record]
) -> dict[str, Any]:
    done = [result for result in results if not result.error]
    questions = done[0].suite.questions if done else ()
    ranks = {question: ranks_of(done, question) for question in questions}
    return {
        "zoo": {"id": zoo.id, "content_digest": zoo.content_digest},
        "suite": results[0].suite.describe(),
        "methods": [
            {
                "name": result.method.info.name,
                "parameters": dict(result.method.parameters),
                "scores": _plain(result.scores),
                "robustness": _plain(result.robustness),
                "rank": {q: ranks[q][result.method.label] for q in ranks if not result.error},
                "seconds": result.seconds,
                "cost": result.cost and asdict(result.cost),
                "error": result.error,
                "record": str(record.path),
            }
            for result, record in zip(results, records, strict=True)
        ],
    }


def _plain(scores: dict[str, dict[str, wsbench.Score]]) -> dict[str, Any]:
    return {
        task: {name: asdict(value) for name, value in by_name.items()}
        for task, by_name in scores.items()
    }


def _print(
    zoo: wsbench.Zoo, results: list[wsbench.Evaluation], records: list[wsbench.Record]
) -> None:
    n_test = len(set(zoo.model[zoo.rows("test")].tolist()))
    print_line(
        f"{zoo.id}, suite {results[0].suite.describe()}: fitted on train models, scored on"
        f" {n_test} test models"
    )
    print_tables(results)
    print_line("rank: from the best to the worst that 95 % of the difference between models allow")
    for result in results:
        if result.accuracy:
            shown = ", ".join(f"{name} {value:.3f}" for name, value in result.accuracy.items())
            print_line(f"accuracy of the networks: {shown}")
            break
    for result in results:
        if result.error:
            print_line(f"{result.method.info.name} failed: {result.error.splitlines()[-1]}")
    print_line(f"records in {records[0].path.parent}:")
    for record in records:
        print_line(f"  {record.path.name}")
    own = [result for result in results if ":" in result.method.spec and not result.error]
    if not own:
        print_line("next: write a class with transform(checkpoints), then")
        print_line("      wsbench evaluate my_method.py:MyMethod euclidean")
    elif own[0].suite.measures_cost:
        print_line(f"next: wsbench submit {records[results.index(own[0])].path}")
    else:
        print_line(f"next: wsbench evaluate {own[0].method.arguments} --suite standard")
