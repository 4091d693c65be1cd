import dataclasses

import numpy as np
import pytest

import wsbench
from wsbench.records.rescoring import rescore_all
from wsbench_leaderboard.board.collect import collect, ranks, rescore_record


def test_collect__rescores_each_record_with_scores_by_zoo_and_method(folder):
    results = collect(folder)
    assert [(e.record.zoo, e.record.label) for e in results] == [
        ("made-up-v1", "euclidean"), ("made-up-v1", "random"), ("made-up-v1", "svd"),
        ("other-v1", "euclidean"),
    ]  # fmt: skip
    assert not any(e.is_stale for e in results)
    for found in results:
        scored = rescore_all(found.record)
        assert (found.scores, found.robustness) == (scored.scores, scored.robustness)
        assert found.tracks == scored.tracks
        assert set(found.by_model) == {"overall", *wsbench.TASKS}
        for task, by_model in found.by_model.items():
            assert np.isclose(by_model.mean(), found.tracks[task]["overall"].value)


def test_collect__takes_the_folder_of_one_zoo(folder):
    assert [e.record.zoo for e in collect(folder / "other-v1")] == ["other-v1"]


@pytest.mark.parametrize("part", ["scores", "robustness", "tracks"])
def test_collect__refuses_scores_that_are_not_those_of_the_answers(folder, rewrite, part):
    def boast(content):
        group = "ordering/none" if part == "scores" else "ordering"
        next(iter(content[part][group].values()))["value"] = 0.999

    path = rewrite(next(folder.glob("*/random*.json")), boast)
    with pytest.raises(wsbench.IntegrityError, match=rf"{path.name}: the scores do not") as error:
        collect(folder)
    assert f": {part}.ordering" in str(error.value)
    assert " is 0.999" in str(error.value)


@pytest.mark.parametrize("change", ["less", "no interval", "null"])
def test_collect__refuses_scores_that_the_answers_do_not_give(folder, rewrite, change):
    def edit(content):
        scores = content["scores"]["ordering/none"]
        if change == "less":
            del scores["ordered_pairs"]
        elif change == "null":
            scores["ordered_pairs"]["value"] = None
        else:
            scores["abs_tau"]["interval"] = None

    rewrite(next(folder.glob("*/random*.json")), edit)
    with pytest.raises(wsbench.IntegrityError, match="the answers give"):
        collect(folder)


def test_collect__refuses_a_score_that_no_task_has(folder, rewrite):
    def edit(content):
        content["scores"]["ordering/none"]["luck"] = {"value": 1.0, "interval": None}

    rewrite(next(folder.glob("*/random*.json")), edit)
    with pytest.raises(wsbench.FormatError, match="got the score 'luck', known are abs_tau, "):
        collect(folder)


def test_collect__refuses_the_scores_of_an_entry_without_answers(folder, rewrite):
    def edit(content):
        content["scores"]["ordering/int4"] = content["scores"]["ordering/none"]

    rewrite(next(folder.glob("*/random*.json")), edit)
    with pytest.raises(wsbench.IntegrityError, match="the answers give missing"):
        collect(folder)


def test_collect__takes_the_last_digit_of_another_processor(folder, rewrite):
    def round_otherwise(content):
        content["scores"]["ordering/none"]["abs_tau"]["interval"][0] += 1e-15

    rewrite(next(folder.glob("*/random*.json")), round_otherwise)
    assert len(collect(folder)) == 4


def test_collect__refuses_scores_without_answers(folder, rewrite):
    path = rewrite(next(folder.glob("*/random*.json")), lambda c: c.update(answers=None))
    with pytest.raises(wsbench.IntegrityError, match=rf"{path.name}: the scores do not follow"):
        collect(folder)


def test_collect__refuses_a_damaged_record(folder):
    path = next(folder.glob("*/random*.json"))
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    with pytest.raises(wsbench.IntegrityError, match="changed since it was written"):
        collect(folder)


def age(content):
    content["versions"]["ordering"] = 0
    content["scores"]["identification/none"]["map_at_r"]["value"] = 0.123


def test_collect__marks_a_record_of_another_version_stale_and_scores_it_again(folder, rewrite):
    rewrite(next(folder.glob("*/random*.json")), age)
    (found,) = (e for e in collect(folder) if e.is_stale)
    assert found.record.method == "random"
    assert found.scores["identification/none"]["map_at_r"].value != 0.123


def test_collect__says_that_there_is_no_such_folder(tmp_path):
    with pytest.raises(wsbench.UnknownIdError, match="gone: no such folder of records"):
        collect(tmp_path / "gone")
    assert collect(tmp_path) == []


def test_ranks__leave_out_stale_records_and_tasks_not_asked(folder, rewrite):
    path = rewrite(next(folder.glob("*/random*.json")), age)
    results = collect(folder / "made-up-v1")
    found = ranks(results, "identification")
    assert {p.name.partition("-")[0] for p in found} == {"euclidean", "svd"}
    assert path not in found
    without = [dataclasses.replace(e, by_model={}) for e in results]
    assert ranks(without, "retrieval") == {}


def test_ranks__put_a_better_method_first(folder):
    results = collect(folder / "made-up-v1")
    found = {p.name.partition("-")[0]: rank for p, rank in ranks(results, "identification").items()}
    assert found["random"] == (3, 3)
    assert found["euclidean"][0] == 1


def test_rescore_record__of_a_failed_method_has_no_scores(folder):
    (path,) = folder.glob("*/bad*.json")
    found = rescore_record(wsbench.load_record(path))
    assert (found.scores, found.robustness, found.by_model) == ({}, {}, {})
