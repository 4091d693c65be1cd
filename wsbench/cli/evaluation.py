"""The command ``evaluate``."""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import wsbench
from wsbench.cli.completion import (
    complete_method,
    complete_perturbation,
    complete_suite,
    complete_task,
    complete_zoo,
)
from wsbench.cli.fresh import asked_zoo, known_record
from wsbench.cli.output import JsonOption, print_json
from wsbench.cli.progress import build_progress, evaluation_progress
from wsbench.cli.report import print_report, report
from wsbench.cli.settings import SetOption, settings
from wsbench.evaluation.suite import SUITES, Suite, find_suite
from wsbench.methods.limits import VARIABLES_OF_BITS
from wsbench.storage.atomic import expect_writable
from wsbench.tasks.catalogue import TASKS

_log = logging.getLogger("wsbench")


def evaluate_(
    methods: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="METHOD",
            help="Names, package.module:Name or path/file.py:Name; default: all installed.",
            autocompletion=complete_method,
        ),
    ] = None,
    zoo: Annotated[
        str, typer.Option(help="Id of a zoo, or path of its folder.", autocompletion=complete_zoo)
    ] = wsbench.DEFAULT_ZOO,
    suite: Annotated[
        str | None,
        typer.Option(
            help=f"One of {', '.join(SUITES)}; default: smoke.", autocompletion=complete_suite
        ),
    ] = None,
    task: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Evaluate this task; repeat for more: {', '.join(TASKS)}.",
            autocompletion=complete_task,
        ),
    ] = None,
    perturbation: Annotated[
        list[str] | None,
        typer.Option(
            "--perturb",
            help="Perturb the weights; repeat for more: none, permute, int8 and those that"
            " wsbench list --perturbations names.",
            autocompletion=complete_perturbation,
        ),
    ] = None,
    fit_on: Annotated[
        str | None,
        typer.Option(help="Fit on this zoo's train models instead: networks of the same layout."),
    ] = None,
    fresh: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Score on models that this text determines, and that are trained now.",
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
    threads: Annotated[int, typer.Option(min=1, help="Threads of each numerical library.")] = 1,
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
    if fresh is not None and seed:
        raise typer.BadParameter("a fresh zoo brings its seed", param_hint="--seed, --fresh")
    asked_about = asked_zoo(on, asked, fresh, fit_on)
    folder = (records or wsbench.home() / "records").resolve()
    evaluate = partial(
        wsbench.evaluate, suite=asked, unfinished=folder / "unfinished", limits=limits,
        workers=workers, cluster=cluster,
    )  # fmt: skip
    with (
        redirect_stdout(sys.stderr),  # prints of a method in this process are no result
        wsbench.open_methods(
            methods or wsbench.list_methods(), settings(assignments), limits=limits,
            in_process=in_process,
        ) as opened,
    ):  # fmt: skip
        expect_writable(folder / on.id)
        done = _evaluated(opened, on, asked_about, evaluate, folder, seed, fit_on)
    shown = asked_about.zoo if isinstance(asked_about, wsbench.FreshZoo) else on
    if as_json:
        print_json(report(shown, *done))
    else:
        print_report(shown, *done)
    if any(result.error for result in done[0]):
        raise typer.Exit(1)


def _evaluated(
    opened: Sequence[wsbench.OpenMethod],
    zoo: wsbench.Zoo,
    asked_about: wsbench.Zoo | wsbench.FreshZoo,
    evaluate: Callable[..., wsbench.Evaluation],
    folder: Path,
    seed: int,
    fit_on: str | None,
) -> tuple[list[wsbench.Evaluation], list[wsbench.Record], list[wsbench.Record]]:
    """Return the evaluations, their records, and for fresh models those of the zoo itself."""
    results, written, published = [], [], []
    is_fresh = isinstance(asked_about, wsbench.FreshZoo)
    with evaluation_progress(len(opened) * (1 + is_fresh)) as progress:
        for method in opened:
            bar = progress.method(method.label)
            result = evaluate(method, asked_about, seed=seed, fit_on=fit_on, progress=bar)
            results.append(result)
            written.append(wsbench.save_record(result, folder))
            if is_fresh:
                known = known_record(method.description, zoo, result.suite, folder)
                bar = progress.method(method.label)
                published.append(
                    known or wsbench.save_record(evaluate(method, zoo, progress=bar), folder)
                )
    return results, written, published


def _limits(timeout_s: float, memory_gb: float | None, threads: int) -> wsbench.Limits:
    usual = wsbench.Limits()
    try:
        memory_bytes = usual.memory_bytes if memory_gb is None else int(memory_gb * 1e9)
        return wsbench.Limits(memory_bytes, timeout_s, threads)
    except (ValueError, OverflowError) as error:  # of int(nan) and int(inf), too
        raise typer.BadParameter(str(error), param_hint="--memory, --timeout, --threads") from None


def _suite(name: str | None, tasks: list[str], perturbations: list[str]) -> Suite:
    try:
        return find_suite(name, tasks, perturbations)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--suite") from None
