"""Check of one record against the rules of the leaderboard.

The scores must follow from the answers, and the answers must belong to a published suite and to the
test models of a published zoo. The labels of these models follow from the zoo's id and counts, so
the check reads no zoo and easier models are refused.
"""

import json
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import wsbench
from wsbench.storage.npz import unpack
from wsbench_leaderboard.board.collect import RescoredRecord, rescore_record
from wsbench_leaderboard.season.season import Seasons

MAX_ANSWERS_BYTES = 1_000_000  # `standard` on 50 models, 50 epochs: 0.4 MB, unpacked 0.6
_MAX_UNPACKED_BYTES = 8_000_000


def check_record(path: Path, seasons: Seasons | None = None) -> RescoredRecord:
    """Return a record with its recomputed scores, or refuse it.

    Parameters
    ----------
    path
        The record.
    seasons
        Of the board; without them, a record on fresh models is refused.

    Raises
    ------
    UnknownIdError
        If there is no such file.
    FormatError, IntegrityError
        If the record breaks a rule; the message names the fault, the rule and the remedy.
    """
    _expect_plain_file(path)
    record = wsbench.load_record(path)
    if faults := [*_zoo_faults(record, seasons or Seasons()), *_claim_faults(record)]:
        raise wsbench.FormatError(f"{path}: {'; '.join(faults)}", faults)
    _check_answers(record)
    rescored = rescore_record(record)
    perturbations = {wsbench.parse_entry(entry)[1].perturbation for entry in rescored.scores}
    if fault := _accuracy_fault(record, perturbations):
        raise wsbench.FormatError(f"{path}: {fault}")
    return rescored


def expected_entries(zoo_id: str, suite: wsbench.Suite) -> list[set[str]]:
    """Return the entries of a suite for a published zoo.

    Some perturbations need an activation that allows them. The recipe names the activation; for a
    recipe without one, both sets of entries are returned.
    """
    recipe = tomllib.loads(wsbench.provider_of(zoo_id).recipe_text(zoo_id))
    activation = recipe.get("architecture", {}).get("activation")
    possible = []
    for name in ("relu", "sigmoid") if activation is None else (activation,):
        layout = wsbench.Layout.of([("weight", (1, 1), ("output", "input"))], name)
        entries = set(suite.entries(layout))
        possible += [entries] if entries not in possible else []
    return possible


def _expect_plain_file(path: Path) -> None:
    """Refuse links, folders and devices: their content lies elsewhere."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        raise wsbench.UnknownIdError(f"{path}: no such file") from None
    except OSError as error:
        raise wsbench.FormatError(f"{path}: cannot be read: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        kind = "a symbolic link" if stat.S_ISLNK(mode) else "not a regular file"
        raise wsbench.FormatError(f"{path}: {kind}; replace it with the file itself")


def _claim_faults(record: wsbench.Record) -> Iterator[str]:
    """Yield the faults of a record's claims, before any score is computed."""
    content = record.content
    if record.is_upgraded:
        yield "older format, of an older suite; evaluate again"
    if record.path.stem.rpartition("-")[0] != record.method:
        yield f"the file name must begin with the method's name, {record.method}-…; rename it"
    suite = wsbench.SUITES.get(content.suite.name)
    if suite is None or content.suite != wsbench.suite_entry(suite):
        known = ", ".join(known.describe() for known in wsbench.SUITES.values())
        name = f"{content.suite.name:.30} {content.suite.version}"
        yield (
            f"suite: got {name!r} with its own tasks and perturbations, known are {known};"
            " evaluate with --suite standard"
        )
    if content.error is not None or content.answers is None:
        yield "the method failed or has no answers; evaluate it again"
    elif content.answers.file != f"{record.method}-{content.answers.sha256[:12]}.npz":
        expected = f"{record.method}-{content.answers.sha256[:12]}.npz"
        yield f"answers.file: got {content.answers.file!r:.80}, expected {expected}"
    yield from _text_faults(record)


def _zoo_faults(record: wsbench.Record, seasons: Seasons) -> Iterator[str]:
    """Yield the faults of the zoo: a published one, or the fresh one of a season."""
    content, published = record.content, wsbench.published_zoos()
    zoo, key = content.zoo, "zoo"
    if content.fit_on is not None:
        if record.zoo not in seasons.fresh_zoos:
            known = ", ".join(seasons.fresh_zoos) or "none"
            yield (
                f"zoo.id: got {record.zoo!r:.60}, fitted on another zoo; fresh zoos of seasons are"
                f" {known}; evaluate on a published zoo"
            )
            return
        season, source = seasons.fresh_zoos[record.zoo]
        expected = {
            "zoo.content_digest": (zoo.content_digest, season.zoos[source].content_digest),
            "fresh_text": (content.fresh_text, season.beacon),
            "seed": (content.seed, wsbench.fresh_seed(source, season.suite, season.beacon)),
            "fit_on.id": (content.fit_on.id, source),
            "suite": (f"{content.suite.name} {content.suite.version}", season.suite),
        }
        for name, (found, wanted) in expected.items():
            if found != wanted:
                yield (
                    f"{name}: got {found!r:.60}, season {season.name} has {wanted!r:.60}; evaluate"
                    " with its beacon"
                )
        zoo, key = content.fit_on, "fit_on"
    if zoo.id not in published:
        yield (
            f"{key}.id: got {zoo.id!r:.60}, published are {', '.join(sorted(published))};"
            " evaluate on a published zoo"
        )
    elif zoo.content_digest != published[zoo.id].content_digest:
        yield (
            f"{key}.content_digest: got {zoo.content_digest!r:.30}, published is"
            f" {published[zoo.id].content_digest:.19}…; evaluate on the published zoo"
        )


def _source(record: wsbench.Record) -> str:
    """Return the id of the published zoo, also of a record on fresh models."""
    return record.content.fit_on.id if record.content.fit_on else record.zoo


def _text_faults(record: wsbench.Record) -> Iterator[str]:
    """Yield texts with markup: pages show them."""
    for key in ("version", "description", "spec", "parameters"):
        text = json.dumps(getattr(record.content.method, key), ensure_ascii=False)
        if "<" in text or ">" in text:
            yield f"method.{key}: got {text!a:.80}, expected a text without < and >; change it"


def _check_answers(record: wsbench.Record) -> None:
    """Raise if the answers are too large, or of another suite or zoo."""
    pointer = record.content.answers
    assert pointer is not None  # _claim_faults refuses a record without answers
    path = record.path.with_name(pointer.file)
    try:
        _expect_plain_file(path)
    except wsbench.UnknownIdError:
        raise wsbench.IntegrityError(
            f"{record.path}: answers.file: {path.name} is missing; add it"
        ) from None
    size = path.stat().st_size
    if size > MAX_ANSWERS_BYTES:
        raise wsbench.FormatError(
            f"{path}: {size:,} bytes, at most {MAX_ANSWERS_BYTES:,} are allowed; evaluate with"
            " --suite standard"
        )
    if size != pointer.bytes:
        raise wsbench.IntegrityError(
            f"{path}: got {size:,} bytes, {record.path.name} expects {pointer.bytes:,};"
            " copy both again"
        )
    try:
        arrays = unpack(path.read_bytes(), _MAX_UNPACKED_BYTES)
    except ValueError as error:
        raise wsbench.FormatError(f"{path}: not a method's answers: {error}") from None
    if fault := _label_fault(record, arrays) or _entry_fault(record, arrays):
        raise wsbench.FormatError(f"{path}: {fault}")


def _label_fault(record: wsbench.Record, arrays: dict[str, Any]) -> str:
    """Return the fault of the labels in the answers, which must be the published zoo's."""
    zoo = wsbench.published_zoos()[_source(record)]
    suite, is_fresh = wsbench.SUITES[record.content.suite.name], bool(record.content.fresh_text)
    truths = {
        protocol: wsbench.published_truth(zoo, protocol, is_fresh=is_fresh)
        for protocol in suite.protocols
    }
    expected = {
        f"labels/{protocol}/{name}": getattr(truth, name)
        for protocol, truth in truths.items()
        for name in ("model", "epoch", "gallery")
    }
    if {name for name in arrays if name.startswith("labels/")} != set(expected):
        return f"expected exactly the labels {', '.join(expected)}; evaluate again"
    for name, labels in expected.items():
        if not np.array_equal(arrays[name], labels):
            return (
                f"{name} differ from the test models of {record.zoo}, epochs 1 to"
                f" {zoo.checkpoints // zoo.models - 1}; evaluate on the published zoo"
            )
    return ""


def _entry_fault(record: wsbench.Record, arrays: dict[str, Any]) -> str:
    """Return the fault of the entries, which must be exactly those of the suite."""
    suite = wsbench.SUITES[record.content.suite.name]
    possible = expected_entries(_source(record), suite)
    entries = {name.rpartition("/")[0] for name in arrays if not name.startswith("labels/")}
    if entries in possible:
        return ""
    wrong = min((entries ^ expected for expected in possible), key=len)
    some = ", ".join(f"{name:.60}" for name in sorted(wrong)[:3])
    return (
        f"got {len(entries)} entries, suite {suite.describe()} has {len(possible[0])} on"
        f" {record.zoo}: missing or unknown are {some}{', …' if len(wrong) > 3 else ''}; evaluate"
        " the whole suite"
    )


def _accuracy_fault(record: wsbench.Record, perturbations: set[str]) -> str:
    """Return the fault of the accuracies; without training data a record has none."""
    kinds = {wsbench.PERTURBATIONS[name] for name in perturbations}
    expected = perturbations if "compression" in kinds else set()
    accuracy = record.content.accuracy
    if accuracy and set(accuracy) != expected:
        allowed = ", ".join(sorted(expected)) or "none"
        return f"accuracy: expected a number in [0, 1] for each of {allowed:.200}; evaluate again"
    return ""
