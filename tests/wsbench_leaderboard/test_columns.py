"""Tables over all tasks: columns come from the catalogue, also those of a task that is added."""

from types import SimpleNamespace

import pytest

import wsbench
from wsbench.tasks import ordering
from wsbench.tasks.score import Column, ScoreSpec, score_of_models
from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.columns import columns
from wsbench_leaderboard.site import cells
from wsbench_leaderboard.site.render import render
from wsbench_leaderboard.tables import markdown


@pytest.fixture
def precedence(monkeypatch) -> SimpleNamespace:
    """A fourth task in the catalogue, answered and scored like ordering."""
    task = SimpleNamespace(
        NAME="precedence",
        VERSION=1,
        QUESTION="which of two checkpoints was written first?",
        ARRAYS=ordering.ARRAYS,
        LEAVES_OUT=(),
        SCORES=(ScoreSpec("pairs", "pairs right", "share of pairs in order", is_primary=True),),
        COLUMNS=(Column("pairs"), Column(robustness="compression"), Column("pairs", "int8")),
        run=ordering.run,
        check=ordering.check,
        scores=lambda *given: {"pairs": score_of_models(task.by_model(*given), task.SCORES[0])},
        by_model=lambda *given: (ordering.by_model(*given) + 3) / 4,
        chance=lambda truth: 0.0,
    )
    monkeypatch.setitem(wsbench.TASKS, task.NAME, task)
    return task


@pytest.fixture
def folder(precedence, make_zoo, tmp_path):
    """The record of a method that was asked the first and the fourth task."""
    suite = wsbench.find_suite(None, ["identification", "precedence"], ["none", "int8"])
    method, zoo = wsbench.load_method("euclidean"), wsbench.load_zoo(make_zoo(models=30))
    wsbench.save_record(wsbench.evaluate(method, zoo, suite=suite), tmp_path / "records")
    return tmp_path / "records"


def test_columns__are_those_of_all_tasks():
    found = [(c.task, c.score, c.perturbation, c.is_ranked) for c in columns()]
    assert found == [
        ("identification", "map_at_r", "none", True),
        ("identification", "compression", "", False),
        ("identification", "symmetry", "", False),
        ("identification", "map_at_r", "permute", False),
        ("ordering", "kendall_tau", "none", True),
        ("retrieval", "map_at_r", "permute+int8", False),
        ("retrieval", "tpr_at_1_fpr", "permute+int8", False),
    ]
    assert all(column.meaning for column in columns())


def test_headings__on_the_site_name_the_perturbation_once():
    assert cells.groups(columns()) == [
        ("Identification", 4), ("Ordering", 1), ("Retrieval, permute+int8", 2), ("Cost", 2),
    ]  # fmt: skip
    assert [heading.text.replace("\u00a0", " ") for heading in cells.headings(columns())] == [
        "MAP@R", "Compression", "Symmetry", "permute MAP@R", "tau", "MAP@R", "TPR at 1 % FPR",
    ]  # fmt: skip


def test_markdown__shows_a_task_that_was_added(folder):
    head, _, row = markdown(collect(folder)).splitlines()[2:]
    assert head.endswith(
        " | precedence pairs right [95 %] | compression robustness | int8 pairs right |"
    )
    score, robustness, under_int8 = row.strip(" |").split(" | ")[-3:]
    (rescored,) = collect(folder)
    assert score.startswith(f"{rescored.scores['precedence/none']['pairs'].value:.3f} [")
    assert robustness == f"{rescored.robustness['precedence']['compression'].value:.3f}"
    assert under_int8 == f"{rescored.scores['precedence/int8']['pairs'].value:.3f}"


def test_render__shows_a_task_that_was_added(folder, parse, precedence):
    pages = {name: parse(page).text for name, page in render(collect(folder), folder).items()}
    index, rules = pages["index.html"], pages["rules.html"]
    (method,) = (text for name, text in pages.items() if name.startswith("methods/"))
    assert "\nPrecedence\n" in index
    assert "\nint8 pairs right\n" in index
    assert precedence.QUESTION in index
    assert precedence.QUESTION.capitalize() in rules
    assert "share of pairs in order" in rules
    assert "precedence 1 of 1" in method.lower()
    assert "pairs right of precedence" in method
    assert "pairs\u00a0right" in method
