"""Golden scores: stored answers, the scores that they have, and the versions that computed these.

``python -m support.golden``, started in ``tests``, computes the scores again and writes them. It
refuses scores that moved while the version of their task stayed. With ``--answers`` it has methods
answer first, for a task that is new or whose answers hold other arrays.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import wsbench
from support.methods import FirstThree, loaded
from support.zoos import write_made_up_zoo
from wsbench.records.answers import pack_answers, unpack_answers
from wsbench.storage import strict_json
from wsbench.storage.atomic import atomic_write
from wsbench.tasks.catalogue import TASKS
from wsbench.tasks.condition import parse_entry
from wsbench.tasks.scoring import score_answers, task_versions

FOLDER = Path(__file__).parents[1] / "wsbench" / "tasks" / "golden"
SCORES_FILE = FOLDER / "scores.json"
COMMAND = "python -m support.golden (in tests)"

_TOLERANCE = 1e-12
_SEED = 0


class CityBlock:
    """A distance, with an order of its own."""

    def pairwise(self, checkpoints):
        w = checkpoints.weights[:, :3].astype(float)
        return np.abs(w[:, None] - w).sum(axis=2)

    def order(self, checkpoints):
        return np.argsort((checkpoints.weights**2).sum(axis=1), kind="stable")


class Signs:
    """An embedding with which most distances are tied."""

    def transform(self, checkpoints):
        return (checkpoints.weights[:, :5] > 0).astype(float)


def stored_scores() -> dict[str, Any]:
    """Return the versions, and for each file of answers its scores and robustness, as stored."""
    content: dict[str, Any] = strict_json.parse(SCORES_FILE.read_bytes())
    return content


def computed_scores() -> dict[str, Any]:
    """Return the same, computed from the stored answers."""
    methods = {}
    for path in sorted(FOLDER.glob("*.npz")):
        scored = score_answers(*unpack_answers(path.read_bytes()))
        parts = {"scores": scored.scores, "robustness": scored.robustness}
        methods[path.stem] = msgspec.to_builtins(parts)
    return {"versions": task_versions(TASKS), "methods": methods}


def complaints() -> list[str]:
    """Return what is to do before the scores of the code are those that are stored."""
    stored, computed = stored_scores(), computed_scores()
    moved = sorted({task for task, _ in _moves(stored, computed)})
    raised = {task for task in computed["versions"] if _is_raised(task, stored, computed)}
    found = [
        f"scores of {task} moved: {_examples(task, stored, computed)}. If that is intended, raise"
        f" {_version_of(task)}, name the change in CHANGELOG.md, then run {COMMAND}. If it is not,"
        " mend the code: every record was scored with this version"
        for task in moved
        if task not in raised
    ]
    return found + [f"{task} has another version than is stored: run {COMMAND}" for task in raised]


def write_scores() -> None:
    """Write versions and scores; exit if scores moved and their version did not."""
    stored = stored_scores() if SCORES_FILE.exists() else {"versions": {}, "methods": {}}
    computed = computed_scores()
    for task, move in _moves(stored, computed):
        if not _is_raised(task, stored, computed):
            sys.exit(f"{move}, and {_version_of(task)} is what it was: raise it first")
    with atomic_write(SCORES_FILE) as temporary:
        temporary.write_text(strict_json.write(computed), encoding="utf-8")


def _is_raised(task: str, stored: dict[str, Any], computed: dict[str, Any]) -> bool:
    return stored["versions"].get(task) != computed["versions"][task]


def _version_of(task: str) -> str:
    return f"VERSION in wsbench/tasks/{task.replace('-', '_')}.py"


def _examples(task: str, stored: dict[str, Any], computed: dict[str, Any]) -> str:
    moves = [move for moved, move in _moves(stored, computed) if moved == task]
    return "; ".join(moves[:3]) + (f"; and {len(moves) - 3} more" if len(moves) > 3 else "")


def _moves(stored: dict[str, Any], computed: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the task, or robustness, and a description of each score that is not as stored."""
    for method, parts in stored["methods"].items():
        for part, by_group in parts.items():
            for group, by_name in by_group.items():
                task = "robustness" if part == "robustness" else parse_entry(group)[0]
                found = computed["methods"].get(method, {}).get(part, {}).get(group, {})
                for name in sorted({*by_name, *found}):
                    before, now = _numbers(by_name.get(name)), _numbers(found.get(name))
                    if not np.allclose(before, now, rtol=0, atol=_TOLERANCE, equal_nan=True):
                        yield task, f"{method} {group} {name} was {before}, now {now}"


def _numbers(score: dict[str, Any] | None) -> list[float]:
    """Return value and interval; NaN for what is missing."""
    value, interval = (score or {}).get("value"), (score or {}).get("interval")
    return [np.nan if number is None else number for number in (value, *(interval or (None,) * 2))]


def _write_answers() -> None:
    """Store the answers of three methods about 60 models to every task."""
    suite = wsbench.Suite("golden", 1, tuple(TASKS), ("none", "permute", "int4", "prune-80"))
    with tempfile.TemporaryDirectory() as folder:
        zoo = wsbench.load_zoo(write_made_up_zoo(Path(folder) / "zoo", models=60, epochs=27))
        for method in (FirstThree(), CityBlock(), Signs()):
            result = wsbench.evaluate(loaded(method), zoo, suite=suite, seed=_SEED)
            path = FOLDER / f"{type(method).__name__}.npz"
            path.write_bytes(pack_answers(result.answers, result.truths))
    SCORES_FILE.unlink(missing_ok=True)


if __name__ == "__main__":
    if "--answers" in sys.argv:
        _write_answers()
    write_scores()
