import pytest

import wsbench
from wsbench_leaderboard.collect import collect


def test_collect__gives_a_row_for_each_record_with_scores_best_first(folder):
    rows = collect(folder)
    names = [(row.zoo, row.method) for row in rows]
    assert names[-1] == ("other-v1", "euclidean")
    assert {name for zoo, name in names[:-1]} == {"euclidean", "svd", "random"}
    precision = [row.scores["identification"]["map_at_r"].value for row in rows[:-1]]
    assert precision == sorted(precision, reverse=True)
    assert names[2] == ("made-up-v1", "random")
    assert not any(row.stale for row in rows)
    assert rows[-1].scores == wsbench.rescore(next(folder.glob("other-v1/*.json")))


def test_collect__takes_the_folder_of_one_zoo(folder):
    assert [row.zoo for row in collect(folder / "other-v1")] == ["other-v1"]
    assert collect(folder / "other-v1") == [row for row in collect(folder) if row.zoo == "other-v1"]


def test_collect__refuses_scores_that_are_not_those_of_the_answers(folder, rewrite):
    def boast(content):
        content["tasks"]["identification"]["map_at_r"]["value"] += 1e-15

    path = rewrite(next(folder.glob("*/random*.json")), boast)
    with pytest.raises(wsbench.IntegrityError, match=rf"{path.name}: its scores are not those"):
        collect(folder)


def test_collect__refuses_scores_without_answers(folder, rewrite):
    path = rewrite(next(folder.glob("*/random*.json")), lambda c: c.update(answers=None))
    with pytest.raises(wsbench.IntegrityError, match=rf"{path.name}: its scores are not those"):
        collect(folder)


def test_collect__refuses_a_damaged_record(folder):
    path = next(folder.glob("*/random*.json"))
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(wsbench.IntegrityError, match="changed since it was written"):
        collect(folder)


def test_collect__marks_a_record_of_another_evaluator_stale_and_scores_it_again(folder, rewrite):
    def age(content):
        content["evaluator"] = "sha256:" + 64 * "0"
        content["tasks"]["identification"]["map_at_r"]["value"] = 0.123

    rewrite(next(folder.glob("*/random*.json")), age)
    (row,) = (row for row in collect(folder) if row.stale)
    assert row.method == "random"
    assert row.scores["identification"]["map_at_r"].value != 0.123


def test_collect__says_that_there_is_no_such_folder(tmp_path):
    with pytest.raises(wsbench.UnknownIdError, match="gone: no such folder of records"):
        collect(tmp_path / "gone")
    assert collect(tmp_path) == []
