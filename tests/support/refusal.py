"""The refusal of a record by the leaderboard's check."""

from pathlib import Path

import pytest

import wsbench
from wsbench_leaderboard.board.check import check_record


def refusal(path: Path) -> str:
    """Return the one line that a record is refused with."""
    with pytest.raises(wsbench.WsbenchError) as error:
        check_record(path)
    message = str(error.value)
    assert message.startswith(str(path.parent))
    assert message.isprintable()
    assert len(message) < 600
    return message
