"""Records: one JSON file for each evaluation, and the answers its scores are computed from.

A record is named after the sha256 of its claims: everything except time, cost and environment,
which cannot be recomputed. The same method evaluated again replaces its own record. It holds the
sha256 of its answers, so a change of either is noticed.
"""

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from wsbench.errors import FormatError, IntegrityError, UnknownIdError
from wsbench.evaluation.evaluate import Evaluation
from wsbench.evaluation.suite import SUITES, Suite
from wsbench.methods.protocol import assignments, label_of, shell_arguments
from wsbench.records import format_1
from wsbench.records.answers import pack_answers
from wsbench.records.environment import Environment, environment
from wsbench.records.portable import portable_spec, portable_traceback
from wsbench.records.schema import (
    FORMAT,
    AnswersFile,
    MethodEntry,
    RecordContent,
    SuiteEntry,
    ZooEntry,
    faults,
    one_line,
)
from wsbench.storage import strict_json
from wsbench.storage.atomic import atomic_write
from wsbench.suggestions import unknown_name_error
from wsbench.tasks.scoring import Scores, task_versions
from wsbench.zoo.cache import home

_UNCLAIMED = ("seconds", "cost", "environment")
_ERROR_KEPT = 20_000  # characters of a traceback, the last ones
_MAX_RECORD_BYTES = 1_000_000


@dataclass(frozen=True)
class Record:
    """One evaluation, as it is on disk.

    Attributes
    ----------
    path
        The JSON file.
    content
        What is in it, in the shape of the current format.
    is_upgraded
        Whether the file is of an older format, and was read as the current one.
    """

    path: Path
    content: RecordContent
    is_upgraded: bool = False

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.content.method.name

    @property
    def zoo(self) -> str:
        """Id of the zoo."""
        return self.content.zoo.id

    @property
    def scores(self) -> Scores:
        """Entry to score name to score, as recorded."""
        return self.content.scores

    @property
    def robustness(self) -> Scores:
        """Task to ``"compression"`` and ``"symmetry"`` to score, as recorded."""
        return self.content.robustness

    @property
    def tracks(self) -> Scores:
        """Task, or ``"overall"``, to track to score, as recorded."""
        return self.content.tracks

    @property
    def is_stale(self) -> bool:
        """Whether another version of a task computed the scores."""
        try:
            return self.content.versions != task_versions(tuple(self.content.suite.tasks))
        except KeyError:  # a task that this version of wsbench does not know
            return True

    @property
    def label(self) -> str:
        """Name of the method, and its settings."""
        method = self.content.method
        return label_of(method.name, method.parameters, method.settings)

    @property
    def assignments(self) -> list[str]:
        """All parameters as ``--set`` takes them, by name: ``["k=50"]``."""
        parameters = self.content.method.parameters
        return assignments(parameters, sorted(parameters))

    @property
    def command(self) -> str:
        """The command that evaluates the same again, with the same number of threads.

        The last bit of ``svd-k`` depends on it, which can swap two neighbours. One thread is
        the default.
        """
        method, suite = self.content.method, self.content.suite
        machine = self.content.environment
        threads = _threads(machine)
        asked = [f"--suite {suite.name}"]
        if suite.name not in SUITES:
            asked = [f"--task {task}" for task in suite.tasks]
            asked += [f"--perturb {perturbation}" for perturbation in suite.perturbations]
        zoo, fit_on, text = self.zoo, self.content.fit_on, self.content.fresh_text
        where = [f"--zoo {shlex.quote(zoo)}"]
        if text and fit_on:
            where = [f"--zoo {shlex.quote(fit_on.id)}", f"--fresh {shlex.quote(text)}"]
        elif fit_on:
            where += [f"--fit-on {shlex.quote(fit_on.id)}"]
        return " ".join(
            (
                "wsbench evaluate",
                shell_arguments(method.spec, method.parameters, method.settings),
                *where,
                *asked,
                *([] if text else [f"--seed {self.content.seed}"]),
                *([f"--threads {threads}"] if threads != 1 else []),
            )
        )


def _threads(machine: Environment) -> int:
    """Return the number of threads of each library, by a variable where none was recorded."""
    variable = machine.variables.get("OPENBLAS_NUM_THREADS", "")
    is_number = variable.isdecimal() and 0 < int(variable[:5]) < 10_000
    usual = int(variable) if is_number else machine.n_cpus
    return max((pool.threads for pool in machine.thread_pools), default=usual)


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
    method, info, suite = evaluation.method, evaluation.method.info, evaluation.suite
    answers = None
    if not evaluation.error:
        data = pack_answers(evaluation.answers, evaluation.truths)
        sha256 = hashlib.sha256(data).hexdigest()
        answers = AnswersFile(f"{info.name}-{sha256[:12]}.npz", sha256, len(data))
        with atomic_write(folder / answers.file) as temporary:
            temporary.write_bytes(data)
    error = evaluation.error and portable_traceback(evaluation.error)[-_ERROR_KEPT:]
    content = RecordContent(
        format=FORMAT,
        method=MethodEntry(
            name=info.name,
            version=one_line("version", info.version),
            description=one_line("description", info.description),
            parameters=dict(method.parameters),
            settings=list(method.settings),
            invariances=sorted(info.invariances),
            measured_invariances=list(evaluation.invariances),
            needs=sorted(info.needs),
            spec=portable_spec(method.spec),
            code_sha256=method.code_sha256,
            code_url=info.code_url,
            paper_url=info.paper_url,
        ),
        zoo=ZooEntry(evaluation.zoo_id, evaluation.zoo_digest),
        fit_on=ZooEntry(*evaluation.fit_on) if evaluation.fit_on else None,
        fresh_text=evaluation.fresh_text,
        suite=suite_entry(suite),
        seed=evaluation.seed,
        versions=task_versions(suite.tasks),
        scores=evaluation.scores,
        robustness=evaluation.robustness,
        tracks=evaluation.tracks,
        is_transductive=evaluation.is_transductive,
        accuracy=evaluation.accuracy,
        error=error,
        seconds=evaluation.seconds,
        cost=evaluation.cost,
        environment=environment(evaluation.threads),
        answers=answers,
    )
    return write_record(content, folder)


def suite_entry(suite: Suite) -> SuiteEntry:
    """Return a suite as a record holds it."""
    tracks = suite.tracks
    return SuiteEntry(
        suite.name,
        suite.version,
        list(suite.tasks),
        list(suite.perturbations),
        {track: [list(one) for one in found] for track, found in tracks.conditions.items()},
        list(tracks.tasks),
    )


def write_record(content: RecordContent, folder: Path) -> Record:
    """Write a record's JSON to a folder, under the name that its claims give it.

    Raises
    ------
    FormatError
        If it could not be read again.
    StorageError
        If it cannot be written.
    """
    path = folder / f"{content.method.name}-{_digest(content)[:12]}.json"
    text = strict_json.write(content)
    content = _typed(path, strict_json.parse(text))
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Record(path, content)


def load_record(path: str | Path) -> Record:
    """Read a record and check that it is one, and that it is unchanged.

    Raises
    ------
    UnknownIdError
        If there is no such file.
    FormatError
        If it is not strict JSON with the keys of a record, or of an unknown format version.
    IntegrityError
        If its content is not what its name says.
    """
    path = Path(path)
    try:
        refuse_large(path, _MAX_RECORD_BYTES)
        value = strict_json.parse(path.read_bytes())
    except FileNotFoundError:
        raise UnknownIdError(f"no record {path}") from None
    except (OSError, ValueError) as error:
        raise FormatError(f"{path}: not a record: {error}") from None
    version = value.get("format") if isinstance(value, dict) else None
    is_upgraded = type(version) is int and version == format_1.FORMAT
    if is_upgraded:
        try:
            upgraded = format_1.upgrade(value)
        except ValueError as error:
            raise FormatError(f"{path}: {error}") from None
        content, digest = _typed(path, upgraded), format_1.digest(value)
    else:
        content = _typed(path, value)
        digest = _digest(content)
    if not path.stem.endswith(f"-{digest[:12]}"):
        raise IntegrityError(
            f"{path}: changed since it was written: its content has the digest {digest[:12]}…;"
            " evaluate the method again"
        )
    return Record(path, content, is_upgraded)


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


def _typed(path: Path, value: Any) -> RecordContent:
    version = value.get("format") if isinstance(value, dict) else None
    if type(version) is not int:
        raise FormatError(f"{path}: not a record: it has no format number")
    if version != FORMAT:
        raise FormatError(
            f"{path}: format {strict_json.shown(version)}, and this version of wsbench reads"
            f" {format_1.FORMAT} and {FORMAT}"
        )
    try:
        content = strict_json.typed(value, RecordContent)
    except ValueError as error:
        raise FormatError(f"{path}: {error}") from None
    if wrong := faults(content):
        raise FormatError(f"{path}: {'; '.join(wrong)}", wrong)
    return content


def _digest(content: RecordContent) -> str:
    plain = msgspec.to_builtins(content)
    claims = {key: value for key, value in plain.items() if key not in _UNCLAIMED}
    return hashlib.sha256(strict_json.write(claims).encode()).hexdigest()


def refuse_large(path: Path, most: int) -> None:
    """Raise `ValueError` if a file is larger than allowed."""
    size = path.stat().st_size
    if size > most:
        raise ValueError(f"{size:,} bytes, and at most {most:,} are allowed")
