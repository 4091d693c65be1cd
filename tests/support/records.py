"""Records that were changed after they were written, as by damage or a cheat."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wsbench
from wsbench.records.record import _digest
from wsbench.records.schema import RecordContent
from wsbench.storage import strict_json


def rewrite(
    record: wsbench.Record, change: Callable[[dict[str, Any]], object], *, rename: bool = False
) -> Path:
    """Change a record's JSON and return its path; renamed after its new content, as by a cheat."""
    content = json.loads(record.path.read_text())
    change(content)
    path = record.path
    if rename:
        digest = _digest(strict_json.typed(content, RecordContent))
        path = path.with_name(f"{record.method}-{digest[:12]}.json")
    path.write_text(json.dumps(content))
    return path
