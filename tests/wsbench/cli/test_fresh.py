"""``evaluate --fresh`` and ``--fit-on``."""

import json
import shutil

import pytest

import wsbench

TEXT = "a text of tomorrow"


@pytest.fixture(scope="module")
def home(tmp_path_factory, digits_zoo_folder):
    """A home in which the fresh models are trained once."""
    root = tmp_path_factory.mktemp("fresh-home")
    shutil.copytree(digits_zoo_folder, root / "zoos" / "digits-mlp-v1")
    return root


@pytest.fixture
def evaluate(run, home, monkeypatch, tmp_path):
    monkeypatch.setenv("WSBENCH_HOME", str(home))
    asked = ["evaluate", "--zoo", "digits-mlp-v1", "--records", tmp_path / "records"]
    return lambda *arguments: run(*asked, *arguments)


def test_fresh__shows_the_published_score_and_the_difference_with_its_interval(evaluate, tmp_path):
    result = evaluate("euclidean", "norm", "--fresh", TEXT)
    assert result.status == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("digits-mlp-fresh-")
    assert "fitted on train models of digits-mlp-v1, scored on 10 test models" in lines[0]
    start = lines.index("overall on fresh models, beside the published ones:")
    records = {
        path.parent.name.count("fresh"): wsbench.load_record(path)
        for path in (tmp_path / "records").glob("*/euclidean-*.json")
    }
    assert records[1].content.fresh_text == TEXT
    assert records[1].content.fit_on == records[0].content.zoo
    published, fresh = (records[i].tracks["overall"]["overall"].value for i in (0, 1))
    row = next(line.split() for line in lines[start:] if line.startswith("euclidean"))
    assert row[1:4] == [f"{published:.3f}", f"{fresh:.3f}", f"{fresh - published:+.3f}"]
    low, high = float(row[4]), float(row[6])
    assert low < fresh - published < high
    assert f"wsbench evaluate euclidean --zoo digits-mlp-v1 --fresh '{TEXT}'" in records[1].command


def test_fresh__takes_the_published_score_from_an_earlier_record(evaluate, tmp_path):
    assert evaluate("norm").status == 0
    (path,) = (tmp_path / "records").glob("*/norm-*.json")
    before = path.stat().st_mtime_ns
    found = json.loads(evaluate("norm", "--fresh", TEXT, "--json").out)
    assert path.stat().st_mtime_ns == before
    gap = found["methods"][0]["gaps"]["overall"]
    assert gap["published"] == wsbench.load_record(path).tracks["overall"]["overall"].value
    assert gap["difference"] == pytest.approx(gap["fresh"] - gap["published"])


def test_fit_on__is_shown_and_recorded(evaluate, make_zoo, tmp_path, run):
    source, other = (
        make_zoo("source", models=30),
        make_zoo("other", models=40, id="other-v1", recipe=""),
    )
    result = run("evaluate", "svd", "--zoo", other, "--fit-on", source, "--records", tmp_path)
    assert result.status == 0
    assert result.out.startswith(
        "other-v1, suite smoke 2: fitted on train models of made-up-v1, scored on 8 test models"
    )
    (path,) = (tmp_path / "other-v1").glob("svd-*.json")
    record = wsbench.load_record(path)
    assert record.content.fit_on.id == "made-up-v1"
    assert "--fit-on made-up-v1" in record.command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--fresh", ""], "fresh models need a text"),
        (["--fresh", TEXT, "--seed", "1"], "a fresh zoo brings its seed"),
        (["--fresh", TEXT, "--fit-on", "mnist-mlp-v1"], "give one or the other"),
        (["--fit-on", "digits-cnn-v1"], "their networks have different layouts"),
    ],
)
def test_fresh__refuses_what_does_not_go_together(evaluate, arguments, message):
    assert message in evaluate("norm", *arguments).complaint().replace("wsbench: ", "")
