"""Submission: a record and its answers, checked and copied to the leaderboard's folder."""

from dataclasses import dataclass
from pathlib import Path

import wsbench
from wsbench_leaderboard.board.check import check_record
from wsbench_leaderboard.board.collect import RescoredRecord
from wsbench_leaderboard.board.folder import answers_of, identity
from wsbench_leaderboard.season.season import load_seasons


@dataclass(frozen=True, eq=False)
class Submission:
    """The files of a submission.

    Attributes
    ----------
    rescored
        The copied record with its recomputed scores.
    answers
        The copied answers.
    replaced
        The removed records of the same method, version, parameters, suite and seed.
    """

    rescored: RescoredRecord
    answers: Path
    replaced: list[Path]

    @property
    def message(self) -> str:
        """The message for the commit."""
        record = self.rescored.record
        return f"Leaderboard: {record.label} on {record.zoo}"


def submit_record(path: Path, records: Path) -> Submission:
    """Copy a record and its answers to a folder of records and remove an older record.

    Parameters
    ----------
    path
        The record.
    records
        Folder of records; holds a folder for each zoo.

    Raises
    ------
    UnknownIdError, FormatError, IntegrityError
        If the record breaks a rule of the leaderboard.
    StorageError
        If the files cannot be written.
    """
    seasons = load_seasons(records)
    record = check_record(path, seasons).record
    answers = answers_of(record)
    assert answers is not None  # check_record refuses a record without answers
    folder = records / record.zoo
    for name in (answers.name, path.name):  # answers first: a record is never without them
        data = (path.parent / name).read_bytes()
        with wsbench.atomic_write(folder / name) as temporary:
            temporary.write_bytes(data)
    replaced = _remove_older(folder, path.name, record)
    return Submission(check_record(folder / path.name, seasons), folder / answers.name, replaced)


def _remove_older(folder: Path, name: str, record: wsbench.Record) -> list[Path]:
    """Remove older records with the same identity, and answers that no other record uses."""
    older, in_use = [], set()
    for path in sorted(folder.glob("*.json")):
        try:
            other = wsbench.load_record(path)
        except wsbench.WsbenchError:
            continue  # the check of the folder reports it
        if path.name != name and identity(other) == identity(record):
            older.append(other)
        else:
            in_use.add(answers_of(other))
    with wsbench.explain_storage_errors(folder):
        for other in older:
            other.path.unlink()
            answers = answers_of(other)
            if answers and answers not in in_use:
                answers.unlink(missing_ok=True)
    return [other.path for other in older]
