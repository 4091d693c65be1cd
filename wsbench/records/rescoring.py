"""Rescoring: a record's scores, computed again from the answers beside it."""

import hashlib
from pathlib import Path

from wsbench.errors import FormatError, IntegrityError
from wsbench.records.answers import unpack_answers
from wsbench.records.record import Record, load_record, refuse_large
from wsbench.tasks.ground_truth import Answers, GroundTruth
from wsbench.tasks.scoring import Scored, Scores, score_answers
from wsbench.tasks.tracks import Tracks

_MAX_ANSWERS_BYTES = 32_000_000


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
    >>> record = wsbench.save_record(wsbench.evaluate("euclidean", "digits-mlp-v1"))
    >>> rescore(record) == record.scores
    True
    """
    return rescore_all(record).scores


def rescore_all(record: Record | str | Path) -> Scored:
    """Compute scores, robustness and tracks again; arguments and errors as in `rescore`."""
    if not isinstance(record, Record):
        record = load_record(record)
    return score_answers(*load_answers(record), tracks_of(record))


def tracks_of(record: Record) -> Tracks:
    """Return the tracks of a record's suite."""
    suite = record.content.suite
    conditions = {
        track: tuple(tuple(one) for one in found) for track, found in suite.tracks.items()
    }
    return Tracks(conditions, tuple(suite.overall))


def load_answers(record: Record) -> tuple[dict[str, Answers], dict[str, GroundTruth]]:
    """Return the answers by entry that a record's scores are computed from, and labels by protocol.

    Both are empty for a method that failed.

    Raises
    ------
    IntegrityError, FormatError
        As `rescore` does.
    """
    pointer = record.content.answers
    if pointer is None:
        return {}, {}
    path = record.path.with_name(pointer.file)
    try:
        refuse_large(path, _MAX_ANSWERS_BYTES)
        data = path.read_bytes()
    except OSError as error:
        raise IntegrityError(f"{path}: answers of {record.path.name}: {error.strerror}") from None
    except ValueError as error:
        raise FormatError(f"{path}: not a method's answers: {error}") from None
    if hashlib.sha256(data).hexdigest() != pointer.sha256:
        raise IntegrityError(f"{path}: not the answers that {record.path.name} was written with")
    try:
        answers, truths = unpack_answers(data)
        for entry, arrays in answers.items():
            _refuse_wide(entry, arrays)
    except ValueError as error:
        raise FormatError(f"{path}: not a method's answers: {error}") from None
    return answers, truths


def _refuse_wide(entry: str, arrays: Answers) -> None:
    """Refuse row numbers of 64 bits: the largest would pass for negative ones."""
    for name, array in arrays.items():
        if array.dtype.kind == "u" and array.dtype.itemsize > 4:
            raise ValueError(f"{entry}/{name}: got {array.dtype}, expected uint32 or smaller")
