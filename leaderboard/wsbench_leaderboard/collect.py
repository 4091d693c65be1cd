"""Reading the records of a folder, and believing none of the numbers in them."""

from dataclasses import dataclass
from pathlib import Path

import wsbench


@dataclass(frozen=True)
class Row:
    """A method's scores on a zoo, computed again from its stored answers.

    ``stale`` says that the code which computes scores has changed since the method was evaluated:
    its answers may be to another question.
    """

    zoo: str
    method: str
    version: str
    scores: dict[str, dict[str, wsbench.Score]]
    stale: bool


def collect(folder: Path) -> list[Row]:
    """Return a row for each record below a folder that has scores, by zoo, then best first.

    Raises
    ------
    UnknownIdError
        If there is no such folder.
    FormatError, IntegrityError
        If a record or its answers are damaged, or its scores are not those of its answers (those
        of a stale record may be others, as they were computed in another way).
    """
    if not folder.is_dir():
        raise wsbench.UnknownIdError(
            f"{folder}: no such folder of records; wsbench evaluate writes one"
        )
    rows = []
    for path in sorted(folder.rglob("*.json")):
        record = wsbench.load_record(path)
        scores = wsbench.rescore(record)
        stale = record.content["evaluator"] != wsbench.evaluator_digest()
        if scores != record.scores and not stale:
            raise wsbench.IntegrityError(f"{path}: its scores are not those of its answers")
        if scores:
            method = record.content["method"]
            rows.append(Row(record.zoo, method["name"], method["version"], scores, stale))
    return sorted(rows, key=lambda row: (row.zoo, -_primary(row), row.method, row.version))


def _primary(row: Row) -> float:
    return row.scores["identification"]["map_at_r"].value or 0.0
