"""Progress of a run on stderr, by a clock of the test's own."""

import re
import time

import pytest

from wsbench.cli.progress import evaluation_progress
from wsbench.evaluation.evaluate import EvaluationState


@pytest.fixture
def clock(monkeypatch):
    """Let time pass by adding seconds to the list that is returned."""
    passed = []
    monkeypatch.setattr(time, "monotonic", lambda: sum(passed))
    return passed


def work(progress, clock, label, seconds, n_conditions=4, n_resumed=0):
    """Report the conditions of one method, each after some seconds."""
    report = progress.method(label)
    report(EvaluationState(n_conditions, n_resumed, n_resumed))
    for n_done in range(n_resumed + 1, n_conditions + 1):
        clock.append(seconds)
        report(EvaluationState(n_conditions, n_resumed, n_done))


def test_lines__count_all_methods_and_estimate_those_to_come_by_those_measured(clock, capsys):
    with evaluation_progress(3) as progress:
        work(progress, clock, "fast", 6)
        work(progress, clock, "slow", 12)
        work(progress, clock, "last", 6)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "evaluating: 12 conditions"
    assert lines[1] == "evaluating: 1/12 conditions, fast (1 of 3), 1 min 06 s left"  # 11 × 6 s
    # 3 × 12 s of this method, and 4 times the mean of 6 s and 12 s
    assert "evaluating: 5/12 conditions, slow (2 of 3), 1 min 12 s left" in lines
    assert lines[-1] == "evaluating: 12/12 conditions, last (3 of 3)"


def test_lines__of_a_long_run_are_few(clock, capsys):
    with evaluation_progress(1) as progress:
        work(progress, clock, "slow", 1, n_conditions=3600)
    assert len(capsys.readouterr().err.splitlines()) < 60


def test_long_run__says_once_how_long_after_the_first_condition(clock, capsys):
    with evaluation_progress(10) as progress:
        for i in range(10):
            work(progress, clock, f"method-{i}", 5)
    said = [line for line in capsys.readouterr().err.splitlines() if "about" in line]
    assert said == [
        "evaluating: about 3 min more, going by 1 of 10 evaluations; Ctrl-C stops, and the same"
        " command resumes"
    ]


def test_long_run__says_it_again_if_it_takes_twice_as_long(clock, capsys):
    with evaluation_progress(3) as progress:
        for label, seconds in (("a", 20), ("b", 2000), ("c", 20)):
            work(progress, clock, label, seconds)
    said = re.findall(r"about [\d.]+ \w+ more, going by \d of 3", capsys.readouterr().err)
    assert said == ["about 4 min more, going by 1 of 3", "about 2.8 h more, going by 2 of 3"]


def test_short_run__announces_nothing(clock, capsys):
    with evaluation_progress(2) as progress:
        work(progress, clock, "a", 15)
        work(progress, clock, "b", 15, n_resumed=2)
    err = capsys.readouterr().err
    assert "about" not in err
    assert "8 conditions" in err


def test_resumed_conditions__count_as_done_and_not_as_fast(clock, capsys):
    with evaluation_progress(1) as progress:
        work(progress, clock, "a", 10, n_resumed=2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "evaluating: 4 conditions, 2 done before"
    assert lines[1] == "evaluating: 3/4 conditions, a (1 of 1), 10 s left"


def test_terminal__has_one_bar_for_all_methods(on_terminal, make_zoo):
    shown = on_terminal("evaluate", "euclidean", "random", "--zoo", make_zoo(models=10)).out
    totals = set(re.findall(r"\d+/(\d+) conditions", shown))
    assert totals == {"8"}
    assert re.search(r"8/8 conditions, random \(2 of 2\)", shown)
