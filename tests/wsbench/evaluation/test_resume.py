"""Evaluations that are interrupted, and resumed."""

import json
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import wsbench
from support.command_line import COMMAND
from support.methods import FirstThree, loaded
from wsbench.evaluation.resume import PartialResults

SUITE = wsbench.find_suite(None, ("identification", "retrieval"), ["none", "int8", "permute"])


class Counting(FirstThree):
    """Counts its calls, and raises KeyboardInterrupt in a certain one."""

    def __init__(self, stop_at=None):
        self.n_calls, self._stop_at = 0, stop_at

    def transform(self, checkpoints):
        self.n_calls += 1
        if self.n_calls == self._stop_at:
            raise KeyboardInterrupt
        return super().transform(checkpoints)


def test_evaluate__resumes_where_it_was_interrupted(zoo, tmp_path):
    whole = Counting()
    expected = wsbench.evaluate(loaded(whole), zoo, suite=SUITE)
    assert [*tmp_path.glob("unfinished/*")] == []
    with pytest.raises(KeyboardInterrupt):  # in the second call under the third condition
        wsbench.evaluate(loaded(Counting(5)), zoo, suite=SUITE, unfinished=tmp_path / "unfinished")
    (folder,) = tmp_path.glob("unfinished/*")
    assert sorted(path.name for path in folder.iterdir()) == ["int8.npz", "none.npz"]
    rest, states = Counting(), []
    found = wsbench.evaluate(
        loaded(rest), zoo, suite=SUITE, unfinished=tmp_path / "unfinished", progress=states.append
    )
    assert found.scores == expected.scores
    assert rest.n_calls == whole.n_calls - 3
    assert [(s.n_conditions, s.n_resumed, s.n_done) for s in states] == [
        (3, 2, i) for i in range(2, 4)
    ]
    assert not (tmp_path / "unfinished").exists()


def test_evaluate__says_what_is_resumed_and_of_when(zoo, tmp_path, caplog):
    with pytest.raises(KeyboardInterrupt):
        wsbench.evaluate(loaded(Counting(5)), zoo, suite=SUITE, unfinished=tmp_path / "unfinished")
    assert caplog.messages == []
    for file in tmp_path.glob("unfinished/*/*.npz"):
        os.utime(file, (0, 951827696))
    wsbench.evaluate(loaded(Counting()), zoo, suite=SUITE, unfinished=tmp_path / "unfinished")
    (message,) = caplog.messages
    assert re.fullmatch(
        "wsbench: mine: 2 of 3 conditions are taken over from an earlier run, of"
        r" 2000-02-\d\d \d\d:\d\d",
        message,
    )


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b""])
def test_evaluate__computes_a_damaged_condition_again(zoo, tmp_path, damage):
    expected = wsbench.evaluate(loaded(Counting()), zoo, suite=SUITE)
    with pytest.raises(KeyboardInterrupt):
        wsbench.evaluate(loaded(Counting(5)), zoo, suite=SUITE, unfinished=tmp_path / "unfinished")
    (file,) = tmp_path.glob("unfinished/*/int8.npz")
    file.write_bytes(damage(file.read_bytes()))
    found = wsbench.evaluate(
        loaded(Counting()), zoo, suite=SUITE, unfinished=tmp_path / "unfinished"
    )
    assert found.scores == expected.scores


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"suite": wsbench.find_suite(None, ["ordering"], ["none"])}]
)
def test_evaluate__takes_over_no_condition_of_another_evaluation(zoo, tmp_path, other):
    with pytest.raises(KeyboardInterrupt):
        wsbench.evaluate(loaded(Counting(5)), zoo, suite=SUITE, unfinished=tmp_path / "unfinished")
    states = []
    options = {
        "suite": SUITE,
        "unfinished": tmp_path / "unfinished",
        "progress": states.append,
    } | other
    wsbench.evaluate(loaded(Counting()), zoo, **options)
    assert states[0].n_resumed == 0


def test_evaluate__keeps_no_condition_of_a_method_that_failed(zoo, tmp_path):
    class Late(Counting):
        def transform(self, checkpoints):
            if self.n_calls == 4:
                raise RuntimeError("no luck")
            return super().transform(checkpoints)

    result = wsbench.evaluate(loaded(Late()), zoo, suite=SUITE, unfinished=tmp_path / "unfinished")
    assert "no luck" in result.error
    assert not (tmp_path / "unfinished").exists()


def test_evaluate__does_not_blame_a_method_for_a_folder_that_cannot_be_written(zoo, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(wsbench.StorageError, match="cannot write: Not a directory"):
        wsbench.evaluate(loaded(Counting()), zoo, suite=SUITE, unfinished=tmp_path / "file")


@pytest.mark.slow
def test_evaluate__killed_and_run_again_gives_the_same_record(make_zoo, tmp_path):
    """kill -9, at a moment when some conditions are done."""
    folder = make_zoo(models=30, epochs=6)
    (tmp_path / "slow.py").write_text(
        "import time\nclass Slow:\n    def transform(self, checkpoints):\n"
        "        time.sleep(0.05)\n        return checkpoints.weights[:, :3]\n"
    )
    command = [
        *COMMAND, "evaluate",
        f"{tmp_path}/slow.py:Slow", "--zoo", str(folder), "--suite", "standard", "--json",
    ]  # fmt: skip
    records = wsbench.home() / "records"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while len([*records.glob("unfinished/*/*.npz")]) < 3:
        time.sleep(0.01)
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert [*records.glob("*/*.json")] == []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    n_conditions = len(wsbench.find_suite("standard").conditions(wsbench.load_zoo(folder).layout))
    resumed = re.findall(r", (\d+) done before", done.stderr)[0]
    assert 3 <= int(resumed) < n_conditions  # the last ones may be done before it is killed
    killed = json.loads(done.stdout)["methods"][0]["record"]
    whole = subprocess.run(
        [*command, "--records", str(tmp_path / "whole")], capture_output=True, text=True, check=True
    )
    again = json.loads(whole.stdout)["methods"][0]["record"]
    assert Path(killed).name == Path(again).name
    assert not (records / "unfinished").exists()


# --- several processes at once -------------------------------------------------------------------


def partial_results(folder, zoo):
    description = loaded(FirstThree()).description
    return PartialResults(folder, description, SUITE, zoo.content_digest, 0, 1)


def test_partial_results__are_saved_while_others_remove_theirs(zoo, tmp_path):
    """Four threads save and remove the same; rmtree takes away what another is writing."""
    conditions = SUITE.conditions(zoo.layout)

    def run(n_rounds):
        partial = partial_results(tmp_path / "unfinished", zoo)
        for _ in range(n_rounds):
            for condition in conditions:
                partial.save(condition, {"ordering": {"order": np.arange(9)}}, {"fit": 1.0})
            partial.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, [40] * 4))
    partial_results(tmp_path / "unfinished", zoo).remove()
    assert not (tmp_path / "unfinished").exists()


def test_partial_results__are_not_saved_where_nothing_can_be_written(zoo, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(wsbench.StorageError, match="Not a directory"):
        partial_results(tmp_path / "file", zoo).save(SUITE.conditions(zoo.layout)[0], {}, {})


def test_partial_results__of_a_killed_writer_are_removed_when_they_are_old(zoo, tmp_path):
    partial, condition = partial_results(tmp_path / "u", zoo), SUITE.conditions(zoo.layout)[0]
    partial.save(condition, {}, {})
    (folder,) = (tmp_path / "u").iterdir()
    old, new = folder / ".none.npz.0.tmp", folder / ".none.npz.1.tmp"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    partial.remove()
    assert [*folder.iterdir()] == [new]


@pytest.mark.slow
def test_evaluate__four_times_at_once_gives_one_record(make_zoo, tmp_path):
    zoo_folder = make_zoo(models=30)
    for i in range(3):
        arguments = ["evaluate", "euclidean", "--zoo", zoo_folder, "--records", tmp_path / f"r{i}"]
        processes = [
            subprocess.Popen([*COMMAND, *map(str, arguments)], stdout=subprocess.DEVNULL)
            for _ in range(4)
        ]
        assert [process.wait() for process in processes] == [0] * 4
        (record,) = (tmp_path / f"r{i}").rglob("*.json")
        assert wsbench.load_record(record).content.error is None
        assert not (tmp_path / f"r{i}" / "unfinished").exists()
