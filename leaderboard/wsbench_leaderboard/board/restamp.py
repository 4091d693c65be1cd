"""Restamping: records in the current format, with the current versions of their tasks.

Scores are recomputed from the answers. A record whose scores agree is rewritten with the current
versions and with the method's defaults. A score may differ only if the version of its task was
raised and CHANGELOG.md names both. All records are checked before the first one is written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

import wsbench
from wsbench_leaderboard.board.collect import Difference, differences, expect_folder, recorded_parts
from wsbench_leaderboard.season.reproduction import (
    load_reproduction,
    path_beside,
    renewed,
    write_reproduction,
)


@dataclass(frozen=True)
class Restamped:
    """A record before and after; both are the same file if nothing had to change.

    Attributes
    ----------
    before, after
        Paths.
    n_changed
        Number of scores that differ from the recorded ones.
    """

    before: Path
    after: Path
    n_changed: int


def restamp(folder: Path, changelog: str) -> list[Restamped]:
    """Replace the records below a folder by current ones; answers are not changed.

    An interrupted call leaves old and new records side by side. The next call removes the old ones.

    Parameters
    ----------
    folder
        Folder of records.
    changelog
        The text of CHANGELOG.md. It must name the version of every task with a changed score, as
        in ``ordering, version 2``.

    Raises
    ------
    UnknownIdError
        If there is no such folder.
    FormatError
        If a file is not a record.
    IntegrityError
        If a record or its answers are damaged, a newer wsbench computed the scores, or a score
        changed without a new version of its task. No file is changed then.
    """
    expect_folder(folder)
    records = [wsbench.load_record(path) for path in sorted(folder.rglob("*.json"))]
    planned = [_planned(record, changelog) for record in records]
    restamped = [_written(*plan) for plan in planned]
    _renew_reproductions(folder, restamped)
    return restamped


def _planned(
    record: wsbench.Record, changelog: str
) -> tuple[wsbench.Record, wsbench.RecordContent, int]:
    """Return a record, its new content, and the number of scores that change."""
    content = record.content
    current = _current_versions(record)
    answers = wsbench.load_answers(record)
    scored = wsbench.score_answers(*answers, wsbench.tracks_of(record))
    changed = list(differences(recorded_parts(record), vars(scored)))
    for difference in changed:
        _expect_announced(record, difference, current, changelog)
    new = msgspec.structs.replace(
        _with_defaults(content),
        versions=current,
        **(vars(scored) if changed else {}),
    )
    return record, new, len(changed)


def _written(record: wsbench.Record, new: wsbench.RecordContent, n_changed: int) -> Restamped:
    if not record.is_upgraded and new == record.content:
        return Restamped(record.path, record.path, n_changed)
    written = wsbench.write_record(new, record.path.parent)
    if written.path != record.path:
        record.path.unlink()
    return Restamped(record.path, written.path, n_changed)


def _renew_reproductions(folder: Path, restamped: list[Restamped]) -> None:
    """Move the files of reproductions with their records, and recompute their differences."""
    records = [wsbench.load_record(one.after) for one in restamped]
    by_answers = {r.content.answers.sha256: r for r in records if r.content.answers}
    for one, record in zip(restamped, records, strict=True):
        found = load_reproduction(one.before)
        if found is None:
            continue
        fresh = by_answers.get(found.answers)
        new = renewed(found, record, fresh) if fresh else found
        write_reproduction(one.after, new)
        if one.before != one.after:
            path_beside(one.before).unlink()


def _current_versions(record: wsbench.Record) -> dict[str, int]:
    """Return the installed versions of a record's tasks; refuse a record of newer ones."""
    try:
        current = wsbench.task_versions(tuple(record.content.suite.tasks))
    except KeyError as error:
        raise wsbench.IntegrityError(
            f"{record.path}: suite.tasks: this version of wsbench has no task {error};"
            " install a newer one"
        ) from None
    for name, version in record.content.versions.items():
        if version > current.get(name, 0):
            raise wsbench.IntegrityError(
                f"{record.path}: versions.{name}: got {version}, and this version of wsbench has"
                f" {current.get(name, 'none')}; install a newer one"
            )
    return current


def _expect_announced(
    record: wsbench.Record, difference: Difference, current: Mapping[str, int], changelog: str
) -> None:
    """Raise `IntegrityError` unless a new version explains a difference and the text names it."""
    is_score = difference.part == "scores"
    task = wsbench.parse_entry(difference.group)[0] if is_score else difference.group
    causes = (task,) if is_score else (task, *record.content.suite.overall, "robustness")
    before = record.content.versions
    for name in causes:
        version = current.get(name)
        if version != before.get(name) and _names(changelog, name, version):
            return
    raise wsbench.IntegrityError(
        f"{record.path}: {difference.describe()}; raise the version of {task} and name it in"
        f' CHANGELOG.md ("{task}, version N"), or evaluate the method again'
    )


def _names(changelog: str, task: str, version: int | None) -> bool:
    """Return whether a changelog holds ``ordering, version 2``, and not ``version 2.1`` or 20."""
    pattern = rf"\b{re.escape(task)}, version {version}(?!\.?\d)"
    return re.search(pattern, changelog, re.IGNORECASE) is not None


def _with_defaults(content: wsbench.RecordContent) -> wsbench.RecordContent:
    """Return a record with all parameters of its method, if this version of it is installed.

    Only an installed method is loaded, by name and without the record's parameters. Records come
    from anybody: the module or file that one names must not be run, nor its parameters be passed.
    """
    method = content.method
    if method.spec not in wsbench.list_methods():
        return content
    try:
        installed = wsbench.load_method(method.spec)
    except wsbench.WsbenchError:
        return content
    if (installed.info.name, str(installed.info.version)) != (method.name, method.version):
        return content
    defaults = installed.parameters
    parameters = {**defaults, **method.parameters}
    settings = [n for n in parameters if n not in defaults or parameters[n] != defaults[n]]
    new = msgspec.structs.replace(method, parameters=parameters, settings=settings)
    return msgspec.structs.replace(content, method=new)
