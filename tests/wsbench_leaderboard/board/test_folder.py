import dataclasses
import json
import os
import shutil

import pytest

import wsbench
from wsbench.evaluation.suite import SUITES
from wsbench.records.record import write_record
from wsbench.records.schema import RecordContent
from wsbench.storage import strict_json
from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.board.folder import check_folder, find_folder
from wsbench_leaderboard.tables import BEGIN, END, markdown, with_tables


def problems(board) -> list[str]:
    """Return what a check says, a line each."""
    lines = [f"{problem.file}: {problem.message}" for problem in check_folder(board).problems]
    assert all(line.isprintable() for line in lines)
    return lines


def test_check_folder__finds_nothing_wrong_with_right_records(board):
    report = check_folder(board)
    assert [e.record.method for e in report.results] == ["euclidean", "random"]
    assert (report.problems, report.stale) == ([], [])


def test_check_folder__tells_of_each_refused_record_in_one_line(board, victim):
    for path in board.glob("*/*.json"):
        path.write_text("{}")
    assert len(problems(board)) == 2
    assert problems(board)[1] == (
        f"made-up-v1/{victim.name}: not a record: it has no format number"
    )


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_check_folder__tells_of_a_link_in_one_line(board, suffix, tmp_path):
    (path,) = board.glob(f"*/random-*{suffix}")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    found = problems(board)
    assert f"made-up-v1/{path.name}: a symbolic link; replace it with the file itself" in found
    assert len(set(found)) <= 2  # without its record, or its answers, the other is told of, too


def test_check_folder__reads_no_folder_that_is_a_link(board, tmp_path):
    (board / "made-up-v1").rename(tmp_path / "elsewhere")
    (board / "made-up-v1").symlink_to(tmp_path / "elsewhere")
    assert problems(board) == ["made-up-v1: only folders of zoos belong here; remove it"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stray.txt", "only folders of zoos belong here; remove it"),
        ("made-up-v1/run.sh", "not the name of a record or of answers; remove it"),
        ("made-up-v1/.hidden", "not the name of a record or of answers; remove it"),
        ("made-up-v1/<b>-0123456789ab.json", "not the name of a record or of answers; remove it"),
        ("made-up-v1/mine-0123456789ab.npz", "answers without a record; remove them"),
        ("my-zoo-v1/mine-0123456789ab.json", "no published zoo and no season's: digits-cnn-v1, "),
        ("made-up-v1/new\nline", "not the name of a record or of answers; remove it"),
    ],
)
def test_check_folder__refuses_files_that_belong_to_no_record(board, name, message):
    (board / name).parent.mkdir(exist_ok=True)
    (board / name).touch()
    (found,) = problems(board)
    assert message in found


def test_check_folder__refuses_folders_and_pipes_in_the_place_of_files(board):
    (board / "made-up-v1" / "mine-0123456789ab.json").mkdir()
    os.mkfifo(board / "made-up-v1" / "mine-0123456789ab.npz")
    assert [line.partition(": ")[2] for line in problems(board)] == [
        "not a regular file; replace it with the file itself"
    ] * 2


def test_check_folder__refuses_a_record_in_the_folder_of_another_zoo(board, publisher, victim):
    publisher.published["twin-v1"] = publisher.published["made-up-v1"]
    shutil.copytree(board / "made-up-v1", board / "twin-v1")
    assert f"twin-v1/{victim.name}: is of made-up-v1; move it there" in problems(board)


def test_check_folder__refuses_a_second_record_of_the_same(board, victim, rewrite):
    second = rewrite(victim, lambda c: c["method"].update(description="again"), keep=True)
    first, last = sorted((victim.name, second.name))
    assert problems(board) == [
        f"made-up-v1/{last}: same method, version, parameters, suite and seed as {first}; keep one"
    ]


def test_check_folder__takes_another_version_with_the_same_answers(board, victim, rewrite):
    rewrite(victim, lambda c: c["method"].update(version="2"), keep=True)
    assert problems(board) == []


def test_check_folder__refuses_the_answers_and_scores_of_another_method(board, victim, rewrite):
    """All of it rightly named and computed, and yet it is not this method's."""
    other = json.loads(next(board.glob("*/euclidean-*.json")).read_text())
    (answers,) = board.glob("*/euclidean-*.npz")
    copied = answers.name.replace("euclidean", "random")
    shutil.copy(answers, answers.with_name(copied))
    next(p for p in board.glob("*/random-*.npz") if p.name != copied).unlink()

    def steal(content):
        for key in ("answers", "scores", "robustness", "tracks"):
            content[key] = other[key]
        content["answers"]["file"] = copied

    path = rewrite(victim, steal)
    (found,) = problems(board)
    assert found.startswith(f"made-up-v1/{path.name}: has the answers of euclidean-")


@pytest.mark.slow
def test_check_folder__holds_accuracies_against_the_networks(tmp_path, digits_zoo, monkeypatch):
    """All records of a zoo may agree and be wrong: digits-mlp-v1 is built, and its networks run."""
    suite = dataclasses.replace(SUITES["standard"], measures_cost=False)
    board = tmp_path / "records"
    wsbench.save_record(wsbench.evaluate("random", digits_zoo, suite=suite), board)
    assert problems(board) == []
    (path,) = board.glob("*/*.json")
    content = json.loads(path.read_text())
    content["accuracy"]["int8"] += 0.01
    path.unlink()
    typed = strict_json.typed(content, RecordContent)
    path = write_record(typed, path.parent).path
    (problem,) = problems(board)
    assert problem.startswith(f"digits-mlp-v1/{path.name}: accuracy.int8: got 0.86")
    assert "the networks have 0.85" in problem


def test_check_folder__refuses_another_accuracy_of_the_same_networks(published, board, rewrite):
    suite = dataclasses.replace(SUITES["standard"], measures_cost=False)
    paths = []
    for i, spec in enumerate(("euclidean", "random", "svd")):
        record = wsbench.save_record(wsbench.evaluate(spec, published, suite=suite), board)
        accuracy = {entry.split("/")[1]: 0.9 + 0.0001 * i for entry in record.scores}
        paths.append(rewrite(record.path, lambda c, a=accuracy: c.update(accuracy=a)))
    assert problems(board) == []
    path = rewrite(paths[1], lambda c: c["accuracy"].update(int4=0.95))
    assert problems(board) == [
        f"made-up-v1/{path.name}: accuracy.int4: got 0.95, the other records have 0.9002; evaluate"
        " again"
    ]


def test_check_folder__refuses_more_than_50_mb(board):
    for i in range(55):
        with (board / "made-up-v1" / f"mine-{i:012x}.npz").open("wb") as file:
            file.truncate(950_000)
    (found,) = (line for line in problems(board) if "in all" in line)
    assert "bytes in all, at most 50,000,000 are allowed; remove some" in found


def test_check_folder__marks_a_stale_record(board, victim, rewrite):
    path = rewrite(victim, lambda c: c["versions"].update(ordering=0))
    report = check_folder(board)
    assert (report.problems, report.stale) == ([], [f"made-up-v1/{path.name}"])


def test_check_folder__refuses_a_readme_with_other_tables(board):
    readme = board.parent / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    (found,) = problems(board)
    assert found.startswith("README.md: the tables are outdated; run wsbench leaderboard table")
    readme.write_text(with_tables(readme, markdown(check_folder(board).results)))
    assert problems(board) == []
    readme.write_text(readme.read_text().replace("| random ", "| mine "))
    assert len(problems(board)) == 1
    readme.write_text("no place for tables")
    (found,) = problems(board)
    assert found.startswith("README.md: marker lines of the tables are missing; add ")


def test_check_folder__says_that_there_is_no_such_folder(tmp_path):
    with pytest.raises(wsbench.UnknownIdError, match="gone: no such folder of records"):
        check_folder(tmp_path / "gone")
    assert check_folder(tmp_path).results == []


def test_find_folder__is_in_the_clone_in_the_current_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_folder(tmp_path / "mine") == tmp_path / "mine"
    with pytest.raises(wsbench.UnknownIdError, match="is not a clone of wsbench"):
        find_folder(None)
    (tmp_path / "leaderboard" / "wsbench_leaderboard").mkdir(parents=True)
    assert check_folder(find_folder(None)).problems == []  # there are no records yet
    assert check_folder(tmp_path / "leaderboard" / "records").problems == []
    assert collect(find_folder(None)) == []
