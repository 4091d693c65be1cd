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
    FormatError, IntegrityError
        If a record or its answers are damaged, or its scores are not those of its answers.
    """
    rows = []
    for path in sorted(folder.glob("*/*.json")):
        record = wsbench.load_record(path)
        scores = wsbench.rescore(record)
        if scores != record.scores:
            raise wsbench.IntegrityError(f"{path}: its scores are not those of its answers")
        if scores:
            method = record.content["method"]
            stale = record.content["evaluator"] != wsbench.evaluator_digest()
            rows.append(Row(record.zoo, method["name"], method["version"], scores, stale))
    return sorted(rows, key=lambda row: (row.zoo, -_primary(row), row.method, row.version))


def _primary(row: Row) -> float:
    return row.scores["identification"]["map_at_r"].value or 0.0
