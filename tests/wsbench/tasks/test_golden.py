"""Scores of stored answers stay what they are while the version of their task stays."""

import re
from types import SimpleNamespace

import pytest

from support import golden
from wsbench.tasks import robustness
from wsbench.tasks.catalogue import TASKS
from wsbench.tasks.score import Score


def test_golden__scores_and_versions_are_those_that_are_stored():
    assert golden.complaints() == []


def test_golden__holds_answers_to_every_task_and_no_score_that_is_trivial():
    stored = golden.stored_scores()
    assert set(stored["versions"]) == {*TASKS, "robustness"}
    assert len(stored["methods"]) == 3
    for name, task in TASKS.items():
        for spec in task.SCORES:
            values = {
                scores[spec.name]["value"]
                for method in stored["methods"].values()
                for entry, scores in method["scores"].items()
                if entry.startswith(f"{name}/")
            }
            assert len(values) >= 3, (name, spec.name)


TASKS_BEFORE = dict(TASKS)


def changed(task, **names):
    """Return a task of which some names are others."""
    return SimpleNamespace(**vars(TASKS[task]) | names)


def moved_scores(task, name, by):
    def scores(answers, truth):
        found = TASKS_BEFORE[task].scores(answers, truth)
        return found | {name: Score(found[name].value + by, found[name].interval)}

    return scores


@pytest.mark.parametrize(
    ("task", "name"),
    [(task, spec.name) for task, found in TASKS.items() for spec in found.SCORES
     if spec.name != "margin"],
)  # fmt: skip
def test_golden__a_score_that_moves_by_1e_11_is_named_and_what_to_do(monkeypatch, task, name):
    monkeypatch.setitem(TASKS, task, changed(task, scores=moved_scores(task, name, 1e-11)))
    (complaint,) = golden.complaints()
    assert complaint.startswith(f"scores of {task} moved: CityBlock {task}/int4 {name} was [")
    assert (
        f"raise VERSION in wsbench/tasks/{task.replace('-', '_')}.py, name the change in CHANGELOG"
        in complaint
    )
    assert "python -m support.golden" in complaint


def test_golden__a_score_that_is_gone_or_new_is_named(monkeypatch):
    def renamed(answers, truth):
        found = TASKS_BEFORE["ordering"].scores(answers, truth)
        return {"tau" if name == "kendall_tau" else name: one for name, one in found.items()}

    monkeypatch.setitem(TASKS, "ordering", changed("ordering", scores=renamed))
    (complaint,) = golden.complaints()
    assert re.search(r"kendall_tau was \[.*\], now \[nan, nan, nan\]", complaint)


def test_golden__robustness_that_moves_is_named(monkeypatch):
    monkeypatch.setattr(robustness, "robustness", lambda *arguments: Score(0.5))
    (complaint,) = golden.complaints()
    assert complaint.startswith("scores of robustness moved: CityBlock identification compression")
    assert "raise VERSION in wsbench/tasks/robustness.py" in complaint


def test_golden__a_version_that_was_raised_is_to_be_stored(monkeypatch):
    scores = moved_scores("ordering", "kendall_tau", 0.1)
    monkeypatch.setitem(
        TASKS, "ordering", changed("ordering", scores=scores, VERSION=TASKS["ordering"].VERSION + 1)
    )
    (complaint,) = golden.complaints()
    assert complaint.startswith("ordering has another version than is stored: run python -m supp")


def test_golden__the_command_refuses_scores_that_moved_under_the_same_version(
    monkeypatch, tmp_path
):
    stored = golden.SCORES_FILE.read_text()
    monkeypatch.setattr(golden, "SCORES_FILE", tmp_path / "scores.json")
    golden.SCORES_FILE.write_text(stored)
    scores = moved_scores("ordering", "kendall_tau", 0.1)
    monkeypatch.setitem(TASKS, "ordering", changed("ordering", scores=scores))
    with pytest.raises(SystemExit, match=r"VERSION in wsbench/tasks/ordering.py is what it was"):
        golden.write_scores()
    assert golden.SCORES_FILE.read_text() == stored
    monkeypatch.setitem(
        TASKS, "ordering", changed("ordering", scores=scores, VERSION=TASKS["ordering"].VERSION + 1)
    )
    golden.write_scores()
    assert golden.complaints() == []
