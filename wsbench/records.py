"""Records: one JSON file for each evaluation, and the answers its scores are computed from.

A record is named after the sha256 of what it claims: all but the time it took and the machine it
ran on, which nobody can check. The same method evaluated again replaces its own record. It holds
the sha256 of its answers, so that neither can be changed unnoticed, and is strict JSON: no NaN.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from wsbench.environment import environment
from wsbench.errors import FormatError, IntegrityError, UnknownIdError
from wsbench.evaluate import Evaluation, score
from wsbench.files import written_whole
from wsbench.store import home
from wsbench.tasks import Answers, Score, evaluator_digest

FORMAT = 1
_KEYS = {
    "format": int,
    "method": dict,
    "zoo": dict,
    "protocol": str,
    "seed": int,
    "evaluator": str,
    "tasks": dict,
    "error": str | None,
    "seconds": dict,
    "environment": dict,
    "answers": dict | None,
}


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
    def scores(self) -> dict[str, dict[str, Score]]:
        """Task to score name to score, as recorded."""
        return {
            task: {name: _score_from_json(value) for name, value in scores.items()}
            for task, scores in self.content["tasks"].items()
        }


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
    """
    folder = (folder or home() / "records") / evaluation.zoo_id
    info = evaluation.method.info
    answers = None
    if not evaluation.error:
        data = _packed(evaluation.answers)
        sha256 = hashlib.sha256(data).hexdigest()
        answers = {"file": f"{info.name}-{sha256[:12]}.npz", "sha256": sha256, "bytes": len(data)}
        with written_whole(folder / str(answers["file"])) as temporary:
            temporary.write_bytes(data)
    content = {
        "format": FORMAT,
        "method": {
            "name": info.name,
            "version": info.version,
            "description": info.description,
            "invariances": sorted(info.invariances),
            "needs": sorted(info.needs),
            "spec": evaluation.method.spec,
            "code_sha256": evaluation.method.code_sha256,
        },
        "zoo": {"id": evaluation.zoo_id, "content_digest": evaluation.zoo_digest},
        "protocol": "standard",
        "seed": evaluation.seed,
        "evaluator": evaluator_digest(),
        "tasks": {
            task: {name: asdict(value) for name, value in scores.items()}
            for task, scores in evaluation.scores.items()
        },
        "error": evaluation.error,
        "seconds": evaluation.seconds,
        "environment": environment(),
        "answers": answers,
    }
    path = folder / f"{info.name}-{_digest(content)[:12]}.json"
    with written_whole(path) as temporary:
        text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False)
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
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_constant=_refuse_constant)
    except FileNotFoundError:
        raise UnknownIdError(f"no record {path}") from None
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: not a record: {error}") from None
    _check_keys(path, content)
    digest = _digest(content)[:12]
    if not path.stem.endswith(f"-{digest}"):
        raise IntegrityError(
            f"{path}: changed since it was written: its content has the digest {digest}…;"
            " evaluate the method again"
        )
    return Record(path, content)


def rescore(record: Record | str | Path) -> dict[str, dict[str, Score]]:
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

    Examples
    --------
    >>> record = save_record(evaluate("euclidean"))  # doctest: +SKIP
    >>> rescore(record) == record.scores  # doctest: +SKIP
    True
    """
    if not isinstance(record, Record):
        record = load_record(record)
    if record.content["answers"] is None:
        return {}
    return score(load_answers(record), record.content["seed"])


def load_answers(record: Record) -> Answers:
    """Return the arrays a record's scores are computed from; raise `IntegrityError` if changed."""
    pointer = record.content["answers"]
    path = record.path.with_name(Path(pointer["file"]).name)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IntegrityError(f"{path}: answers of {record.path.name}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != pointer["sha256"]:
        raise IntegrityError(f"{path}: not the answers that {record.path.name} was written with")
    try:
        with np.load(BytesIO(data), allow_pickle=False) as content:
            return dict(content)
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise FormatError(f"{path}: not a file of answers: {error}") from None


def _digest(content: Mapping[str, Any]) -> str:
    claims = {key: content[key] for key in _KEYS if key not in ("seconds", "environment")}
    text = json.dumps(claims, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _packed(answers: Answers) -> bytes:
    buffer = BytesIO()
    np.savez_compressed(buffer, **answers)  # type: ignore[arg-type]
    return buffer.getvalue()


def _check_keys(path: Path, content: object) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise FormatError(f"{path}: not a record: it has no format number")
    if content["format"] != FORMAT:
        raise FormatError(
            f"{path}: format {content['format']}, and this version of wsbench reads {FORMAT}"
        )
    if set(content) != set(_KEYS):
        wrong = sorted(set(content) ^ set(_KEYS))
        raise FormatError(f"{path}: keys missing or unknown: {', '.join(wrong)}")
    for key, kind in _KEYS.items():
        if not isinstance(content[key], kind):
            raise FormatError(f"{path}: {key}: got {content[key]!r:.40}, expected {kind}")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not strict JSON")


def _score_from_json(value: Mapping[str, Any]) -> Score:
    interval = value["interval"]
    return Score(value["value"], None if interval is None else (interval[0], interval[1]))
