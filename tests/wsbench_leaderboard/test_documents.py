"""The tables in README.md and docs/methods.md are those of the records on the board."""

from pathlib import Path

import pytest

from wsbench_leaderboard.season.standing import load_standing
from wsbench_leaderboard.tables import summary, with_tables

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def table():
    return summary(load_standing(ROOT / "leaderboard" / "records"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "docs/methods.md"])
def test_document__has_the_table_of_the_records(table, name):
    """Else run wsbench leaderboard table leaderboard/records --summary --update FILE."""
    assert with_tables(ROOT / name, table) == (ROOT / name).read_text(encoding="utf-8")
