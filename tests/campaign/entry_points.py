"""Broken packages: entry points that raise, exit, are missing, or refer to something else.

The commands do their work; each broken package gets one line.
"""

import os
import random
from pathlib import Path

from tests.campaign.outcomes import CRASH, RIGHT, SILENT, Table, records_of, wsbench
from tests.support.zoos import write_made_up_zoo

_GROUPS = ("wsbench.methods", "wsbench.zoos", "wsbench.commands")
_MODULES = {
    "exits": "import sys\nsys.exit(0)",
    "raises": "raise RuntimeError('of mine\\n\\x1b[2J')",
    "raises BaseException": "raise BaseException('of mine')",
    "raises GeneratorExit": "raise GeneratorExit",
    "is no Python": "def (",
    "imports what is missing": "import no_such_module_at_all",
    "is empty": "",
    "is a number": "thing = 5",
    "is None": "thing = None",
    "is a class that raises": "class thing:\n    def __init__(self): raise RuntimeError('of mine')",
    "is a provider that exits": (
        "import sys\nclass thing:\n    @staticmethod\n    def zoos(): sys.exit(0)"
    ),
    "is a provider of nonsense": "class thing:\n    @staticmethod\n    def zoos(): return {'a': 5}",
    "raises when looked at": (
        "class thing:\n    def __getattr__(self, name): raise SystemExit(name)\nthing = thing()"
    ),
}
_TARGETS = ("{module}:thing", "{module}:other", "{module}", "gone_{module}:thing", "5:x", "a b")


def run(n: int, rng: random.Random, folder: Path, table: Table) -> None:
    """Install n broken packages, one at a time, and run commands."""
    zoo = write_made_up_zoo(folder / "made-up")
    expected = {}
    for number in range(-1, n):
        site = folder / f"site-{number}"
        kind, group = _install(rng, site, number) if number >= 0 else ("none", "")
        path = os.pathsep.join((str(site), os.environ.get("PYTHONPATH", "")))
        methods = ["svd", *(["broken"] if group == "wsbench.methods" else [])]
        runs = {
            "list": ["list"],
            "evaluate": ["evaluate", *methods, "--zoo", zoo, "--perturb", "none", "--json",
                         "--records", folder / "records", "--threads", 1],
        }  # fmt: skip
        for command, arguments in runs.items():
            done = wsbench(*arguments, PYTHONPATH=path)
            is_broken = command == "evaluate" and group == "wsbench.methods"
            faults = [*_faults(done, 1 if is_broken else 0)]
            result = "" if faults else _result(command, done.stdout)
            if number < 0:
                expected[command] = result
            if group == "wsbench.methods":  # `list` names installed methods and imports none
                result = str(result).replace("  broken\n", "")
            outcome = RIGHT if result == expected[command] else SILENT
            table.add("broken package", CRASH if faults else outcome,
                      f"{command}, {group} {kind}: {'; '.join(faults)}")  # fmt: skip


def _install(rng: random.Random, site: Path, number: int) -> tuple[str, str]:
    kind, group, target = (
        rng.choice(sorted(_MODULES)), rng.choice(_GROUPS), rng.choice(_TARGETS)
    )  # fmt: skip
    metadata = site / "broken-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    target = target.format(module=f"broken_{number}")
    (metadata / "entry_points.txt").write_text(f"[{group}]\nbroken = {target}\n")
    (site / f"broken_{number}.py").write_text(_MODULES[kind])
    return f"{target} that {kind}", group


def _faults(done, status):
    lines = done.stderr.splitlines()
    if done.returncode != status:
        yield f"exit status {done.returncode}: {done.stderr[-500:]}"
    if "Traceback" in done.stderr or not done.stdout:
        yield f"no output: {done.stderr[-500:]}"
    if any(not line.isprintable() for line in lines):
        yield "control characters"
    if sum(line.startswith("wsbench: ") for line in lines) > 1:
        yield f"more than a line: {done.stderr[-500:]}"


def _result(command: str, out: str) -> object:
    return records_of(out)["svd"]["record"] if command == "evaluate" else out
