"""Restamping: a record gets the current format and versions if its scores may be what they are.

Scores are recomputed from the stored answers. Where they agree, the record is written anew with the
current versions and the method's defaults. Where one differs, the version of its task must have
been raised, and CHANGELOG.md must name both.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

import wsbench
from wsbench.records.record import load_answers, write_record
from wsbench.records.schema import MethodEntry
from wsbench.tasks.condition import parse_entry
from wsbench.tasks.scoring import score, versions
from wsbench_leaderboard.board.collect import Difference, differences


@dataclass(frozen=True)
class Restamped:
    """A record before and after; both are the same file if nothing had to change.

    Attributes
    ----------
    before, after
        Paths.
    n_changed
        Number of scores that are not what they were.
    """

    before: Path
    after: Path
    n_changed: int


def restamp(path: Path, changelog: str) -> Restamped:
    """Write a record anew in the place of the old one; its answers stay as they are.

    Parameters
    ----------
    path
        The record.
    changelog
        The text of CHANGELOG.md. A changed score must be named there, as in ``ordering, version
        2``.

    Raises
    ------
    UnknownIdError, FormatError
        As `wsbench.load_record` raises them.
    IntegrityError
        If the record or its answers are damaged, or a score differs whose version did not change.
    """
    record = wsbench.load_record(path)
    content = record.content
    scores, robustness = score(*load_answers(record), content.seed)
    current = versions(tuple(content.suite.tasks))
    recorded = {"scores": record.scores, "robustness": record.robustness}
    changed = list(differences(recorded, {"scores": scores, "robustness": robustness}))
    for found in changed:
        _expect_announced(record, found, current, changelog)
    new = msgspec.structs.replace(
        content,
        method=_with_defaults(content.method),
        versions=current,
        scores=scores if changed else content.scores,
        robustness=robustness if changed else content.robustness,
    )
    written = write_record(new, path.parent)
    if written.path != path:
        path.unlink()
    return Restamped(path, written.path, len(changed))


def _expect_announced(
    record: wsbench.Record, found: Difference, current: dict[str, int], changelog: str
) -> None:
    """Raise `IntegrityError` unless a version accounts for a difference, and the changelog too."""
    task = parse_entry(found.group)[0] if found.part == "scores" else found.group
    before = record.content.versions
    raised = [name for name in (task, "robustness") if current[name] != before.get(name)]
    for name in raised if found.part == "robustness" else set(raised) & {task}:
        if re.search(rf"\b{name}\b.*\bversion {current[name]}\b", changelog, re.IGNORECASE):
            return
    raise wsbench.IntegrityError(
        f"{record.path}: {found.group} {found.name} is {found.recorded}, its answers give"
        f" {found.computed}; raise the version of {task} and name it in CHANGELOG.md"
        f' ("{task}, version N"), or evaluate the method again'
    )


def _with_defaults(method: MethodEntry) -> MethodEntry:
    """Return a method with all its parameters, if the installed one has the same version."""
    try:
        given = {name: method.parameters[name] for name in method.settings}
        loaded = wsbench.load_method(method.spec, given)
    except wsbench.WsbenchError:
        return method
    if str(loaded.info.version) != method.version:
        return method
    return msgspec.structs.replace(
        method, parameters=dict(loaded.parameters), settings=list(loaded.settings)
    )
