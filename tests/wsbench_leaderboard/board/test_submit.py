import json
import shlex
import subprocess

import pytest

import wsbench
from support.zoos import write_made_up_zoo
from wsbench.evaluation.suite import SUITES
from wsbench.records import record as records
from wsbench_leaderboard.board.check import check_record
from wsbench_leaderboard.board.submit import submit_record
from wsbench_leaderboard.tables import BEGIN, END


def names(folder) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory):
    """One method on a zoo like the published one."""
    zoo = wsbench.load_zoo(write_made_up_zoo(tmp_path_factory.mktemp("one") / "zoo"))
    return wsbench.evaluate("svd", zoo, suite=SUITES["smoke"])


@pytest.fixture
def record(published, evaluation):
    """A record in the cache, where wsbench evaluate writes it."""
    assert evaluation.zoo_digest == published.content_digest
    return wsbench.save_record(evaluation)


def test_submit_record__copies_record_and_answers(record, tmp_path):
    done = submit_record(record.path, tmp_path / "board")
    assert done.replaced == []
    assert done.message == "Leaderboard: svd on made-up-v1"
    files = [record.path.name, record.content.answers.file]
    assert (
        names(tmp_path / "board") == ["made-up-v1", *sorted(f"made-up-v1/{f}" for f in files)][1:]
    )
    for file in files:
        there = tmp_path / "board" / "made-up-v1" / file
        assert there.read_bytes() == record.path.with_name(file).read_bytes()
    assert check_record(done.rescored.record.path).record.content == record.content


def test_submit_record__again_changes_nothing(record, tmp_path):
    submit_record(record.path, tmp_path)
    before = names(tmp_path)
    assert submit_record(record.path, tmp_path).replaced == []
    assert names(tmp_path) == before


def test_submit_record__replaces_an_older_one_and_its_answers(record, forge, rewrite, tmp_path):
    older = submit_record(record.path, tmp_path / "board")

    def change(content):
        content["method"]["description"] = "better told"

    newer = rewrite(record.path, change)
    done = submit_record(newer, tmp_path / "board")
    assert done.replaced == [older.rescored.record.path]
    assert len(names(tmp_path / "board" / "made-up-v1")) == 2
    assert done.answers.exists()  # the same answers, which the newer needs


def test_submit_record__replaces_one_of_format_1(record, as_format_1, tmp_path):
    """Its parameters are fewer: the defaults are not among them."""
    older = as_format_1(submit_record(record.path, tmp_path / "board").rescored.record.path)
    done = submit_record(record.path, tmp_path / "board")
    assert done.replaced == [older]
    assert len(names(tmp_path / "board" / "made-up-v1")) == 2


def test_submit_record__removes_answers_that_nothing_needs(record, published, tmp_path):
    older = submit_record(record.path, tmp_path / "board")
    # As if the method's code had been mended without a new version.
    other = wsbench.save_record(
        wsbench.evaluate("random", published, suite=SUITES["smoke"]), tmp_path / "other"
    )
    content = json.loads(other.path.read_text())
    (folder := tmp_path / "mended" / "made-up-v1").mkdir(parents=True)
    content["method"] = json.loads(record.path.read_text())["method"]
    content["answers"]["file"] = content["answers"]["file"].replace("random", "svd")
    path = folder / f"svd-{records._digest(content)[:12]}.json"
    path.write_text(json.dumps(content))
    answers = other.path.with_name(other.content.answers.file)
    (folder / content["answers"]["file"]).write_bytes(answers.read_bytes())
    done = submit_record(path, tmp_path / "board")
    assert done.replaced == [older.rescored.record.path]
    assert not older.answers.exists()
    assert len(names(tmp_path / "board" / "made-up-v1")) == 2


@pytest.mark.parametrize("change", [{"version": "2"}, {"parameters": {"k": 5}, "settings": ["k"]}])
def test_submit_record__keeps_other_versions_and_parameters(record, rewrite, tmp_path, change):
    submit_record(record.path, tmp_path / "board")
    other = rewrite(record.path, lambda content: content["method"].update(change))
    assert submit_record(other, tmp_path / "board").replaced == []
    assert len(list((tmp_path / "board").glob("*/*.json"))) == 2


def test_submit_record__refuses_what_the_check_refuses(record, rewrite, tmp_path):
    path = rewrite(record.path, lambda content: content["suite"].update(name="easy"))
    with pytest.raises(wsbench.FormatError, match="suite: got 'easy 2'"):
        submit_record(path, tmp_path / "board")
    assert not (tmp_path / "board").exists()


def test_submit_record__is_not_stopped_by_a_damaged_one(record, tmp_path):
    (tmp_path / "board" / "made-up-v1").mkdir(parents=True)
    (tmp_path / "board" / "made-up-v1" / "other-0123456789ab.json").write_text("{")
    assert submit_record(record.path, tmp_path / "board").replaced == []


# --- the command ---------------------------------------------------------------------------------


def test_submit__prints_commands_that_make_a_board_that_holds(record, run, tmp_path, monkeypatch):
    clone = tmp_path / "my clone"
    (clone / "leaderboard" / "wsbench_leaderboard").mkdir(parents=True)
    (clone / "leaderboard" / "README.md").write_text(f"{BEGIN}\n{END}\n")
    monkeypatch.chdir(clone)
    status, out, err = run("submit", record.path)
    assert (status, err) == (0, "")
    first, second, *others = out.splitlines()
    assert second == "svd: conforms"
    assert (
        first == f"leaderboard/records/made-up-v1/{record.path.name}: scores of 16 entries"
        " agree with the answers"
    )
    commands = [line.strip() for line in others[1:]]
    assert commands == [
        "wsbench leaderboard table --update leaderboard/README.md",
        "git add --all leaderboard/records/made-up-v1 leaderboard/README.md",
        "git commit --message 'Leaderboard: svd on made-up-v1'",
    ]
    assert run(*shlex.split(commands[0])[1:])[0] == 0
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q"], check=True)
    for command in commands[1:]:
        subprocess.run(["git", *author, *shlex.split(command)[1:]], check=True, capture_output=True)
    listed = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True)
    assert len(listed.stdout.splitlines()) == 3
    assert run("leaderboard", "check")[:2] == (0, "1 records, 0 stale, all right\n")


def test_submit__json_holds_what_it_did(record, run, tmp_path):
    status, out, _ = run("submit", record.path, "--records", tmp_path / "board", "--json")
    content = json.loads(out)
    assert status == 0
    assert set(content) == {"record", "answers", "replaced", "stale", "commands"}
    assert content["record"] == str(tmp_path / "board" / "made-up-v1" / record.path.name)


def test_submit__says_when_it_replaces_and_when_it_is_stale(record, rewrite, run, tmp_path):
    run("submit", record.path, "--records", tmp_path / "board")
    path = rewrite(record.path, lambda content: content["versions"].update(ordering=0))
    _, out, _ = run("submit", path, "--records", tmp_path / "board")
    assert f"{record.path.name}: replaced\n" in out
    assert f"{path.name}: stale, scored by another version of a task; run wsbench " in out


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_text("{"), "not a record"),
        (lambda path: None, "is not a clone of wsbench"),
    ],
)
def test_submit__wrong_input_is_one_line(record, run, tmp_path, monkeypatch, damage, message):
    monkeypatch.chdir(tmp_path)
    damage(record.path)
    board = [] if "clone" in message else ["--records", tmp_path / "board"]
    status, out, err = run("submit", record.path, *board)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("wsbench: ")
    assert message in err


METHOD = """
def mine(weights):
    return weights[:, :3]
"""


@pytest.fixture
def of_ones_own(published, tmp_path, monkeypatch):
    """Evaluate the code of a function in my_method.py, and return the record's path."""
    monkeypatch.chdir(tmp_path)

    def evaluated(code):
        (tmp_path / "my_method.py").write_text(code)
        result = wsbench.evaluate("my_method.py:mine", published, suite=SUITES["smoke"])
        assert result.error is None
        return wsbench.save_record(result).path

    return evaluated


def test_submit__takes_a_method_of_ones_own_that_conforms(of_ones_own, run, tmp_path):
    result = run("submit", of_ones_own(METHOD), "--records", tmp_path / "board")
    assert (result.status, result.err) == (0, "")
    assert "mine: conforms\n" in result.out


def test_submit__refuses_a_method_whose_check_fails(of_ones_own, run, tmp_path):
    """A row of its embedding depends on the others, and the distances do not."""
    path = of_ones_own(METHOD.replace("[:, :3]", " - weights.mean()"))
    line = run("submit", path, "--records", tmp_path / "board").complaint()
    assert line.startswith(f"{path.name}: mine fails the check 'a subset gives the rows of the ")
    assert "; mend it until wsbench check my_method.py:mine passes, then evaluate it again" in line
    assert not (tmp_path / "board").exists()


def test_submit__refuses_a_method_whose_code_is_not_at_hand(of_ones_own, run, tmp_path):
    path = of_ones_own(METHOD)
    (tmp_path / "my_method.py").unlink()
    line = run("submit", path, "--records", tmp_path / "board").complaint()
    assert "my_method.py:mine cannot be loaded here, so it cannot be checked (method 'my_" in line
    assert ": no file my_method.py" in line
    assert line.endswith("run wsbench submit where wsbench evaluate loaded it")
    (tmp_path / "my_method.py").write_text("1 / 0\n")
    line = run("submit", path, "--records", tmp_path / "board").complaint()
    assert "(ZeroDivisionError: division by zero); run wsbench submit where" in line
    assert not (tmp_path / "board").exists()


def test_submit__refuses_a_method_whose_code_has_changed(of_ones_own, run, tmp_path):
    path = of_ones_own(METHOD)
    (tmp_path / "my_method.py").write_text(METHOD + "# mended\n")
    line = run("submit", path, "--records", tmp_path / "board").complaint()
    assert line == (
        f"{path.name}: the code of my_method.py:mine has changed since it was evaluated; evaluate"
        " it again and submit the new record"
    )
    assert not (tmp_path / "board").exists()


def test_submit__of_a_failed_method_says_so_without_a_check(published, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_method.py").write_text("def mine(weights):\n    return None\n")
    result = wsbench.evaluate("my_method.py:mine", published, suite=SUITES["smoke"])
    (tmp_path / "my_method.py").unlink()
    path = wsbench.save_record(result).path
    line = run("submit", path, "--records", tmp_path / "board").complaint()
    assert "the method failed or has no answers; evaluate it again" in line
