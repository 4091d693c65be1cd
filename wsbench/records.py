"""Records: one JSON file for each evaluation, and the answers its scores are computed from.

A record is named after the sha256 of what it claims: all but the time it took and the machine it
ran on, which nobody can check. The same method evaluated again replaces its own record. It holds
the sha256 of its answers, so that neither can be changed unnoticed, and is strict JSON: no NaN.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wsbench.environment import environment
from wsbench.errors import FormatError, IntegrityError, UnknownIdError
from wsbench.evaluate import Evaluation, score
from wsbench.files import written_whole
from wsbench.npz import pack, unpack
from wsbench.store import home
from wsbench.tasks import Answers, Score, check_answers, evaluator_digest

FORMAT = 1

# Every key of a record and the type of its value; a dict stands for an object with these keys.
_KEYS: Mapping[str, Any] = {
    "format": int,
    "method": {
        "name": str,
        "version": str,
        "description": str,
        "parameters": dict,
        "invariances": list,
        "measured_invariances": list,
        "needs": list,
        "spec": str,
        "code_sha256": str,
    },
    "zoo": {"id": str, "content_digest": str},
    "protocol": str,
    "seed": int,
    "evaluator": str,
    "tasks": dict,
    "error": str | None,
    "seconds": dict,
    "environment": dict,
    "answers": dict | None,
}
_ANSWERS_KEYS = {"file": str, "sha256": str, "bytes": int}
_SCORE_KEYS = {"value": float | None, "interval": list | None}


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
        data = pack(evaluation.answers)
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
            "parameters": dict(evaluation.method.parameters),
            "invariances": sorted(info.invariances),
            "measured_invariances": list(evaluation.invariances),
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
    return Record(path, json.loads(text))


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
        content = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except FileNotFoundError:
        raise UnknownIdError(f"no record {path}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not a record: {error}") from None
    _check(path, content)
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
    FormatError
        If they are not such as a method can give.

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
    path = record.path.parent / Path(pointer["file"]).name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise IntegrityError(f"{path}: answers of {record.path.name}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != pointer["sha256"]:
        raise IntegrityError(f"{path}: not the answers that {record.path.name} was written with")
    try:
        answers = unpack(data)
        check_answers(answers)
    except ValueError as error:
        raise FormatError(f"{path}: not a method's answers: {error}") from None
    return answers


def _digest(content: Mapping[str, Any]) -> str:
    claims = {key: content[key] for key in _KEYS if key not in ("seconds", "environment")}
    text = json.dumps(claims, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _check(path: Path, content: object) -> None:
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise FormatError(f"{path}: not a record: it has no format number")
    if content["format"] != FORMAT:
        raise FormatError(
            f"{path}: format {content['format']}, and this version of wsbench reads {FORMAT}"
        )
    faults = list(_faults("", content, _KEYS))
    if not faults:
        if content["answers"] is not None:
            faults += _faults("answers", content["answers"], _ANSWERS_KEYS)
        for task, scores in content["tasks"].items():
            faults += _score_faults(f"tasks.{task}", scores)
    if faults:
        raise FormatError(f"{path}: {'; '.join(faults)}", faults)


def _faults(where: str, value: Any, kind: Any) -> Iterator[str]:
    """Yield what is wrong with a value of a type, or with an object of keys."""
    if not isinstance(kind, dict):
        if not isinstance(value, kind):
            name = getattr(kind, "__name__", kind)
            yield f"{where}: got {value!r:.40}, expected {name}"
    elif not isinstance(value, dict):
        yield f"{where}: got {value!r:.40}, expected an object"
    elif set(value) != set(kind):
        wrong = [f"{where}.{key}".strip(".") for key in sorted(set(value) ^ set(kind))]
        yield f"missing or unknown: {', '.join(wrong)}"
    else:
        for key, of in kind.items():
            yield from _faults(f"{where}.{key}".strip("."), value[key], of)


def _score_faults(where: str, scores: Any) -> Iterator[str]:
    if not isinstance(scores, dict):
        yield f"{where}: got {scores!r:.40}, expected an object"
        return
    faults = list(_faults(where, scores, dict.fromkeys(scores, _SCORE_KEYS)))
    yield from faults
    for name, entry in scores.items() if not faults else ():
        interval = entry["interval"]
        if interval is not None and [type(end) for end in interval] != [float, float]:
            yield f"{where}.{name}.interval: got {interval!r:.40}, expected two numbers"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not strict JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond what a float holds")
    return number


def _score_from_json(value: Mapping[str, Any]) -> Score:
    interval = value["interval"]
    return Score(value["value"], None if interval is None else (interval[0], interval[1]))
