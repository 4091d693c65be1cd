"""A task is added by one module and a row of the catalogue; everything else follows."""

import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

import wsbench
from support import adjacency
from support.records import rewrite
from support.zoos import write_made_up_zoo
from wsbench.records.rescoring import rescore_all
from wsbench.storage.npz import pack, unpack
from wsbench.tasks.catalogue import TASKS, primary_score
from wsbench_leaderboard.site.build import build

PERTURBATIONS = ["none", "permute", "int8", "int4"]


@pytest.fixture
def added(monkeypatch):
    """The catalogue with the new task."""
    monkeypatch.setitem(TASKS, adjacency.NAME, adjacency)


@pytest.fixture
def zoo(make_zoo):
    """The folder of a zoo with six test models."""
    return make_zoo(models=30, epochs=6)


@pytest.fixture(scope="module")
def evaluations(tmp_path_factory):
    """Two methods that were asked all tasks."""
    folder = write_made_up_zoo(tmp_path_factory.mktemp("asked") / "zoo", models=30, epochs=6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TASKS, adjacency.NAME, adjacency)
        zoo, suite = wsbench.load_zoo(folder), wsbench.find_suite(perturbations=PERTURBATIONS)
        return [wsbench.evaluate(name, zoo, suite=suite) for name in ("euclidean", "random")]


@pytest.fixture
def records(added, evaluations):
    """The records of both; a test may change them."""
    return [wsbench.save_record(evaluation) for evaluation in evaluations]


class Words(HTMLParser):
    """The words of a page, in order."""

    def __init__(self, page):
        super().__init__()
        self.words = []
        self.feed(page.read_text())

    def handle_data(self, data):
        self.words.append(" ".join(data.replace("\u00a0", " ").split()))


def test_help__names_the_task():
    program = (
        "from wsbench.tasks.catalogue import TASKS\nfrom support import adjacency\n"
        "TASKS['adjacency'] = adjacency\nfrom wsbench.cli import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "evaluate", "--help"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parent,
    )  # fmt: skip
    shown = " ".join(re.sub("[│╭╮╰╯─]", " ", done.stdout).split())
    assert f"{', '.join(n for n in TASKS if n != 'adjacency')}, adjacency" in shown


def test_evaluate__asks_it_and_prints_its_table(added, run, zoo):
    asked = ["--task", "adjacency", *(f"--perturb={name}" for name in ("none", "permute"))]
    result = run("evaluate", "euclidean", "random", "--zoo", zoo, *asked)
    assert result.status == 0
    lines = result.out.splitlines()
    (title,) = (i for i, line in enumerate(lines) if "adjacency:" in line)
    assert lines[title].strip() == f"adjacency: {adjacency.QUESTION}"
    headings = " ".join(lines[title + 1 : title + 4])
    for heading in ("method", "rank", "next door 95 %", "permute", "epochs off"):
        assert heading in headings
    rows = [line.split()[0] for line in lines[title:] if re.match(r" ?(euclidean|random) ", line)]
    assert rows == ["euclidean", "random"]
    assert "identification:" not in result.out


def test_evaluate__does_not_ask_it_under_what_it_leaves_out(added, zoo):
    suite = wsbench.find_suite(perturbations=["none", *adjacency.LEAVES_OUT])
    found = wsbench.evaluate("euclidean", wsbench.load_zoo(zoo), suite=suite)
    assert found.error is None
    assert set(found.scores) == {
        f"{task}/{name}" for task, module in TASKS.items() for name in suite.perturbations
        if name not in module.LEAVES_OUT
    }  # fmt: skip
    assert not any(f"{adjacency.NAME}/{name}" in found.scores for name in adjacency.LEAVES_OUT)
    assert "compression" in found.robustness["ordering"]
    assert adjacency.NAME not in found.robustness


def test_evaluate__of_a_task_that_is_not_there_names_the_nearest(added, run, zoo):
    complaint = run("evaluate", "--task", "adjacence", "--zoo", zoo).complaint()
    assert "unknown task 'adjacence'; did you mean 'adjacency'?" in complaint


def test_evaluate__json_has_scores_robustness_and_rank(added, run, zoo):
    asked = ["--task", "adjacency", *(f"--perturb={name}" for name in PERTURBATIONS)]
    result = run("evaluate", "euclidean", "--zoo", zoo, *asked, "--json")
    (method,) = json.loads(result.out)["methods"]
    assert set(method["scores"]) == {f"adjacency/{name}" for name in PERTURBATIONS}
    scores = method["scores"]["adjacency/none"]
    assert 0.5 < scores["adjacent"]["value"] <= 1
    assert scores["adjacent"]["interval"] is not None
    assert scores["gap"]["value"] >= 1
    assert 0 < method["robustness"]["adjacency"]["compression"]["value"] <= 1.2
    assert method["rank"]["adjacency"] == [1, 1]


def test_record__survives_the_disk_is_rescored_and_names_the_version(records):
    for record in records:
        loaded = wsbench.load_record(record.path)
        assert loaded.content == record.content
        assert loaded.content.versions["adjacency"] == adjacency.VERSION
        assert "adjacency" in loaded.content.suite.tasks
        scored = rescore_all(loaded)
        assert (scored.scores, scored.robustness) == (record.scores, record.robustness)
        assert "--task adjacency" in loaded.command


def test_record__of_another_version_is_stale(records, monkeypatch):
    assert not records[0].is_stale
    monkeypatch.setattr(adjacency, "VERSION", adjacency.VERSION + 1)
    assert records[0].is_stale


def test_record__with_a_score_out_of_its_range_is_refused(records):
    def boast(content):
        content["scores"]["adjacency/none"]["adjacent"]["value"] = 1.5

    with pytest.raises(wsbench.FormatError, match=r"adjacency/none.adjacent: got 1.5, allowed is"):
        wsbench.load_record(rewrite(records[0], boast))


def test_record__with_answers_that_no_method_can_give_is_refused(records):
    record = records[0]
    path = record.path.with_name(record.content.answers.file)
    arrays = unpack(path.read_bytes())
    arrays["adjacency/none/nearest"][0] = 0
    data = pack(arrays)
    path.write_bytes(data)
    pointer = replace(record.content.answers, sha256=hashlib.sha256(data).hexdigest())
    forged = wsbench.Record(record.path, replace(record.content, answers=pointer))
    with pytest.raises(wsbench.FormatError, match="adjacency/none: nearest: must be another row"):
        wsbench.rescore(forged)


def test_record__is_refused_by_name_where_the_task_is_unknown(records, monkeypatch):
    monkeypatch.delitem(TASKS, "adjacency")
    with pytest.raises(
        wsbench.FormatError, match="got the entry 'adjacency/int4', known tasks are"
    ):
        wsbench.load_record(records[0].path)


def test_compare__compares_it(records):
    found = wsbench.compare(*records)["adjacency/none"]
    assert found.difference > 0.2
    assert found.separable


def cell(record, entry, name):
    score = record.scores[entry][name]
    return f"{score.value:.3f}"


def test_leaderboard__the_tables_have_a_column_of_it(records, run):
    folder = records[0].path.parents[1]
    shown = run("leaderboard", "table", folder).out
    heading, _, *rows = [line for line in shown.splitlines() if line.startswith("|")]
    names = [name.strip() for name in heading.strip("|").split("|")]
    place = names.index("adjacency next door")
    for record, row in zip(records, rows, strict=True):
        assert record.method in row
        shown = row.strip("|").split("|")[place].strip()
        assert shown == cell(record, "adjacency/none", "adjacent")
    results = json.loads(run("leaderboard", "table", folder, "--json").out)
    for record, found in zip(records, results, strict=True):
        assert found["scores"]["adjacency/none"]["gap"]["value"] == (
            record.scores["adjacency/none"]["gap"].value
        )


def test_leaderboard__the_site_shows_it_on_every_page(records, tmp_path):
    pages = {page.relative_to(tmp_path / "site").as_posix(): Words(page).words
             for page in build(records[0].path.parents[1], tmp_path / "site")}  # fmt: skip
    assert "Adjacency" in pages["rules.html"]
    assert any(adjacency.QUESTION.capitalize() in text for text in pages["rules.html"])
    assert "Adjacency" in pages["index.html"]
    assert primary_score("adjacency").heading in pages["index.html"]
    for record in records:
        for name, words in pages.items():
            if name.startswith(f"methods/{record.method}"):
                assert "Adjacency" in words
                assert "epochs off" in words
                assert cell(record, "adjacency/int4", "gap") in words
                assert any("next door of adjacency" in text for text in words)  # its curves
        assert cell(record, "adjacency/none", "adjacent") in pages["index.html"]
