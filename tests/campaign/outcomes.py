"""Outcomes of faults, counted; and the command line that meets them."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "from wsbench.cli import main; main()"]

RIGHT, REFUSED, FAILED = "right", "refused in a line", "failed record"
CRASH, SILENT = "crash", "silent"
_COLUMNS = (RIGHT, REFUSED, FAILED, CRASH, SILENT)


class Table:
    """How often each kind of fault had which outcome."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, kind: str, outcome: str, detail: str = "") -> None:
        """Count an outcome; report one that must not be at once."""
        self._counts[kind, outcome] += 1
        if outcome in (CRASH, SILENT):
            sys.stderr.write(f"{outcome}: {kind}: {detail}\n")
            sys.stderr.flush()

    @property
    def is_clean(self) -> bool:
        """Whether nothing crashed, and nothing wrong was taken for right."""
        return not any(n for (_, outcome), n in self._counts.items() if outcome in (CRASH, SILENT))

    def __str__(self) -> str:
        kinds = list(dict.fromkeys(kind for kind, _ in self._counts))
        rows = [["", "n", *_COLUMNS]]
        for kind in kinds:
            counts = [self._counts[kind, outcome] for outcome in _COLUMNS]
            rows.append([kind, *map(str, (sum(counts), *counts))])
        totals = [sum(self._counts[kind, outcome] for kind in kinds) for outcome in _COLUMNS]
        rows.append(["in all", *map(str, (sum(totals), *totals))])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        )


def wsbench(*arguments: object, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | variables,
        timeout=600,
        check=False,
    )


def records_of(out: str) -> dict[str, dict[str, Any]]:
    """Return what ``evaluate --json`` says of each method, by name."""
    return {method["name"]: method for method in json.loads(out)["methods"]}


def marked_processes(mark: str, patience_s: float = 5.0) -> list[str]:
    """Return the commands of processes with this ``CAMPAIGN_MARK`` that do not end soon."""
    end = time.monotonic() + patience_s
    while found := [*_marked(mark.encode())]:
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    return found


def _marked(mark: bytes) -> Iterator[str]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"CAMPAIGN_MARK=" + mark in (folder / "environ").read_bytes().split(b"\0"):
                yield (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:80]
        except OSError:  # it has ended, or is a zombie
            continue
