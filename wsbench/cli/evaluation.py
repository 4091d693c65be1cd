"""The command ``evaluate``."""

import logging
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

import wsbench
from wsbench.cli.output import JsonOption, print_json, print_line
from wsbench.cli.progress import build_progress, evaluation_progress
from wsbench.cli.settings import SetOption, settings
from wsbench.cli.tables import print_tables, ranks_of, too_few
from wsbench.evaluation.suite import SUITES, Suite, find_suite
from wsbench.methods.failure import advice, summary
from wsbench.methods.limits import VARIABLES_OF_BITS
from wsbench.metrics.ranking import LEAST_RANKED
from wsbench.storage.atomic import expect_writable
from wsbench.tasks.catalogue import TASKS

_log = logging.getLogger("wsbench")


def evaluate_(
    methods: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="METHOD",
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
        typer.Option(help=f"Evaluate this task; repeat for more: {', '.join(TASKS)}."),
    ] = None,
    perturbation: Annotated[
        list[str] | None,
        typer.Option(
            "--perturb",
            help="Perturb the weights; repeat for more: none, permute, int8, svd-50 and so on.",
        ),
    ] = None,
    assignments: SetOption = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, help="Seed of shuffles, ties and methods.")
    ] = 0,
    records: Annotated[
        Path | None, typer.Option(help="Folder for the records; default: in the cache.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.001, help="Seconds for each call of a method.")
    ] = 3600.0,
    memory: Annotated[
        float | None,
        typer.Option(min=0.1, help="Memory of a method in GB; default: 80 % of the machine's."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of each library; default: all processors.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Conditions that are answered side by side.")
    ] = 1,
    cluster: Annotated[
        str | None, typer.Option(help="Dask scheduler whose workers answer: tcp://HOST:PORT.")
    ] = None,
    in_process: Annotated[
        bool, typer.Option("--in-process", help="Run methods in this process, for a debugger.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Evaluate methods on a zoo: print scores, intervals and ranks, and write a record of each."""
    asked = _suite(suite, task or [], perturbation or [])
    limits = _limits(timeout, memory, threads)
    for name in filter(os.environ.get, VARIABLES_OF_BITS):
        _log.warning("wsbench: %s is set, which can change the last bits of results", name)
    with build_progress(zoo) as building:
        on = wsbench.load_zoo(zoo, progress=building)
    unfinished = (records or wsbench.home() / "records").resolve() / "unfinished"
    folder = unfinished.parent
    results, written = [], []
    with (
        redirect_stdout(sys.stderr),  # prints of a method in this process are no result
        wsbench.open_methods(
            methods or wsbench.list_methods(), settings(assignments), limits=limits,
            in_process=in_process,
        ) as opened,
        evaluation_progress(len(opened)) as progress,
    ):  # fmt: skip
        expect_writable(folder / on.id)
        for method in opened:
            result = wsbench.evaluate(
                method,
                on,
                suite=asked,
                seed=seed,
                unfinished=unfinished,
                progress=progress.method(method.label),
                limits=limits,
                workers=workers,
                cluster=cluster,
            )
            results.append(result)
            written.append(wsbench.save_record(result, folder))
    if as_json:
        print_json(_json(on, results, written))
    else:
        _print(on, results, written)
    if any(result.error for result in results):
        raise typer.Exit(1)


def _limits(timeout_s: float, memory_gb: float | None, threads: int | None) -> wsbench.Limits:
    usual = wsbench.Limits()
    try:
        memory_bytes = usual.memory_bytes if memory_gb is None else int(memory_gb * 1e9)
        return wsbench.Limits(memory_bytes, timeout_s, threads or usual.threads)
    except (ValueError, OverflowError) as error:  # of int(nan) and int(inf), too
        raise typer.BadParameter(str(error), param_hint="--memory, --timeout, --threads") from None


def _suite(name: str | None, tasks: list[str], perturbations: list[str]) -> Suite:
    try:
        return find_suite(name, tasks, perturbations)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--suite") from None


def _json(
    zoo: wsbench.Zoo, results: list[wsbench.Evaluation], records: list[wsbench.Record]
) -> dict[str, Any]:
    done = [result for result in results if not result.error]
    ranks = ranks_of(done)
    return {
        "zoo": {"id": zoo.id, "content_digest": zoo.content_digest},
        "suite": results[0].suite.describe(),
        "methods": [
            {
                "name": result.method.info.name,
                "parameters": dict(result.method.parameters),
                "scores": msgspec.to_builtins(result.scores),
                "robustness": msgspec.to_builtins(result.robustness),
                "tracks": msgspec.to_builtins(result.tracks),
                "transductive": result.is_transductive,
                "rank": {}
                if result.error
                else {t: r.get(result.method.label) for t, r in ranks.items()},
                "seconds": result.seconds,
                "cost": msgspec.to_builtins(result.cost),
                "error": result.error,
                "record": str(record.path),
            }
            for result, record in zip(results, records, strict=True)
        ],
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
    if n_test < LEAST_RANKED:
        print_line(too_few(n_test))
    else:
        print_line("rank: the ranks that paired tests at 5 % leave open, each test by itself")
    if any(result.is_transductive for result in results):
        print_line(
            "*: transductive: a distance depends on the other checkpoints, so it has no rank"
        )
    for result in results:
        if result.accuracy:
            shown = ", ".join(f"{name} {value:.3f}" for name, value in result.accuracy.items())
            print_line(f"accuracy of the networks: {shown}")
            break
    for result in results:
        if result.error:
            print_line(f"{result.method.info.name} failed: {summary(result.error)}")
    print_line(f"records in {records[0].path.parent}:")
    for record in records:
        print_line(f"  {record.path.name}")
    failed = [result for result in results if result.error]
    if failed:
        print_line(f"next: {advice(failed[0].error or '')}")
        print_line(f"      wsbench evaluate {failed[0].method.arguments}")
        return
    own = [result for result in results if ":" in result.method.spec]
    if not own:
        print_line("next: write a class with transform(checkpoints), then")
        print_line("      wsbench evaluate my_method.py:MyMethod euclidean")
    elif own[0].suite.measures_cost:
        print_line(f"next: wsbench submit {records[results.index(own[0])].path}")
    else:
        print_line(f"next: wsbench evaluate {own[0].method.arguments} --suite standard")
