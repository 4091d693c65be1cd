"""Damages: files with flipped bits, cut, zeroed or prolonged, read again.

A damaged file is read as it was, or refused in one line by an error of ours. `verify_zoo` sees any
changed byte of a zoo's folder.
"""

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import wsbench
from tests.campaign.outcomes import CRASH, REFUSED, RIGHT, SILENT, Table
from tests.campaign.targets import RECIPE
from tests.support.zoos import write_made_up_zoo
from wsbench.evaluation.resume import PartialResults
from wsbench.records.record import Record
from wsbench.tasks.condition import Condition
from wsbench.zoo.manifest import read_manifest
from wsbench_zoos.recipe import parse_recipe

_BATCH = 100  # damages in one process: one that crashes takes the rest of its batch with it
_UNCLAIMED = ("seconds", "cost", "environment")  # of a record: its name does not follow from them


def run(n: int, rng: random.Random, folder: Path, table: Table) -> None:
    """Damage files n times."""
    targets = _targets(folder)
    for start in range(0, n, _BATCH):
        seeds = [rng.getrandbits(64) for _ in range(start, min(n, start + _BATCH))]
        while seeds:
            done = 0
            for kind, outcome, detail in _in_a_process(seeds, targets):
                table.add(kind, outcome, detail)
                done += 1
            if done < len(seeds):
                table.add("damaged file", CRASH, f"the reader's process died, seed {seeds[done]}")
            seeds = seeds[done + 1 :]


Read = Callable[[], bool]  # whether what is read is what was written; raises as the reader does


def _targets(folder: Path) -> dict[Path, Read]:
    zoo_folder = write_made_up_zoo(folder / "made-up")
    zoo, manifest = wsbench.load_zoo(zoo_folder), read_manifest(zoo_folder)

    def zoo_is_right() -> bool:
        found = wsbench.verify_zoo(zoo_folder)
        try:
            is_seen = bool(found.failed) or read_manifest(zoo_folder) == manifest
        except wsbench.FormatError:
            is_seen = False
        return is_seen and _same_zoo(wsbench.load_zoo(zoo_folder), zoo)

    suite = wsbench.find_suite(None, ["identification", "ordering"], ["none"])
    evaluation = wsbench.evaluate(wsbench.load_method("svd"), zoo, suite=suite)
    record = wsbench.save_record(evaluation, folder / "records")
    answers = record.path.with_name(record.content.answers.file)
    condition = suite.conditions(zoo.layout)[0]
    part = PartialResults(folder / "unfinished", evaluation.method, suite, zoo.content_digest, 0, 1)
    by_task: dict[str, Any] = {}
    for entry, arrays in evaluation.answers.items():
        by_task[entry.partition("/")[0]] = arrays
    part.save(condition, by_task, evaluation.seconds)
    (unfinished,) = (folder / "unfinished").rglob("*.npz")
    recipe = folder / "recipe.toml"
    recipe.write_text(RECIPE)
    targets: dict[Path, Read] = dict.fromkeys(zoo_folder.iterdir(), zoo_is_right)
    return targets | {
        record.path: lambda: _claims(wsbench.load_record(record.path)) == _claims(record),
        answers: lambda: wsbench.rescore(record.path) == record.scores,
        unfinished: lambda: _same_part(part, condition, by_task),
        recipe: lambda: _is_recipe(recipe),
    }


def _in_a_process(seeds: list[int], targets: dict[Path, Read]) -> Iterator[tuple[str, str, str]]:
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        with os.fdopen(write, "wb", buffering=0) as pipe:
            for seed in seeds:
                line = msgspec.json.encode(_outcome(random.Random(seed), targets))
                pipe.write(line + b"\n")
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        for line in pipe:
            kind, outcome, detail = msgspec.json.decode(line)
            yield kind, outcome, detail
    os.waitpid(child, 0)


def _outcome(rng: random.Random, targets: dict[Path, Read]) -> tuple[str, str, str]:
    path = rng.choice(sorted(targets))
    whole = path.read_bytes()
    data, what = _damaged(whole, rng)
    kind = "npz" if path.suffix == ".npz" and path.name != "probe.npz" else path.name
    kind = "record" if kind.startswith("svd-") and path.suffix == ".json" else kind
    kind = "answers" if kind == "npz" else kind
    path.write_bytes(data)
    try:
        is_right = targets[path]()
    except wsbench.WsbenchError as error:
        is_line = len(str(error)) > 0 and "\n" not in str(error)
        return kind, REFUSED if is_line else CRASH, f"{what}: {error!r:.200}"
    except BaseException as error:
        return kind, CRASH, f"{what}: {error!r:.200}"
    finally:
        path.write_bytes(whole)
    return kind, RIGHT if is_right else SILENT, what


def _damaged(data: bytes, rng: random.Random) -> tuple[bytes, str]:
    """Return other bytes than these, and what was done."""
    at = rng.randrange(len(data))
    n = min(rng.choice((1, 2, 8, 64, 512)), len(data) - at)
    ways = {
        "a bit flipped": lambda: _with(data, at, bytes([data[at] ^ 1 << rng.randrange(8)])),
        "bytes changed": lambda: _with(data, at, rng.randbytes(n)),
        "bytes zeroed": lambda: _with(data, at, bytes(n)),
        "cut": lambda: data[:at],
        "bytes appended": lambda: data + rng.choice((rng.randbytes(n), bytes(n), b"\n")),
        "bytes left out": lambda: data[:at] + data[at + n :],
        "bytes repeated": lambda: data[: at + n] + data[at:],
        "a part from elsewhere": lambda: _with(data, at, data[(m := len(data) // 2) : m + n]),
    }
    while True:
        what = rng.choice(sorted(ways))
        found = ways[what]()
        if found != data:
            return found, f"{what} at {at} of {len(data)}, {n} bytes"
        at = rng.randrange(len(data))
        n = min(n, len(data) - at)


def _with(data: bytes, at: int, part: bytes) -> bytes:
    return data[:at] + part + data[at + len(part) :]


def _same_zoo(zoo: wsbench.Zoo, other: wsbench.Zoo) -> bool:
    for field in fields(zoo):
        one, two = getattr(zoo, field.name), getattr(other, field.name)
        if isinstance(one, np.ndarray):
            if one.dtype != two.dtype or one.tobytes() != two.tobytes():
                return False
        elif one != two:
            return False
    return True


def _same_part(part: PartialResults, condition: Condition, answers: dict[str, Any]) -> bool:
    found = part.load(condition)
    if found is None:  # it is computed again
        raise wsbench.FormatError("damaged")
    return found[0].keys() == answers.keys() and all(
        found[0][task].keys() == answers[task].keys()
        and all((found[0][task][name] == answers[task][name]).all() for name in answers[task])
        for task in answers
    )


def _claims(record: Record) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.to_builtins(record.content)
    return {key: value for key, value in content.items() if key not in _UNCLAIMED}


def _is_recipe(path: Path) -> bool:
    """Whether a recipe is read: it has no checksum, and another valid text is another recipe."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise wsbench.RecipeError(str(error)) from None
    parse_recipe(text, str(path))
    return True
