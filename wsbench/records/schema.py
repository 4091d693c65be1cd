"""Schema of records: keys, types, bounds, and texts that a table or page can show.

Anybody can write a record. Every number has an upper bound, and every text except a traceback is
one short printable line.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from wsbench.errors import MethodError
from wsbench.evaluation.cost import Cost, Seconds
from wsbench.methods.protocol import INVARIANCES, LONGEST_URL, MethodInfo, is_url
from wsbench.networks.checkpoints import NEEDS
from wsbench.records.environment import Environment
from wsbench.storage.strict_json import shown
from wsbench.tasks.catalogue import TASKS
from wsbench.tasks.condition import parse_entry
from wsbench.tasks.score import Score

FORMAT: Literal[2] = 2

LONGEST = {"version": 50, "description": 200, "spec": 1000}
_LONGEST_PARAMETERS = 4000
_LONGEST_TEXT = 1000
_MOST_NAMED = 3  # of the faults, in a message
_SUM_OF_ROUNDING = 1e-9  # by which the end of an interval may pass the range of its score

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Share = Annotated[float, Meta(ge=0, le=1)]
Version = Annotated[int, Meta(ge=0, le=1_000_000)]
Scores = dict[str, dict[str, Score]]


class MethodEntry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The method: its description, and its measured invariances.

    ``parameters`` holds all constructor arguments that JSON can hold, ``settings`` the names of
    those that are not at their defaults. ``code_sha256`` is the hash of the file that defines it.
    Addresses are left out where there are none, so that the digest of a record without them stays.
    """

    name: Annotated[str, Meta(max_length=100)]
    version: Annotated[str, Meta(max_length=LONGEST["version"])]
    description: Annotated[str, Meta(max_length=LONGEST["description"])]
    parameters: dict[str, Any]
    settings: list[str]
    invariances: list[str]
    measured_invariances: list[str]
    needs: list[str]
    spec: Annotated[str, Meta(max_length=LONGEST["spec"])]
    code_sha256: Sha256
    code_url: str = ""
    paper_url: str = ""


class ZooEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """The zoo: its id and its identity."""

    id: Annotated[str, Meta(max_length=100)]
    content_digest: str


class SuiteEntry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The suite: its name, its version, and what these mean.

    ``tracks`` maps each track to its conditions, ``overall`` names the tasks of the overall score;
    both are empty in a suite without tracks.
    """

    name: str
    version: Version
    tasks: list[str]
    perturbations: list[str]
    tracks: dict[str, list[list[str]]] = {}
    overall: list[str] = []


class AnswersFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of answers beside the record."""

    file: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\.npz$", max_length=150)]
    sha256: Sha256
    bytes: Annotated[int, Meta(ge=1, le=2**40)]


class RecordContent(
    Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """One evaluation. What is at its default is left out, so that older records keep their digest.

    ``versions`` holds the versions of the code that computed the scores, by task; ``scores`` maps
    entry and score name to score, ``robustness`` task and kind, ``tracks`` task or ``overall`` and
    track; ``fit_on`` is the zoo whose train models the method was fitted on, if it is another one;
    ``fresh_text`` is the text that a fresh zoo follows from; ``accuracy`` maps perturbation to the
    accuracy of the networks; ``is_transductive`` says whether a distance depends on other
    checkpoints than its two; ``error`` is the traceback of a method that failed.
    """

    format: Literal[2]
    method: MethodEntry
    zoo: ZooEntry
    fit_on: ZooEntry | None = None
    fresh_text: str = ""
    suite: SuiteEntry
    seed: Annotated[int, Meta(ge=-(2**63) + 1, le=2**63 - 1)]
    versions: dict[str, Version]
    scores: Scores
    robustness: Scores
    tracks: Scores = {}
    is_transductive: bool = False
    accuracy: dict[str, Share]
    error: str | None
    seconds: dict[str, Seconds]
    cost: Cost | None
    environment: Environment
    answers: AnswersFile | None


def faults(content: RecordContent) -> list[str]:
    """Return what is wrong with a typed record beyond its types, at most a message's worth."""
    found = [*_method_faults(content.method), *_score_faults(content.scores)]
    plain = msgspec.to_builtins(content)
    for part in sorted(set(plain) - {"error"}):
        found += _text_faults(part, plain[part])
    if found[_MOST_NAMED:]:
        found = [*found[:_MOST_NAMED], f"and {len(found) - _MOST_NAMED} more"]
    return found


def one_line(key: str, text: object) -> str:
    """Return a method's version or description as a record may hold it: one line, not too long."""
    words = " ".join(str(text).split())
    return "".join(character for character in words if character.isprintable())[: LONGEST[key]]


def _method_faults(method: MethodEntry) -> Iterator[str]:
    try:
        MethodInfo(method.name)
    except MethodError:
        yield f"method.name: got {shown(method.name)}, expected lower-case words joined by hyphens"
    for key, allowed in (
        ("invariances", INVARIANCES), ("measured_invariances", INVARIANCES), ("needs", NEEDS)
    ):  # fmt: skip
        if wrong := sorted(set(getattr(method, key)) - set(allowed)):
            yield f"method.{key}: got {shown(wrong)}, allowed are {', '.join(allowed)}"
    for key in ("code_url", "paper_url"):
        if not is_url(url := getattr(method, key)):
            yield (
                f"method.{key}: got {shown(url)}, expected https://… of at most {LONGEST_URL}"
                " characters"
            )
    for name in method.parameters:
        if not name.isidentifier():
            yield f"method.parameters: got the name {shown(name)}, expected a Python identifier"
    for name in method.settings:
        if name not in method.parameters:
            yield f"method.settings: got {shown(name)}, expected one of the parameters"
    size = len(json.dumps(method.parameters))
    if size > _LONGEST_PARAMETERS:
        yield f"method.parameters: {size} characters, at most {_LONGEST_PARAMETERS} are allowed"


def _score_faults(scores: Scores) -> Iterator[str]:
    """Yield scores that no answers can give: of unknown entries, or outside their range."""
    for entry, by_name in scores.items():
        try:
            task, _ = parse_entry(entry)
            specs = {spec.name: spec for spec in TASKS[task].SCORES}
        except (KeyError, ValueError):
            yield f"scores: got the entry {shown(entry)}, known tasks are {', '.join(TASKS)}"
            continue
        for name, score in by_name.items():
            if name not in specs:
                yield f"scores.{entry}: got the score {shown(name)}, known are {', '.join(specs)}"
                continue
            low, high = specs[name].range
            for value in (score.value, *(score.interval or ())):
                if value is not None and not (
                    low - _SUM_OF_ROUNDING <= value <= high + _SUM_OF_ROUNDING
                ):
                    yield f"scores.{entry}.{name}: got {value}, allowed is [{low:g}, {high:g}]"
                    break


def _text_faults(where: str, value: Any) -> Iterator[str]:
    """Yield where a text is not of one line, printable and short."""
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            yield f"{where}: {len(value)} characters, at most {_LONGEST_TEXT} are allowed"
        elif not value.isprintable():
            yield f"{where}: got {shown(value)}, expected one line without control characters"
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _text_faults(f"{where}, a key", key)
            key = key if key.isprintable() and len(key) <= 60 else shown(key)
            yield from _text_faults(f"{where}.{key}", item)
    elif isinstance(value, list):
        for item in value:
            yield from _text_faults(where, item)
