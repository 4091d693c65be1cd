import json

import pytest

from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.tables import BEGIN, END, markdown

# --- table ---------------------------------------------------------------------------------------


def test_table__prints_the_records_as_markdown(run, folder):
    assert run("leaderboard", "table", folder) == (0, markdown(collect(folder)), "")


def test_table__json_holds_every_score(run, folder):
    status, out, err = run("leaderboard", "table", folder, "--json")
    assert (status, err) == (0, "")
    rows = json.loads(out)
    assert [row["method"]["name"] for row in rows] == [e.record.method for e in collect(folder)]
    assert rows[0]["scores"]["identification/none"]["map_at_r"]["interval"]
    asked_as_written = {"identification", "sparse-identification", "ordering", "precedence"}
    assert set(rows[0]["robustness"]) == asked_as_written
    assert rows[0]["tracks"]["overall"]["overall"]["interval"]


def test_table__reads_the_cache_by_default(run, folder, monkeypatch):
    monkeypatch.setenv("WSBENCH_HOME", str(folder.parent))
    assert run("leaderboard", "table") == run("leaderboard", "table", folder)


def test_table__updates_a_file_with_the_records_beside_it(run, folder):
    readme = folder.parent / "README.md"
    readme.write_text(f"# Mine\n{BEGIN}\nold\n{END}\nmore\n")
    for arguments in ([], [folder]):
        status, out, err = run("leaderboard", "table", *arguments, "--update", readme)
        assert (status, out, err) == (0, f"{readme}: 4 records\n", "")
        expected = f"# Mine\n{BEGIN}\n\n{markdown(collect(folder))}\n{END}\nmore\n"
        assert readme.read_text() == expected


def test_table__updates_a_file_that_has_no_records_beside_it_yet(run, tmp_path):
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    assert run("leaderboard", "table", "--update", tmp_path / "README.md")[0] == 0
    assert "No records yet." in (tmp_path / "README.md").read_text()


def test_table__wrong_input_is_one_line(run, folder):
    (folder.parent / "README.md").write_text("")
    next(folder.glob("made-up-v1/*.npz")).write_bytes(b"")
    for arguments, message in (
        ([folder], "not the answers that"),
        ([], "no such folder"),
        (
            [folder / "other-v1", "--update", folder.parent / "README.md"],
            "marker lines of the tables are missing",
        ),
        ([folder / "other-v1", "--update", folder.parent / "gone.md"], "No such file"),
    ):
        status, out, err = run("leaderboard", "table", *arguments)
        assert (status, out, err.count("\n")) == (2, "", 1), message
        assert err.startswith("wsbench: ")
        assert message in err


# --- check ---------------------------------------------------------------------------------------


def test_check__says_that_all_is_right(run, board):
    assert run("leaderboard", "check", board) == (0, "2 records, 0 stale, all right\n", "")


def test_check__prints_a_line_for_each_problem_and_exits_1(run, board, victim, rewrite):
    rewrite(victim, lambda c: c["method"].update(description="a\x1b[31m\nb"))
    (board / "made-up-v1" / "new\nline").touch()
    status, out, err = run("leaderboard", "check", board)
    assert (status, err) == (1, "")
    lines = out.splitlines()
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith("made-up-v1/new?line: not the name of a record")
    assert "method.description: got 'a\\x1b[31m\\nb', expected one line" in lines[1]
    assert lines[2] == "1 records, 0 stale, 2 problems"


def test_check__marks_stale_records_and_exits_0(run, board, victim, rewrite):
    path = rewrite(victim, lambda c: c["versions"].update(ordering=0))
    status, out, _ = run("leaderboard", "check", board)
    assert status == 0
    assert out.splitlines() == [
        f"made-up-v1/{path.name}: stale, scored by another version of a task;"
        " run wsbench leaderboard restamp",
        "2 records, 1 stale, all right",
    ]


@pytest.mark.parametrize("is_right", [True, False])
def test_check__json_holds_the_problems(run, board, is_right):
    if not is_right:
        (board / "stray").touch()
    status, out, _ = run("leaderboard", "check", board, "--json")
    content = json.loads(out)
    assert (status, content["records"], content["stale"]) == (0 if is_right else 1, 2, [])
    assert [problem["file"] for problem in content["problems"]] == [] if is_right else ["stray"]


def test_check__wrong_input_is_one_line(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments, message in (([tmp_path / "gone"], "no such folder"), ([], "is not a clone")):
        status, out, err = run("leaderboard", "check", *arguments)
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert message in err


@pytest.mark.parametrize("command", ["table", "check", "build"])
def test_help__of_every_command_names_json(run, command):
    status, out, _ = run("leaderboard", command, "--help")
    assert status == 0
    assert "--json" in out
