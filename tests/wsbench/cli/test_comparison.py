import dataclasses
import json

import pytest

import wsbench
from support.records import rewrite
from support.zoos import write_made_up_zoo


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory):
    """Three methods on one zoo."""
    zoo = wsbench.load_zoo(write_made_up_zoo(tmp_path_factory.mktemp("compared") / "zoo", 50))
    methods = ["euclidean", "random", wsbench.load_method("svd", {"k": 12})]
    return [wsbench.evaluate(method, zoo) for method in methods]


@pytest.fixture
def zoo(evaluations):
    """The zoo that the records in this test's home are of."""
    for evaluation in evaluations:
        wsbench.save_record(evaluation)
    return "made-up-v1"


def test_compare__prints_difference_interval_and_verdict_for_each_entry(run, zoo):
    result = run("compare", "euclidean", "random", "--zoo", zoo)
    assert result.status == 0
    first, second, heading, *entries = result.out.splitlines()
    assert first.startswith("made-up-v1: euclidean (euclidean-")
    assert second.strip().startswith("random (random-")
    assert heading.split() == ["entry", "euclidean", "random", "difference", "95", "%", "p"]
    entries = entries[: entries.index("")]
    tracks = ("as-written", "both", "compression", "symmetry")
    assert [line.split()[0] for line in entries] == [
        "overall",
        *(f"overall/{track}" for track in tracks),
        *(
            f"{task}/{perturbation}"
            for task in wsbench.SUITES["smoke"].tasks
            for perturbation in ("none", "int8", "permute", "permute+int8")
        ),
    ]
    assert entries[0].endswith("euclidean is better")
    assert entries[1].endswith("euclidean is better")
    assert entries[5].endswith("euclidean is better")


def test_compare__says_what_is_not_separable(run, zoo):
    result = run("compare", "euclidean", "svd k=12", "--zoo", zoo)
    assert result.out.splitlines()[3].endswith("+0.000 +0.000 … +0.000  1.0000  not separable")


def test_compare__json_holds_what_the_python_interface_returns(run, zoo):
    found = json.loads(run("compare", "euclidean", "random", "--zoo", zoo, "--json").out)
    a, b = (wsbench.load_record(found[name]) for name in "ab")
    for entry, expected in wsbench.compare(a, b).items():
        assert found["entries"][entry]["difference"] == expected.difference
        assert tuple(found["entries"][entry]["interval"]) == expected.interval
        assert found["entries"][entry]["p"] == expected.p
        assert found["entries"][entry]["separable"] is expected.separable


def test_compare__of_one_or_two_test_models_gives_no_interval_and_says_why(run, make_zoo):
    assert run("evaluate", "random", "euclidean", "--zoo", make_zoo(models=10)).status == 0
    result = run("compare", "random", "euclidean", "--zoo", "made-up-v1")
    assert result.status == 0
    rows = [line for line in result.out.splitlines() if "/none" in line]
    assert len(rows) == 4
    rows += [line for line in result.out.splitlines() if line.startswith("overall ")][:1]
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


def test_compare__of_a_failed_method_or_a_record_without_entries_is_one_line(
    run, zoo, make_zoo, tmp_path
):
    (tmp_path / "bad.py").write_text("def bad(weights):\n    return None\n")
    folder = make_zoo("again", models=50)
    assert run("evaluate", f"{tmp_path}/bad.py:bad", "--zoo", folder).status == 1
    line = run("compare", "bad", "euclidean", "--zoo", zoo).complaint()
    assert line.endswith("the method failed, so there is nothing to compare")
    clean = wsbench.find_suite(None, ["identification"], ["none"])
    result = wsbench.evaluate("svd", wsbench.load_zoo(folder), suite=clean)
    empty = wsbench.save_record(dataclasses.replace(result, answers={}, scores={}))
    assert empty.scores == {}
    for pair in ((empty.path, "euclidean"), ("euclidean", empty.path), (empty.path, empty.path)):
        assert run("compare", *pair, "--zoo", zoo).complaint().endswith("no entry in common")


def test_compare__shows_the_scores_of_the_answers_where_a_record_names_none(run, zoo):
    (path,) = (wsbench.home() / "records" / zoo).glob("euclidean-*.json")
    forged = rewrite(wsbench.load_record(path), lambda c: c.update(scores={}), rename=True)
    result = run("compare", forged, "random", "--zoo", zoo)
    assert result.status == 0
    (row,) = (line for line in result.out.splitlines() if line.startswith("identification/none"))
    expected = wsbench.rescore(forged)["identification/none"]["map_at_r"].value
    assert f"{expected:.3f}" in row


@pytest.mark.parametrize("columns", [80, 130])
def test_compare__fits_the_terminal(on_terminal, zoo, columns):
    result = on_terminal("compare", "euclidean", "svd k=12", "--zoo", zoo, columns=columns)
    lines = result.out.splitlines()
    assert result.status == 0
    assert all(len(line) <= columns for line in lines[2:])
    found = wsbench.compare(
        *(
            wsbench.find_record(n, wsbench.home() / "records" / zoo)
            for n in ("euclidean", "svd k=12")
        )
    )
    differences = [line for line in lines if "…" in line]
    assert len(differences) == len(found)
    for line, comparison in zip(differences, found.values(), strict=True):
        low, high = comparison.interval
        assert f" {comparison.difference:+z.3f} {low:+z.3f} … {high:+z.3f} " in line
    if columns == 80:
        assert lines[0].startswith("made-up-v1: A euclidean (")
        assert lines[1].startswith("            B svd k=12 (")
        assert lines[2].split() == ["entry", "A", "B", "difference", "95", "%", "p", "better"]
        assert "identification" in lines
    else:
        assert any(line.startswith("identification/none ") for line in lines)


def test_compare__explains_its_rows_and_columns(run, zoo):
    lines = run("compare", "euclidean", "random", "--zoo", zoo).out.splitlines()
    legend = {
        line[2:].partition("  ")[0]: line[2:].partition("  ")[2].strip()
        for line in lines[lines.index("columns") + 1 :]
    }
    assert legend["overall"] == ("mean over the tracks of identification and sparse-identification")
    assert legend["both"].startswith("under permute+int8: hidden units in a random order")
    assert {"as-written", "symmetry", "compression", "difference", "p", "better"} <= set(legend)


def test_compare__of_two_suites_says_why_there_is_no_overall(run, zoo, make_zoo):
    folder = make_zoo("again", models=50)
    asked = ["--zoo", folder, "--task", "ordering"]
    assert run("evaluate", "random", *asked).status == 0
    out = run("compare", "euclidean", "random", "--zoo", zoo).out
    assert (
        "left out, since it is of one suite, and these records are of smoke 2 and custom 1" in out
    )
    assert [line.split()[0] for line in out.splitlines()[3:4]] == ["ordering/none"]
