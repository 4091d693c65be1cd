"""Resuming: the answers under finished conditions, on disk until an evaluation is complete."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np

from wsbench.errors import StorageError
from wsbench.evaluation.suite import Suite
from wsbench.methods.protocol import MethodDescription
from wsbench.storage.atomic import atomic_write
from wsbench.storage.npz import pack, unpack
from wsbench.tasks.condition import Condition
from wsbench.tasks.ground_truth import Answers
from wsbench.tasks.scoring import task_versions

_ATTEMPTS = 20  # to write into a folder that others remove; four threads at it needed two at most
_LEFTOVER_S = 3600.0  # after which no process is still writing a temporary file

Part = tuple[dict[str, Answers], dict[str, float]]  # answers by task, seconds by what took them


def packed_part(answers: dict[str, Answers], seconds: dict[str, float]) -> bytes:
    """Return the answers under a condition, and the seconds they took, as the bytes of an npz."""
    arrays = {f"{task}/{n}": a for task, found in answers.items() for n, a in found.items()}
    return pack(arrays | {f"seconds/{name}": np.array(s) for name, s in seconds.items()})


def unpacked_part(data: bytes) -> Part:
    """Return what `packed_part` packed; raise `ValueError` if it is damaged."""
    answers: dict[str, Answers] = {}
    seconds: dict[str, float] = {}
    for name, array in unpack(data).items():
        kind, _, rest = name.partition("/")
        if kind == "seconds":
            seconds[rest] = float(array)
        else:
            answers.setdefault(kind, {})[rest] = array
    return answers, seconds


class PartialResults:
    """The finished conditions of one evaluation, in a folder named after all that decides them.

    Parameters
    ----------
    folder
        Where unfinished evaluations are kept; None keeps nothing.
    method, suite, zoo_digest, seed, threads
        What is evaluated: results of another evaluation are never taken over.
    """

    def __init__(
        self,
        folder: Path | None,
        method: MethodDescription,
        suite: Suite,
        zoo_digest: str,
        seed: int,
        threads: int,
    ) -> None:
        decides = [
            zoo_digest,
            seed,
            threads,
            {name: suite.tasks_under(name) for name in suite.perturbations},
            method.spec,
            method.info.version,
            method.code_sha256,
            dict(method.parameters),
            task_versions(suite.tasks),
        ]
        key = hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]
        self._folder = folder and folder / f"{method.info.name}-{key}"

    def has(self, condition: Condition) -> bool:
        """Whether a condition is finished."""
        file = self._file(condition)
        return file is not None and file.exists()

    def load(self, condition: Condition) -> Part | None:
        """Return answers and seconds; None if they are missing or damaged."""
        file = self._file(condition)
        try:
            return unpacked_part(file.read_bytes()) if file else None
        except (OSError, ValueError):
            return None

    def save(
        self, condition: Condition, answers: dict[str, Answers], seconds: dict[str, float]
    ) -> None:
        """Write the answers under a condition."""
        file = self._file(condition)
        if file is None:
            return
        for attempt in range(_ATTEMPTS):
            try:
                with atomic_write(file) as temporary:
                    temporary.write_bytes(packed_part(answers, seconds))
                return
            except StorageError as error:
                # The same evaluation in another process is complete and has removed the folder.
                is_removed = isinstance(error.__cause__, FileNotFoundError)
                if not is_removed or attempt == _ATTEMPTS - 1:
                    raise

    def remove(self) -> None:
        """Remove all of it: the evaluation is complete, or its method failed.

        Another process may be at work on the same: a file that it is writing stays, and so does the
        folder then.
        """
        if self._folder is None:
            return
        for file in [*self._folder.glob("*.npz"), *_leftovers(self._folder)]:
            with suppress(OSError):
                file.unlink()
        for folder in (self._folder, self._folder.parent):
            with suppress(OSError):  # not empty, or never made
                folder.rmdir()

    def written(self, conditions: Iterable[Condition]) -> list[datetime]:
        """Return when each of the conditions that are finished was, earliest first."""
        files = [self._file(condition) for condition in conditions]
        times = []
        for file in files:
            with suppress(OSError):
                times += [file.stat().st_mtime] if file else []
        return [datetime.fromtimestamp(seconds).astimezone() for seconds in sorted(times)]

    def _file(self, condition: Condition) -> Path | None:
        return self._folder and self._folder / f"{condition.name.replace('/', '-')}.npz"


def _leftovers(folder: Path) -> Iterator[Path]:
    """Yield the temporary files of processes that were killed while they wrote."""
    for file in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _LEFTOVER_S:
                yield file
