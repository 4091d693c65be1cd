"""Kills: builds and evaluations ended by ``kill -9`` at random moments, then run to their end.

The zoo has the digest, and the records the names, that an undisturbed run gives.
"""

import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import wsbench
from tests.campaign.outcomes import (
    COMMAND,
    CRASH,
    RIGHT,
    SILENT,
    Table,
    marked_processes,
    records_of,
)
from tests.campaign.targets import RECIPE
from tests.support.zoos import write_made_up_zoo

_EARLIEST = 0.4  # of an undisturbed run: before, nothing is written
_RESUMES = 6  # kills of one build or evaluation, at most
_SLOW = """
import time

class Slow:
    def transform(self, checkpoints):
        time.sleep(0.05)
        return checkpoints.weights[:, :3]
"""


def run(n: int, rng: random.Random, folder: Path, table: Table) -> None:
    """Kill builds n times, and evaluations n times."""
    recipe, zoo = folder / "recipe.toml", folder / "zoo"
    recipe.write_text(RECIPE)
    build = ["build", recipe, "--out", zoo, "--workers", 1]
    _kill("killed build", n, build, lambda out: _digest_of(zoo), rng, table)
    (folder / "slow.py").write_text(_SLOW)
    evaluate = [
        "evaluate", f"{folder}/slow.py:Slow", "svd", "--zoo", write_made_up_zoo(folder / "made-up"),
        "--records", folder / "records", "--threads", 1, "--json",
    ]  # fmt: skip
    _kill("killed evaluation", n, evaluate, lambda out: _names_in(out, folder), rng, table)


def _digest_of(zoo: Path) -> str:
    digest = wsbench.load_zoo(zoo).content_digest
    left = [path.name for path in zoo.parent.iterdir() if path.name.startswith(".")]
    shutil.rmtree(zoo)
    return f"{digest}, left beside it: {left}"


def _names_in(out: str, folder: Path) -> str:
    names = sorted(Path(method["record"]).name for method in records_of(out).values())
    for name in names:
        wsbench.rescore(folder / "records" / "made-up-v1" / name)
    # Temporary files of those that were killed may stay for an hour; answers may not.
    left = [path.name for path in (folder / "records" / "unfinished").rglob("*.npz")]
    shutil.rmtree(folder / "records")
    return f"{names}, left beside them: {left}"


def _kill(
    kind: str,
    n: int,
    arguments: list[object],
    result: Callable[[str], str],
    rng: random.Random,
    table: Table,
) -> None:
    """Kill a command n times; a run that ends is held against an undisturbed one.

    ``result`` reads what a run has written, and removes it.
    """
    command = [*COMMAND, *map(str, arguments)]
    result(_output(command, None) or "")  # compiles what is compiled
    began = time.monotonic()
    expected = result(_output(command, None) or "")
    whole_s = time.monotonic() - began
    n_killed = 0
    while n_killed < n:
        n_in_a_row, out = 0, None
        while out is None:
            is_last = n_killed == n or n_in_a_row == _RESUMES
            seconds = None if is_last else whole_s * rng.uniform(_EARLIEST, 1.05)
            out = _output(command, seconds)
            n_in_a_row += out is None
            n_killed += out is None
        try:
            found = result(out)
        except Exception as error:
            table.add(kind, CRASH, f"after {n_in_a_row} kills: {error!r}")
            continue
        outcome = RIGHT if found == expected else SILENT
        for _ in range(n_in_a_row):
            table.add(kind, outcome, f"{found} after {n_in_a_row} kills, expected {expected}")


def _output(command: list[str], seconds: float | None) -> str | None:
    """Return what a command prints; None if it was killed after these seconds."""
    mark = f"kill-{time.monotonic_ns()}"
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"CAMPAIGN_MARK": mark},
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=seconds or 600)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        if left := marked_processes(mark):
            raise RuntimeError(f"processes outlive their harness: {left}") from None
        process.communicate()
        return None
    if process.returncode:
        raise RuntimeError(f"exit status {process.returncode}: {err[-2000:]}")
    return out
