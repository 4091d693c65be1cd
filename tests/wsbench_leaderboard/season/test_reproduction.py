"""A season from its opening to the board: real methods, real records, and a fabricated one."""

import json
import shutil

import pytest
import typer
from msgspec.structs import replace

import wsbench
from wsbench_leaderboard.board.folder import check_folder
from wsbench_leaderboard.board.restamp import restamp
from wsbench_leaderboard.season import commands
from wsbench_leaderboard.season.reproduction import load_reproduction, path_beside
from wsbench_leaderboard.season.season import load_seasons, season_text
from wsbench_leaderboard.season.standing import load_standing

BEACON = "a text of tomorrow"
METHODS = ("euclidean", "norm")


@pytest.fixture(scope="module")
def opened(tmp_path_factory, digits_zoo_folder):
    """A board of two methods on a published zoo, and the season that opens then."""
    monkeypatch = pytest.MonkeyPatch()
    root = tmp_path_factory.mktemp("season")
    monkeypatch.setenv("WSBENCH_HOME", str(root / "home"))
    monkeypatch.setattr(commands, "_SUITE", "smoke")
    shutil.copytree(digits_zoo_folder, root / "home" / "zoos" / "digits-mlp-v1")
    folder = root / "leaderboard" / "records"
    for method in METHODS:
        wsbench.save_record(wsbench.evaluate(method, "digits-mlp-v1"), folder)
    commands.open_season("2026-2", BEACON, "the tests", records=folder)
    yield folder
    monkeypatch.undo()


@pytest.fixture
def board(opened, tmp_path, monkeypatch):
    """A copy of the board that a test may change."""
    monkeypatch.setenv("WSBENCH_HOME", str(opened.parents[1] / "home"))
    shutil.copytree(opened.parent, tmp_path / "leaderboard")
    return tmp_path / "leaderboard" / "records"


@pytest.fixture(scope="module")
def reproduced(opened, tmp_path_factory):
    """The board after both methods have been run again."""
    folder = tmp_path_factory.mktemp("reproduced") / "leaderboard"
    shutil.copytree(opened.parent, folder)
    commands.reproduce_command([], records=folder / "records")
    return folder / "records"


@pytest.fixture
def done(reproduced, tmp_path, monkeypatch, opened):
    monkeypatch.setenv("WSBENCH_HOME", str(opened.parents[1] / "home"))
    shutil.copytree(reproduced.parent, tmp_path / "done")
    return tmp_path / "done" / "records"


def published_record(folder, method):
    (path,) = (folder / "digits-mlp-v1").glob(f"{method}-*.json")
    return path


def test_open_season__states_the_fresh_zoo_and_the_code_on_the_board(board):
    (season,) = load_seasons(board).seasons
    assert (season.name, season.beacon, season.suite) == ("2026-2", BEACON, "smoke 2")
    zoo = wsbench.load_zoo("digits-mlp-v1")
    fresh = wsbench.fresh_zoo(zoo, "smoke 2", BEACON, keep=False)
    assert season.zoos["digits-mlp-v1"].id == fresh.zoo.id
    assert season.zoos["digits-mlp-v1"].content_digest == fresh.zoo.content_digest
    code = {wsbench.load_method(method).description.code_sha256 for method in METHODS}
    assert set(season.known_code) == code


def test_open_season__does_not_edit_an_open_one(board):
    with pytest.raises(wsbench.StorageError, match="an open season is never edited"):
        commands.open_season("2026-2", "another", "the tests", records=board)


def test_reproduce__agrees_with_honest_records_and_the_board_checks_all(done):
    for method in METHODS:
        found = load_reproduction(published_record(done, method))
        assert (found.season, found.agrees) == ("2026-2", True)
        assert found.environment["packages"]["wsbench"] == wsbench.__version__
    report = check_folder(done)
    assert report.problems == []
    assert len(report.results) == 2 * len(METHODS)


def test_standing__shows_the_season_with_the_published_score_beside_it(done):
    results = load_standing(done)
    assert [result.record.method for result in results] == list(METHODS)
    for result in results:
        assert result.is_fresh
        assert result.zoo[0] == "digits-mlp-v1"
        assert result.kinds == ("reproduced",)
        low, high = result.overall_gap.interval
        assert low <= 0 <= high
        assert result.published.record.zoo == "digits-mlp-v1"


def test_reproduce__again_has_nothing_left_to_do(done, capsys):
    commands.reproduce_command([], records=done)
    assert capsys.readouterr().out == "season 2026-2: no record is left to reproduce\n"


CHEAT = """
import numpy as np
import wsbench

class Cheat:
    info = wsbench.MethodInfo("cheat")

    def pairwise(self, checkpoints):
        zoo = wsbench.load_zoo("digits-mlp-v1")
        known, asked = (np.sort(rows, axis=1) for rows in (zoo.weights, checkpoints.weights))
        products = asked.astype(float) @ known.T
        models = zoo.model[np.argmax(2 * products - np.sum(known**2, axis=1), axis=1)]
        return (models[:, None] != models).astype(float)
"""


@pytest.fixture
def forged(board):
    """The record of euclidean, with answers that know every model of the published zoo."""
    (board.parent / "cheat.py").write_text(CHEAT)
    old = wsbench.load_record(published_record(board, "euclidean"))
    cheat = wsbench.load_method(f"{board.parent}/cheat.py:Cheat")
    made_up = wsbench.save_record(wsbench.evaluate(cheat, "digits-mlp-v1"), board.parent / "cheat")
    answers = made_up.path.with_name(made_up.content.answers.file)
    for file in (old.path, old.path.with_name(old.content.answers.file)):
        file.unlink()
    pointer = replace(made_up.content.answers, file=answers.name.replace("cheat", "euclidean"))
    shutil.copy(answers, old.path.parent / pointer.file)
    content = replace(made_up.content, method=old.content.method, answers=pointer)
    return wsbench.write_record(content, old.path.parent).path


def test_reproduce__recognises_a_fabricated_record_that_passes_the_check(forged, board, capsys):
    assert check_folder(board).problems == []
    claimed = wsbench.load_record(forged).tracks["overall"]["overall"].value
    assert claimed > 0.9
    with pytest.raises(typer.Exit):
        commands.reproduce_command([forged], records=board)
    assert "digits-mlp-v1 euclidean: NOT reproduced; " in capsys.readouterr().out
    assert load_reproduction(forged).agrees is False
    assert check_folder(board).problems == []
    (shown,) = (r for r in load_standing(board) if r.record.method == "euclidean")
    assert shown.kinds == ("not reproduced",)
    assert not shown.has_rank
    assert shown.tracks["overall"]["overall"].value < claimed - 0.2


def test_reproduce__refuses_code_that_has_changed_since(board, capsys):
    path = published_record(board, "norm")
    record = wsbench.load_record(path)
    method = replace(record.content.method, code_sha256="0" * 64)
    path.unlink()
    changed = wsbench.write_record(replace(record.content, method=method), path.parent)
    with pytest.raises(typer.Exit):
        commands.reproduce_command([changed.path], records=board)
    assert "the code of norm has changed since" in capsys.readouterr().out
    assert load_reproduction(changed.path) is None


def test_standing__gives_a_method_without_the_season_no_rank_and_a_newer_one_neither(done):
    path = published_record(done, "norm")
    record = wsbench.load_record(path)
    path.unlink()
    path_beside(path).unlink()
    method = replace(record.content.method, version="2", code_sha256="0" * 64)
    wsbench.write_record(replace(record.content, method=method), path.parent)
    results = {
        r.record.content.method.version: r for r in load_standing(done) if r.record.method == "norm"
    }
    assert results["2"].kinds == ("not in the season",)
    (season,) = load_seasons(done).seasons
    older = replace(season, known_code=[])
    (done.parent / "seasons" / "2026-2.toml").write_text(season_text(older))
    assert all("newer than the season" in r.kinds for r in load_standing(done) if r.is_fresh)


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda c: c["largest"].update(score=0.5), "its difference does not follow from the two"),
        (lambda c: c.update(agrees=False), "its difference does not follow from the two"),
        (lambda c: c.update(answers="0" * 64), "there is no such record, run or season"),
        (lambda c: c.update(season="2099-1"), "there is no such record, run or season"),
        (lambda c: c.update(agrees="yes"), "not a reproduction: Expected `bool`"),
    ],
)
def test_check__refuses_a_reproduction_that_does_not_follow(done, edit, fault):
    path = path_beside(published_record(done, "euclidean"))
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    (problem,) = check_folder(done).problems
    assert problem.file.endswith(path.name)
    assert fault in problem.message


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda c: c.update(seed=0), "seed: got 0, season 2026-2 has"),
        (lambda c: c.update(fresh_text="another"), "fresh_text: got 'another', season 2026-2 has"),
        (
            lambda c: c["zoo"].update(content_digest="sha256:0"),
            "zoo.content_digest: got 'sha256:0'",
        ),
        (lambda c: c["fit_on"].update(id="mnist-mlp-v1"), "fit_on.id: got 'mnist-mlp-v1', season"),
    ],
)
def test_check__refuses_a_record_of_the_season_with_other_models(done, rewrite, edit, fault):
    (path,) = done.glob("*fresh*/euclidean-*.json")
    rewrite(path, edit)
    problems = check_folder(done).problems
    assert any(fault in problem.message for problem in problems)


def test_check__refuses_a_record_on_fresh_models_of_no_season(done):
    shutil.rmtree(done.parent / "seasons")
    messages = " ".join(problem.message for problem in check_folder(done).problems)
    assert "no published zoo and no season's" in messages


def test_restamp__keeps_reproductions_beside_their_records(done, rewrite):
    path = published_record(done, "euclidean")
    old = rewrite(path, lambda c: c["versions"].update(robustness=1))
    path_beside(path).rename(path_beside(old))
    assert [problem.file for problem in check_folder(done).problems] == []
    restamp(done, "robustness, version 2")
    assert published_record(done, "euclidean") == path
    assert load_reproduction(path).agrees
    assert check_folder(done).problems == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('name = "2026-2"', 'name = "2026-3"', "is of season 2026-3; rename it"),
        (f'beacon = "{BEACON}"', 'beacon = "other"', "the beacon gives digits-mlp-fresh-"),
        ("opened = ", "opened = 7 #", "not a season: Expected `date`"),
    ],
)
def test_load_seasons__refuses_what_is_no_season(board, before, after, fault):
    path = board.parent / "seasons" / "2026-2.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(wsbench.FormatError, match=fault):
        load_seasons(board)
