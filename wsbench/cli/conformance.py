"""The command ``check``: conformance of a method."""

import shlex
from dataclasses import asdict
from typing import Annotated

import typer

import wsbench
from wsbench.cli.completion import complete_method, complete_zoo
from wsbench.cli.output import JsonOption, print_json, print_line
from wsbench.cli.settings import SetOption, settings
from wsbench.cli.zoos import load
from wsbench.methods.failure import summary


def check(
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD",
            help="Name, package.module:Name or path/file.py:Name.",
            autocompletion=complete_method,
        ),
    ],
    zoo: Annotated[
        str | None,
        typer.Option(
            help="Zoo with checkpoints to check on; default: tiny made-up networks.",
            autocompletion=complete_zoo,
        ),
    ] = None,
    assignments: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a method conforms: shapes, determinism, row order, declared invariances."""
    on = load(zoo) if zoo else None
    with wsbench.open_methods([method], settings(assignments)) as (one,):
        if one.error:
            raise wsbench.MethodError(f"{method}: {summary(one.error)}")
        findings = wsbench.check_method(one, on)
        loaded = one.description
    n_failed = sum(finding.status == "failed" for finding in findings)
    if as_json:
        found = [asdict(finding) for finding in findings]
        print_json({"method": loaded.info.name, "zoo": zoo, "findings": found, "failed": n_failed})
    else:
        for finding in findings:
            detail = f": {finding.detail}" if finding.detail else ""
            print_line(f"{finding.status:<8} {finding.check}{detail}")
        verdict = f"{n_failed} checks failed" if n_failed else "conforms"
        print_line(f"{loaded.info.name} {loaded.info.version}: {verdict}")
        if not n_failed:
            on_zoo = f" --zoo {shlex.quote(zoo)}" if zoo else ""
            print_line(f"next: wsbench evaluate {loaded.arguments}{on_zoo}")
    if n_failed:
        raise typer.Exit(1)
