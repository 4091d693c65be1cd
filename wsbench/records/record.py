"""Records: one JSON file for each evaluation, and the answers its scores are computed from.

A record is named after the sha256 of what it claims: all but the time it took and the machine it
ran on, which nobody can check. The same method evaluated again replaces its own record. It holds
the sha256 of its answers, so that neither can be changed unnoticed, and is strict JSON: no NaN.
"""

import hashlib
import json
import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wsbench.errors import FormatError, IntegrityError, UnknownIdError
from wsbench.evaluation.evaluate import Evaluation, Scores, score
from wsbench.evaluation.suites import SUITES
from wsbench.methods.protocol import command_arguments
from wsbench.records.answers import pack_answers, unpack_answers
from wsbench.records.environment import environment
from wsbench.records.schema import FORMAT, KEYS, check_content, fitting
from wsbench.storage.atomic import atomic_write
from wsbench.suggestions import unknown_name_error
from wsbench.tasks import Answers, GroundTruth, Score, evaluator_digest
from wsbench.zoo.cache import home

_ANSWERS_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.npz")
_UNCLAIMED = ("seconds", "cost", "environment")
_ERROR_KEPT = 20_000  # characters of a traceback, the last ones
_MAX_RECORD_BYTES = 1_000_000
_MAX_ANSWERS_BYTES = 32_000_000


@dataclass(frozen=True)
class Record:
    """One evaluation, as it is on disk.

    Attributes
    ----------
    path
        The JSON file.
    content
        What is in it.
    """

    path: Path
    content: Mapping[str, Any]

    @property
    def method(self) -> str:
        """Name of the method."""
        return str(self.content["method"]["name"])

    @property
    def zoo(self) -> str:
        """Id of the zoo."""
        return str(self.content["zoo"]["id"])

    @property
    def scores(self) -> Scores:
        """Task to score name to score, as recorded."""
        return _scores_from_json(self.content["tasks"])

    @property
    def robustness(self) -> Scores:
        """Question to ``"compression"`` and ``"symmetry"`` to score, as recorded."""
        return _scores_from_json(self.content["robustness"])

    @property
    def label(self) -> str:
        """Name of the method, and its parameters."""
        settings = command_arguments(self.content["method"]["parameters"])
        return " ".join((self.method, *settings))

    @property
    def command(self) -> str:
        """The command that evaluates the same again, with the threads that BLAS had.

        What ``svd-k`` gives may depend on these in its last bit, and a neighbour change places.
        """
        variables = self.content["environment"].get("variables")
        threads = variables.get("OPENBLAS_NUM_THREADS") if isinstance(variables, dict) else None
        setting = [f"OPENBLAS_NUM_THREADS={threads}"] if str(threads).isdecimal() else []
        method, suite = self.content["method"], self.content["suite"]
        asked = [f"--suite {suite['name']}"]
        if suite["name"] not in SUITES:
            asked = [f"--task {question}" for question in suite["questions"]]
            asked += [f"--perturb {perturbation}" for perturbation in suite["transforms"]]
        settings = [f"--set {shlex.quote(s)}" for s in command_arguments(method["parameters"])]
        zoo, seed = f"--zoo {shlex.quote(self.zoo)}", f"--seed {self.content['seed']}"
        return " ".join(
            (
                *setting,
                "wsbench evaluate",
                shlex.quote(method["spec"]),
                *settings,
                zoo,
                *asked,
                seed,
            )
        )


def save_record(evaluation: Evaluation, folder: Path | None = None) -> Record:
    """Write an evaluation's record, and its answers beside it.

    Parameters
    ----------
    evaluation
        From `evaluate`; one that failed is recorded with its traceback and without answers.
    folder
        Where records go, in a folder for each zoo; None for ``records`` in `home`.

    Raises
    ------
    StorageError
        If they cannot be written.
    FormatError
        If the method's spec or parameters are longer than a record may hold.
    """
    folder = (folder or home() / "records") / evaluation.zoo_id
    info = evaluation.method.info
    answers = None
    if not evaluation.error:
        data = pack_answers(evaluation.answers, evaluation.truths)
        sha256 = hashlib.sha256(data).hexdigest()
        answers = {"file": f"{info.name}-{sha256[:12]}.npz", "sha256": sha256, "bytes": len(data)}
        with atomic_write(folder / str(answers["file"])) as temporary:
            temporary.write_bytes(data)
    content = {
        "format": FORMAT,
        "method": {
            "name": info.name,
            "version": fitting("version", info.version),
            "description": fitting("description", info.description),
            "parameters": dict(evaluation.method.parameters),
            "invariances": sorted(info.invariances),
            "measured_invariances": list(evaluation.invariances),
            "needs": sorted(info.needs),
            "spec": evaluation.method.spec,
            "code_sha256": evaluation.method.code_sha256,
        },
        "zoo": {"id": evaluation.zoo_id, "content_digest": evaluation.zoo_digest},
        "suite": {
            "name": evaluation.suite.name,
            "version": evaluation.suite.version,
            "questions": list(evaluation.suite.questions),
            "transforms": list(evaluation.suite.perturbations),
        },
        "seed": evaluation.seed,
        "evaluator": evaluator_digest(),
        "tasks": _scores_to_json(evaluation.scores),
        "robustness": _scores_to_json(evaluation.robustness),
        "accuracy": evaluation.accuracy,
        "error": evaluation.error and evaluation.error[-_ERROR_KEPT:],
        "seconds": evaluation.seconds,
        "cost": evaluation.cost and asdict(evaluation.cost),
        "environment": environment(),
        "answers": answers,
    }
    path = folder / f"{info.name}-{_digest(content)[:12]}.json"
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
    content = json.loads(text)
    check_content(path, content)
    with atomic_write(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    return Record(path, content)


def load_record(path: str | Path) -> Record:
    """Read a record and check that it is one, and that it is unchanged.

    Raises
    ------
    UnknownIdError
        If there is no such file.
    FormatError
        If it is not strict JSON with the keys of a record, or of another format version.
    IntegrityError
        If its content is not what its name says.
    """
    path = Path(path)
    try:
        _refuse_large(path, _MAX_RECORD_BYTES)
        content = json.loads(
            path.read_text(encoding="utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_without_repeats,
        )
    except FileNotFoundError:
        raise UnknownIdError(f"no record {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not a record: {error}") from None
    check_content(path, content)
    digest = _digest(content)[:12]
    if not path.stem.endswith(f"-{digest}"):
        raise IntegrityError(
            f"{path}: changed since it was written: its content has the digest {digest}…;"
            " evaluate the method again"
        )
    return Record(path, content)


def find_record(name: str, folder: Path) -> Record:
    """Return a record by its path, or the last one that was written of a method.

    Parameters
    ----------
    name
        A path that ends in ``.json``, or the name of a method, with its parameters if some were
        set: ``"svd k=5"``. A name alone is the method with its defaults, if there is a record of
        that.
    folder
        Where the records of a zoo are.

    Raises
    ------
    UnknownIdError
        If there is none; the message names the nearest.
    FormatError, IntegrityError
        As `load_record` raises them.
    """
    if name.endswith(".json"):
        return load_record(name)
    by_time = sorted(folder.glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    method = name.partition(" ")[0]
    found = [load_record(path) for path in by_time if path.name.startswith(f"{method}-")]
    named = [record for record in found if record.label == name]
    named = named or [record for record in found if record.method == name]
    if not named:
        known = {path.stem.rpartition("-")[0] for path in by_time}
        raise unknown_name_error(
            "method", name, known, f"In {folder}; wsbench evaluate writes records there."
        )
    return named[-1]


def rescore(record: Record | str | Path) -> Scores:
    """Compute a record's scores again from its stored answers, believing none of its numbers.

    Parameters
    ----------
    record
        A record or its path.

    Returns
    -------
    scores
        Task to score name to score; empty for the record of a method that failed.

    Raises
    ------
    IntegrityError
        If the answers are missing or are not those the record was written with.
    FormatError
        If they are not such as a method can give.

    Examples
    --------
    >>> record = save_record(wsbench.evaluate("euclidean"))
    >>> rescore(record) == record.scores
    True
    """
    return rescore_all(record)[0]


def rescore_all(record: Record | str | Path) -> tuple[Scores, Scores]:
    """Compute a record's scores and its robustness again; arguments and errors as in `rescore`."""
    if not isinstance(record, Record):
        record = load_record(record)
    if record.content["answers"] is None:
        return {}, {}
    return score(*load_answers(record), record.content["seed"])


def load_answers(record: Record) -> tuple[dict[str, Answers], dict[str, GroundTruth]]:
    """Return the answers by task that a record's scores are computed from, and labels by protocol.

    Raises
    ------
    IntegrityError, FormatError
        As `rescore` does.
    """
    pointer = record.content["answers"]
    if not _ANSWERS_NAME.fullmatch(pointer["file"]):
        raise IntegrityError(
            f"{record.path}: answers.file: got {pointer['file']!r:.60}, expected the name of a file"
            " beside the record, such as euclidean-0123456789ab.npz"
        )
    path = record.path.parent / pointer["file"]
    try:
        _refuse_large(path, _MAX_ANSWERS_BYTES)
        data = path.read_bytes()
    except OSError as error:
        raise IntegrityError(f"{path}: answers of {record.path.name}: {error.strerror}") from None
    except ValueError as error:
        raise FormatError(f"{path}: not a method's answers: {error}") from None
    if hashlib.sha256(data).hexdigest() != pointer["sha256"]:
        raise IntegrityError(f"{path}: not the answers that {record.path.name} was written with")
    try:
        answers, truths = unpack_answers(data)
        for task, arrays in answers.items():
            _refuse_wide(task, arrays)
    except ValueError as error:
        raise FormatError(f"{path}: not a method's answers: {error}") from None
    return answers, truths


def _digest(content: Mapping[str, Any]) -> str:
    claims = {key: content[key] for key in KEYS if key not in _UNCLAIMED}
    text = json.dumps(claims, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _refuse_large(path: Path, most: int) -> None:
    size = path.stat().st_size
    if size > most:
        raise ValueError(f"{size:,} bytes, and at most {most:,} are allowed")


def _refuse_wide(task: str, arrays: Answers) -> None:
    """Refuse row numbers of 64 bits: the largest would pass for negative ones."""
    for name, array in arrays.items():
        if array.dtype.kind == "u" and array.dtype.itemsize > 4:
            raise ValueError(f"{task}/{name}: got {array.dtype}, expected uint32 or smaller")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not strict JSON")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("an object has a key twice")
    return content


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond what a float holds")
    return number


def _scores_to_json(scores: Scores) -> dict[str, Any]:
    return {
        task: {name: asdict(value) for name, value in by_name.items()}
        for task, by_name in scores.items()
    }


def _scores_from_json(scores: Mapping[str, Any]) -> Scores:
    return {
        task: {name: _score_from_json(value) for name, value in by_name.items()}
        for task, by_name in scores.items()
    }


def _score_from_json(value: Mapping[str, Any]) -> Score:
    interval = value["interval"]
    return Score(value["value"], None if interval is None else (interval[0], interval[1]))
