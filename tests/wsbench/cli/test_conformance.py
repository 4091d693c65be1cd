import json

import pytest

from wsbench.methods.conformance import check_method


def test_check__prints_a_line_for_each_check_and_what_is_next(run):
    result = run("check", "svd", "--set", "k=3")
    *lines, verdict, following = result.out.splitlines()
    assert result.status == 0
    assert len(lines) == len(check_method("svd"))
    assert all(line.split()[0] in ("passed", "skipped") for line in lines)
    assert (verdict, following) == ("svd 1: conforms", "next: wsbench evaluate svd --set k=3")


@pytest.fixture
def broken(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("def centred(weights):\n    return weights - weights.mean()\n")
    return path


def test_check__exits_1_and_says_why_if_a_check_fails(run, broken):
    result = run("check", f"{broken}:centred")
    assert result.status == 1
    assert "failed   a subset gives the rows of the whole: a row among others and" in result.out
    assert result.out.endswith("centred 1: 1 checks failed\n")


def test_check__json_holds_the_findings(run, broken):
    result = run("check", f"{broken}:centred", "--json")
    assert result.status == 1
    found = json.loads(result.out)
    assert (found["method"], found["failed"]) == ("centred", 1)
    assert {"check", "status", "detail"} == set(found["findings"][0])


def test_check__on_a_zoo_says_so_in_what_is_next(run, make_zoo):
    zoo = make_zoo(models=50)
    result = run("check", "euclidean", "--zoo", zoo)
    assert result.status == 0
    assert result.out.endswith(f"conforms\nnext: wsbench evaluate euclidean --zoo {zoo}\n")
    assert json.loads(run("check", "euclidean", "--zoo", zoo, "--json").out)["zoo"] == str(zoo)
    assert "unknown zoo 'nosuch'" in run("check", "euclidean", "--zoo", "nosuch").complaint()
