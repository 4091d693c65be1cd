import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import wsbench
from wsbench.zoo.fresh import fresh_id, fresh_seed, fresh_zoo
from wsbench.zoo.schema import id_faults, is_fresh

SUITE, TEXT = "standard 1", "headline of the day"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A home in which the fresh zoo of the small one is trained once."""
    return tmp_path_factory.mktemp("fresh-home")


@pytest.fixture
def home(kept, monkeypatch):
    monkeypatch.setenv("WSBENCH_HOME", str(kept))
    return kept


@pytest.fixture
def fresh(home, small_zoo):
    return fresh_zoo(small_zoo, SUITE, TEXT).zoo


def folder_of(zoo: wsbench.Zoo, home: Path) -> Path:
    return home / "fresh" / zoo.id


def states_of(zoo: wsbench.Zoo, suite: str = SUITE, text: str = TEXT) -> list[wsbench.BuildState]:
    """The progress that is reported when a fresh zoo is asked for."""
    states: list[wsbench.BuildState] = []
    fresh_zoo(zoo, suite, text, progress=states.append)
    return states


def with_more_test_models(zoo: wsbench.Zoo) -> wsbench.Zoo:
    return replace(zoo, split=np.full_like(zoo.split, 2))


def test_fresh_seed__is_the_start_of_the_sha256_of_three_lines():
    digest = hashlib.sha256(b"mnist-mlp-v1\nstandard 1\n\xc3\xbc\n").hexdigest()
    assert fresh_seed("mnist-mlp-v1", "standard 1", "ü\n") == int(digest[:13], 16)
    assert fresh_id("mnist-mlp-v1", "standard 1", "ü\n") == f"mnist-mlp-fresh-{digest[:12]}-v1"


def test_fresh_seed__fits_into_a_recipe_and_into_any_json():
    seeds = [fresh_seed("x-v1", "smoke 1", str(i)) for i in range(300)]
    assert 2**51 < max(seeds) < 2**52
    assert len(set(seeds)) == 300


@pytest.mark.parametrize(
    "other",
    [
        ("mnist-cnn-v1", SUITE, TEXT),
        ("mnist-mlp-v2", SUITE, TEXT),
        ("mnist-mlp-v1", "standard 2", TEXT),
        ("mnist-mlp-v1", SUITE, TEXT + " "),
        ("mnist-mlp-v1", "standard", "1\n" + TEXT),
    ],
)
def test_fresh_seed__differs_for_another_zoo_suite_and_text(other):
    assert fresh_seed(*other) != fresh_seed("mnist-mlp-v1", SUITE, TEXT)
    assert fresh_id(*other) != fresh_id("mnist-mlp-v1", SUITE, TEXT)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("x-v1", SUITE, ""), "need a text"),
        (("x-v1", "standard\n1", TEXT), "suite of one line"),
        (("x-v1\n", SUITE, TEXT), "zoo id and suite of one line"),
        (("x-v1", SUITE, "a\udcff"), "not Unicode at character"),
    ],
)
def test_fresh_seed__refuses_what_gives_no_text(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        fresh_seed(*arguments)


def test_fresh_id__is_an_id_of_its_own_form(small_zoo):
    zoo_id = fresh_id(small_zoo.id, SUITE, TEXT)
    assert id_faults(zoo_id) == []
    assert is_fresh(zoo_id)
    assert not any(is_fresh(published) for published in wsbench.published_zoos())
    assert not is_fresh("digits-fresh-v1")


def test_fresh_zoo__has_as_many_models_and_all_are_for_test(fresh, small_zoo):
    assert fresh.n_models == len(np.unique(small_zoo.model[small_zoo.rows("test")]))
    assert set(fresh.split.tolist()) == {2}
    assert fresh.epoch.tolist() == [0, 1, 2, 3] * fresh.n_models


def test_fresh_zoo__has_the_recipe_layout_and_probe_inputs_of_the_zoo(fresh, small_zoo):
    assert fresh.layout == small_zoo.layout
    assert np.array_equal(fresh.probe_inputs, small_zoo.probe_inputs)
    changed = {
        "id": fresh.id,
        "title": "1 fresh test models of small-mlp-v1",
        "models": 1,
        "seed": fresh_seed(small_zoo.id, SUITE, TEXT),
    }
    assert fresh.recipe == {**small_zoo.recipe, **changed}
    assert fresh.id == fresh_id(small_zoo.id, SUITE, TEXT)


def test_fresh_zoo__shares_no_checkpoint_with_the_zoo(fresh, small_zoo):
    rows = {row.tobytes() for row in small_zoo.weights}
    assert not rows & {row.tobytes() for row in fresh.weights}


def test_fresh_zoo__is_the_same_in_another_home(fresh, small_zoo, tmp_path, monkeypatch):
    monkeypatch.setenv("WSBENCH_HOME", str(tmp_path))
    assert fresh_zoo(small_zoo, SUITE, TEXT).zoo.content_digest == fresh.content_digest


@pytest.mark.parametrize(("suite", "text"), [("standard 2", TEXT), (SUITE, "another text")])
def test_fresh_zoo__of_another_suite_or_text_shares_no_checkpoint(
    home, fresh, small_zoo, suite, text
):
    other = fresh_zoo(small_zoo, suite, text).zoo
    assert not {row.tobytes() for row in other.weights} & {row.tobytes() for row in fresh.weights}


def test_fresh_zoo__is_trained_once(fresh, small_zoo):
    assert states_of(small_zoo) == []


def test_fresh_zoo__holds_what_it_claims(fresh, home):
    verification = wsbench.verify_zoo(folder_of(fresh, home), retrain=1)
    outcomes = {check.name: check.outcome for check in verification.checks}
    assert {name for name, outcome in outcomes.items() if outcome != "passed"} == {"published"}
    assert {"network", "splits", "scores", "training"} <= set(outcomes)


def test_fresh_zoo__has_a_card_that_says_what_its_split_is(fresh, small_zoo_folder, home):
    sentence = "All models are test models"
    assert sentence in (folder_of(fresh, home) / "README.md").read_text()
    assert sentence not in (small_zoo_folder / "README.md").read_text()


def test_fresh_zoo__is_no_published_zoo(fresh, home):
    assert fresh.id not in wsbench.published_zoos()
    with pytest.raises(wsbench.UnknownIdError, match="unknown zoo"):
        wsbench.load_zoo(fresh.id)


def test_fresh_zoo__is_not_in_the_list(fresh, run):
    assert "fresh" not in run("list").out


def test_fresh_zoo__damaged_is_said_and_trained_again(fresh, home, small_zoo, caplog):
    file = folder_of(fresh, home) / "zoo.h5"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    states = states_of(small_zoo)
    assert (states[0].n_done, states[-1].n_done) == (0, 1)
    (line,) = caplog.messages
    assert line.startswith(f"{file}: ")
    assert line.endswith("; its models are trained again")
    assert fresh_zoo(small_zoo, SUITE, TEXT).zoo.content_digest == fresh.content_digest


def test_fresh_zoo__of_another_recipe_of_this_id_is_trained_again(fresh, home, small_zoo, caplog):
    recipe = small_zoo.recipe_text.replace("learning_rate = 0.03", "learning_rate = 0.02")
    other = fresh_zoo(replace(small_zoo, recipe_text=recipe), SUITE, TEXT).zoo
    assert other.id == fresh.id
    assert other.content_digest != fresh.content_digest
    assert "models of another recipe" in caplog.text
    assert fresh_zoo(small_zoo, SUITE, TEXT).zoo.content_digest == fresh.content_digest


@pytest.mark.parametrize("changed", ["layout", "probe inputs"])
def test_fresh_zoo__refuses_a_zoo_of_another_layout_or_other_probe_inputs(
    fresh, small_zoo, changed
):
    axes = [(t.name, t.shape, ("output", *t.axes[1:])) for t in small_zoo.layout.tensors]
    other = {
        "layout": {"layout": wsbench.Layout.of(axes, small_zoo.layout.activation)},
        "probe inputs": {"probe_inputs": small_zoo.probe_inputs + 1},
    }[changed]
    with pytest.raises(wsbench.IntegrityError, match=f"the {changed} differ"):
        fresh_zoo(replace(small_zoo, **other), SUITE, TEXT)


def test_fresh_zoo__needs_a_recipe_that_a_package_can_train(small_zoo):
    unknown = replace(small_zoo, recipe_text='id = "small-mlp-v1"')
    with pytest.raises(wsbench.RecipeError, match="small-mlp-v1: fresh models need a recipe that"):
        fresh_zoo(unknown, SUITE, TEXT)


def test_fresh_zoo__needs_test_models(small_zoo):
    with pytest.raises(wsbench.ZooError, match="has no test models"):
        fresh_zoo(small_zoo.with_rows(small_zoo.rows("train")), SUITE, TEXT)


def test_fresh_zoo__refuses_an_id_that_would_be_too_long(small_zoo):
    with pytest.raises(wsbench.ZooError, match="too long for the id of fresh models"):
        fresh_zoo(replace(small_zoo, id="x" * 95 + "-v1"), SUITE, TEXT)


_KILLED = """
import os, signal, sys
from dataclasses import replace
import numpy as np
import wsbench
from wsbench.zoo.fresh import fresh_zoo

def kill(state):
    if state.n_done == 2:
        os.kill(os.getpid(), signal.SIGKILL)

zoo = wsbench.load_zoo(sys.argv[1])
zoo = replace(zoo, split=np.full_like(zoo.split, 2))
fresh_zoo(zoo, sys.argv[2], sys.argv[3], progress=kill)
"""


@pytest.mark.slow
def test_fresh_zoo__resumes_after_a_kill(small_zoo, small_zoo_folder, tmp_path, monkeypatch):
    zoo = with_more_test_models(small_zoo)
    expected = fresh_zoo(zoo, SUITE, TEXT)
    monkeypatch.setenv("WSBENCH_HOME", str(tmp_path / "killed"))
    command = [sys.executable, "-c", _KILLED, str(small_zoo_folder), SUITE, TEXT]
    assert subprocess.run(command, env=os.environ).returncode == -signal.SIGKILL
    states = states_of(zoo)
    assert states[0].n_resumed >= 2
    assert states[-1].n_done == 5
    assert fresh_zoo(zoo, SUITE, TEXT).zoo.content_digest == expected.zoo.content_digest
    assert [path.name for path in (tmp_path / "killed" / "fresh").glob(".*.partial")] == []


@pytest.mark.slow
def test_fresh_zoo__two_processes_take_turns(small_zoo, small_zoo_folder, tmp_path):
    command = [sys.executable, "-c", _KILLED.replace("== 2", "== -1"), str(small_zoo_folder)]
    both = [subprocess.Popen([*command, SUITE, "turns"], env=os.environ) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert states_of(with_more_test_models(small_zoo), SUITE, "turns") == []
