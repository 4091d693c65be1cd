import json

import pytest

import wsbench


@pytest.fixture
def zoo(run, make_zoo):
    folder = make_zoo(models=50)
    assert run("evaluate", "euclidean", "random", "--zoo", folder).status == 0
    assert run("evaluate", "svd", "--set", "k=12", "--zoo", folder).status == 0
    return "made-up-v1"


def test_compare__prints_difference_interval_and_verdict_for_each_entry(run, zoo):
    result = run("compare", "euclidean", "random", "--zoo", zoo)
    assert result.status == 0
    first, second, heading, *entries = result.out.splitlines()
    assert first.startswith("made-up-v1: euclidean (euclidean-")
    assert second.strip().startswith("random (random-")
    assert heading.split() == ["entry", "euclidean", "random", "difference", "95", "%"]
    assert [line.split()[0] for line in entries] == [
        "identification/none", "identification/permute", "ordering/none", "ordering/permute",
    ]  # fmt: skip
    assert entries[0].endswith("euclidean is better")


def test_compare__says_what_is_not_separable(run, zoo):
    result = run("compare", "euclidean", "svd k=12", "--zoo", zoo)
    assert result.out.splitlines()[3].endswith("+0.000 +0.000 … +0.000  not separable")


def test_compare__json_holds_what_the_python_interface_returns(run, zoo):
    found = json.loads(run("compare", "euclidean", "random", "--zoo", zoo, "--json").out)
    a, b = (wsbench.load_record(found[name]) for name in "ab")
    for entry, expected in wsbench.compare(a, b).items():
        assert found["entries"][entry]["difference"] == expected.difference
        assert tuple(found["entries"][entry]["interval"]) == expected.interval
        assert found["entries"][entry]["separable"] is expected.separable


def test_compare__of_one_or_two_test_models_gives_no_interval_and_says_why(run, make_zoo):
    assert run("evaluate", "random", "euclidean", "--zoo", make_zoo(models=10)).status == 0
    result = run("compare", "random", "euclidean", "--zoo", "made-up-v1")
    assert result.status == 0
    rows = [line for line in result.out.splitlines() if "/none" in line]
    assert len(rows) == 2
    for row in rows:
        assert row.endswith("  too few models")
        assert "…" not in row
    found = json.loads(run("compare", "random", "euclidean", "--zoo", "made-up-v1", "--json").out)
    assert {entry["interval"] for entry in found["entries"].values()} == {None}


def test_compare__takes_paths_and_the_newest_record_of_a_name(run, zoo, make_zoo):
    folder = wsbench.home() / "records" / zoo
    (old,) = folder.glob("random-*.json")
    assert run("evaluate", "random", "--seed", 1, "--zoo", make_zoo("again", models=50)).status == 0
    (new,) = set(folder.glob("random-*.json")) - {old}
    found = json.loads(run("compare", "random", old, "--zoo", zoo, "--json").out)
    assert (found["a"], found["b"]) == (str(new), str(old))


def test_compare__names_the_nearest_method_that_has_a_record(run, zoo):
    complaint = run("compare", "euclidian", "random", "--zoo", zoo).complaint()
    assert "unknown method 'euclidian'; did you mean 'euclidean'? Known: euclidean," in complaint
    assert "wsbench evaluate writes records there" in complaint
