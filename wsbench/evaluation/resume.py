"""Resuming: the answers under finished conditions, on disk until an evaluation is complete."""

import hashlib
import json
import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np

from wsbench.evaluation.suites import Suite
from wsbench.methods.protocol import MethodDescription
from wsbench.storage.atomic import atomic_write
from wsbench.storage.npz import pack, unpack
from wsbench.tasks.condition import Condition
from wsbench.tasks.ground_truth import Answers
from wsbench.tasks.scoring import versions

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
    method, suite, zoo_digest, seed
        What is evaluated: results of another evaluation are never taken over.
    """

    def __init__(
        self,
        folder: Path | None,
        method: MethodDescription,
        suite: Suite,
        zoo_digest: str,
        seed: int,
    ) -> None:
        decides = [
            zoo_digest,
            seed,
            suite.tasks,
            method.spec,
            method.info.version,
            method.code_sha256,
            dict(method.parameters),
            versions(suite.tasks),
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
        with atomic_write(file) as temporary:
            temporary.write_bytes(packed_part(answers, seconds))

    def remove(self) -> None:
        """Remove all of it: the evaluation is complete, or its method failed."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            with suppress(OSError):  # not empty, or never made
                self._folder.parent.rmdir()

    def _file(self, condition: Condition) -> Path | None:
        return self._folder and self._folder / f"{condition.name.replace('/', '-')}.npz"
