from dataclasses import replace as replace_suite

import numpy as np
import pytest
from msgspec.structs import replace

import wsbench
from support.methods import Failing, loaded
from wsbench.tasks.scoring import primary_by_model


class First:
    def __init__(self, k):
        self.k = k

    def transform(self, checkpoints):
        return checkpoints.weights[:, : self.k]


@pytest.fixture
def evaluated(make_zoo, tmp_path):
    zoo = wsbench.load_zoo(make_zoo(models=50))

    def run(method, on=zoo, **options):
        result = wsbench.evaluate(loaded(method), on, **options)
        return result, wsbench.save_record(result, tmp_path / "records")

    return run


def test_compare__is_the_paired_difference_of_every_entry_that_both_have(evaluated):
    few, few_record = evaluated(First(1))
    many, many_record = evaluated(First(12), suite=wsbench.find_suite(None, (), ["none", "int8"]))
    found = wsbench.compare(many_record, few_record)
    assert set(found) == {
        f"{task}/{name}"
        for task in ("identification", "sparse-identification", "ordering", "precedence")
        for name in ("none", "int8")
    }
    for task in ("identification", "ordering"):
        a, b = (primary_by_model(r.answers, r.truths, task)["none"] for r in (many, few))
        assert found[f"{task}/none"] == wsbench.compare_scores(a, b)
    assert found["identification/none"].separable
    assert found["identification/none"].difference > 0


def test_compare__begins_with_the_paired_differences_of_overall_and_tracks(evaluated):
    (few, few_record), (many, many_record) = evaluated(First(1)), evaluated(First(12))
    found = wsbench.compare(many_record, few_record)
    tracks = ("as-written", "symmetry", "compression", "both")
    assert next(iter(found)) == "overall"
    assert set(list(found)[1:5]) == {f"overall/{track}" for track in tracks}
    assert "overall" not in " ".join(list(found)[5:])
    a, b = (
        wsbench.ranked_by_model(r.answers, r.truths, r.suite.tracks)["overall"] for r in (many, few)
    )
    assert found["overall"] == wsbench.compare_scores(a, b)
    for track in tracks:
        expected = np.subtract(*(one.tracks["overall"][track].value for one in (many, few)))
        assert found[f"overall/{track}"].difference == pytest.approx(expected)


def test_compare__of_two_suites_has_entries_alone(evaluated):
    _, smoke = evaluated(First(3))
    _, standard = evaluated(
        First(3), suite=replace_suite(wsbench.SUITES["standard"], measures_cost=False)
    )
    found = wsbench.compare(smoke, standard)
    assert not any(name.startswith("overall") for name in found)
    assert "identification/permute+int8" in found


def test_compare__a_method_with_itself_is_not_separable(evaluated):
    _, record = evaluated(First(3))
    found = wsbench.compare(record, record)
    assert {one.separable for one in found.values()} == {False}
    assert {one.difference for one in found.values()} == {0.0}


def test_compare__refuses_records_of_two_zoos(evaluated, make_zoo):
    _, one = evaluated(First(3))
    _, other = evaluated(First(3), on=wsbench.load_zoo(make_zoo("other", models=60)))
    with pytest.raises(wsbench.ZooError, match="only scores on the same zoo can be compared"):
        wsbench.compare(one, other)


def test_compare__refuses_a_record_of_a_failure_and_records_without_an_entry_in_common(evaluated):
    _, one = evaluated(First(3))
    _, failed = evaluated(Failing())
    with pytest.raises(wsbench.ZooError, match="the method failed, so there is nothing to comp"):
        wsbench.compare(one, failed)
    _, other = evaluated(First(3), suite=wsbench.find_suite(None, ["retrieval"], ["int8"]))
    with pytest.raises(wsbench.ZooError, match="have no entry in common"):
        wsbench.compare(one, other)


def test_compare__believes_the_answers_and_not_the_numbers(evaluated):
    _, one = evaluated(First(3))
    _, other = evaluated(First(12))
    expected = wsbench.compare(one, other)
    forged = wsbench.Record(one.path, replace(one.content, scores=other.scores))
    assert forged.scores != one.scores
    assert wsbench.compare(forged, other) == expected
    assert not np.isnan(expected["identification/none"].difference)
