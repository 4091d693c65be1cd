"""Copying a record, and its answers, to where it can be proposed for the leaderboard."""

from dataclasses import dataclass
from pathlib import Path

import wsbench
from wsbench_leaderboard.board.check import check_record
from wsbench_leaderboard.board.collect import RescoredRecord
from wsbench_leaderboard.board.folder import answers_of, identity


@dataclass(frozen=True, eq=False)
class Submission:
    """What a submission did.

    Attributes
    ----------
    rescored
        The record, where it is now, and its scores.
    answers
        Its answers beside it.
    replaced
        Records of the same method, version, parameters, suite and seed that were there before.
    """

    rescored: RescoredRecord
    answers: Path
    replaced: list[Path]

    @property
    def message(self) -> str:
        """What to say in the commit."""
        record = self.rescored.record
        return f"Leaderboard: {record.label} on {record.zoo}"


def submit_record(path: Path, board: Path) -> Submission:
    """Copy a record and its answers to a folder of records, in the place of an older one.

    Parameters
    ----------
    path
        The record.
    board
        Folder of records; a folder for each zoo is in it.

    Raises
    ------
    UnknownIdError, FormatError, IntegrityError
        If the record may not stand on the leaderboard.
    StorageError
        If it cannot be written there.
    """
    record = check_record(path).record
    answers = answers_of(record)
    assert answers is not None  # check_record refuses a record without answers
    folder = board / record.zoo
    for name in (answers.name, path.name):  # the answers first, so that no record is without
        data = (path.parent / name).read_bytes()
        with wsbench.atomic_write(folder / name) as temporary:
            temporary.write_bytes(data)
    replaced = _remove_older(folder, path.name, record)
    return Submission(check_record(folder / path.name), folder / answers.name, replaced)


def _remove_older(folder: Path, name: str, record: wsbench.Record) -> list[Path]:
    """Remove the other records of the same, and the answers that only these pointed to."""
    older, in_use = [], set()
    for path in sorted(folder.glob("*.json")):
        try:
            other = wsbench.load_record(path)
        except wsbench.WsbenchError:
            continue  # the check tells of it
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
