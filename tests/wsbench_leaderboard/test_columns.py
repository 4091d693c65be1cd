"""Tables over all tasks: columns come from the catalogue, also those of a task that is added."""

from types import SimpleNamespace

import pytest

import wsbench
from wsbench.tasks import ordering
from wsbench.tasks import score as task_scores
from wsbench.tasks.score import ScoreSpec, score_of_models
from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.columns import Column, columns
from wsbench_leaderboard.site import cells
from wsbench_leaderboard.site.render import render
from wsbench_leaderboard.tables import markdown


@pytest.fixture
def pairs(monkeypatch) -> SimpleNamespace:
    """Another task in the catalogue, answered and scored like ordering."""
    task = SimpleNamespace(
        NAME="pairs",
        VERSION=1,
        QUESTION="which of two checkpoints was written first?",
        ARRAYS=ordering.ARRAYS,
        LEAVES_OUT=(),
        SCORES=(ScoreSpec("pairs", "pairs right", "share of pairs in order", is_primary=True),),
        COLUMNS=(
            task_scores.Column("pairs"),
            task_scores.Column(robustness="compression"),
            task_scores.Column("pairs", "int8"),
        ),
        run=ordering.run,
        check=ordering.check,
        scores=lambda *given: {"pairs": score_of_models(task.by_model(*given), task.SCORES[0])},
        by_model=lambda *given: (ordering.by_model(*given) + 3) / 4,
        chance=lambda truth: 0.0,
    )
    monkeypatch.setitem(wsbench.TASKS, task.NAME, task)
    return task


@pytest.fixture
def folder(pairs, make_zoo, tmp_path):
    """The record of a method that was asked the first and the added task."""
    suite = wsbench.find_suite(None, ["identification", "pairs"], ["none", "int8"])
    method, zoo = wsbench.load_method("euclidean"), wsbench.load_zoo(make_zoo(models=30))
    wsbench.save_record(wsbench.evaluate(method, zoo, suite=suite), tmp_path / "records")
    return tmp_path / "records"


def test_columns__are_the_overall_score_its_tracks_and_the_other_tasks():
    found = [(c.task, c.score, c.perturbation, c.is_ranked) for c in columns()]
    assert found == [
        ("overall", "overall", "", True),
        ("overall", "as-written", "", False),
        ("overall", "symmetry", "", False),
        ("overall", "compression", "", False),
        ("overall", "both", "", False),
        ("precedence", "overall", "", True),
        ("retrieval", "overall", "", True),
        ("ordering", "overall", "", True),
    ]
    assert all(column.meaning for column in columns())


def test_headings__on_the_site_name_the_perturbation_once():
    assert cells.groups(columns()) == [
        ("Overall and its tracks", 5), ("Other tasks", 3), ("Cost", 2),
    ]  # fmt: skip
    assert [heading.text for heading in cells.headings(columns())] == [
        "Overall", "As written", "Symmetry", "Compression", "Both",
        "Precedence", "Retrieval", "Ordering",
    ]  # fmt: skip
    shown = [
        Column("retrieval", score, heading, "", "permute+int8", "scores")
        for score, heading in (("map_at_r", "MAP@R"), ("tpr_at_1_fpr", "TPR at 1 % FPR"))
    ]
    assert cells.groups(shown) == [("Retrieval, permute+int8", 2), ("Cost", 2)]
    assert [heading.text.replace("\u00a0", " ") for heading in cells.headings(shown)] == [
        "MAP@R", "TPR at 1 % FPR",
    ]  # fmt: skip


def test_markdown__shows_a_task_that_was_added(folder):
    head, _, row = markdown(collect(folder)).splitlines()[2:]
    assert head.endswith(" | pairs pairs right | compression robustness | int8 pairs right |")
    score, robustness, under_int8 = row.strip(" |").split(" | ")[-3:]
    (rescored,) = collect(folder)
    assert score == f"{rescored.scores['pairs/none']['pairs'].value:.3f}"
    assert robustness == f"{rescored.robustness['pairs']['compression'].value:.3f}"
    assert under_int8 == f"{rescored.scores['pairs/int8']['pairs'].value:.3f}"


def test_render__shows_a_task_that_was_added(folder, parse, pairs):
    pages = {name: parse(page).text for name, page in render(collect(folder), folder).items()}
    index, rules = pages["index.html"], pages["rules.html"]
    (method,) = (text for name, text in pages.items() if name.startswith("methods/"))
    assert "\nPairs\n" in index
    assert "\nint8 pairs right\n" in index
    assert pairs.QUESTION in index
    assert pairs.QUESTION.capitalize() in rules
    assert "share of pairs in order" in rules
    assert "pairs 1 of 1" in method.lower()
    assert "pairs right of pairs" in method
    assert "pairs\u00a0right" in method
