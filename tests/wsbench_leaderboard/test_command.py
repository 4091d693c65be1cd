import json
import sys

import pytest

from wsbench.cli import main
from wsbench_leaderboard.collect import collect
from wsbench_leaderboard.render import markdown


@pytest.fixture
def run(capsys, monkeypatch):
    """Run ``wsbench leaderboard`` with these arguments."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["wsbench", "leaderboard", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    return call


def test_table__prints_the_records_as_markdown(run, folder):
    assert run("table", folder) == (0, markdown(collect(folder)), "")


def test_table__json_holds_every_score(run, folder):
    status, out, err = run("table", folder, "--json")
    assert (status, err) == (0, "")
    rows = json.loads(out)
    assert [row["method"] for row in rows] == [row.method for row in collect(folder)]
    assert rows[0]["scores"]["identification"]["map_at_r"]["interval"]


def test_table__reads_the_cache_by_default(run, folder, monkeypatch):
    monkeypatch.setenv("WSBENCH_HOME", str(folder.parent))
    assert run("table") == run("table", folder)


def test_table__wrong_input_is_one_line(run, folder, tmp_path):
    next(folder.glob("*/*.npz")).write_bytes(b"")
    for arguments, message in (([folder], "not the answers that"), ([], "no such folder")):
        status, out, err = run("table", *arguments)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("wsbench: ")
        assert message in err
