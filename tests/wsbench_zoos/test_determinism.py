"""The digest of a zoo is the same whoever builds it, however, and on whatever CPU."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import wsbench
from wsbench_zoos.building.build import build
from wsbench_zoos.recipe import parse_recipe

_BUILD = """
import sys
from pathlib import Path
from wsbench_zoos.building.build import build
from wsbench_zoos.recipe import parse_recipe
recipe = parse_recipe(Path(sys.argv[1]).read_text())
print(build(recipe, Path(sys.argv[2]), workers=int(sys.argv[3])))
"""


class _AnyOrder(Executor):
    """Runs what it is given only when it has all of it, in a random order, in this thread."""

    def __init__(self, seed: int, n_tasks: int) -> None:
        self._tasks, self._random, self._n_tasks = [], random.Random(seed), n_tasks

    def submit(self, function, /, *args, **kwargs):
        future: Future = Future()
        self._tasks.append((future, function, args, kwargs))
        if len(self._tasks) == self._n_tasks:
            self._random.shuffle(self._tasks)
            for task, run, arguments, named in self._tasks:
                task.set_result(run(*arguments, **named))
        return future


@pytest.fixture
def recipe_file(tmp_path: Path, small_recipe: str) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(small_recipe)
    return path


def in_fresh_process(recipe_file: Path, folder: Path, workers: int = 2, **variables: str) -> str:
    """Build in a process of its own, and return the digest."""
    result = subprocess.run(
        [sys.executable, "-c", _BUILD, str(recipe_file), str(folder), str(workers)],
        env=os.environ | variables, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return result.stdout.strip()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_digest__does_not_depend_on_the_number_of_threads(
    tmp_path, small_recipe, small_zoo, workers
):
    digest = build(parse_recipe(small_recipe), tmp_path / "zoo", workers=workers)
    assert digest == small_zoo.content_digest


@pytest.mark.parametrize("seed", [0, 1])
def test_digest__does_not_depend_on_the_order_of_models(tmp_path, small_recipe, small_zoo, seed):
    recipe = parse_recipe(small_recipe)
    digest = build(recipe, tmp_path / "zoo", executor=_AnyOrder(seed, recipe.models))
    assert digest == small_zoo.content_digest


@pytest.mark.slow
def test_digest__is_the_same_from_processes(tmp_path, small_recipe, small_zoo):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        digest = build(parse_recipe(small_recipe), tmp_path / "zoo", executor=executor)
    assert digest == small_zoo.content_digest


@pytest.mark.slow
@pytest.mark.parametrize("cpu", ["generic", "haswell"])
def test_digest__is_the_same_with_code_for_other_cpus(tmp_path, recipe_file, small_zoo, cpu):
    """SSE2 alone, and AVX2, in fresh processes; the fixture's zoo is from code for this CPU."""
    digest = in_fresh_process(
        recipe_file, tmp_path / cpu, NUMBA_CPU_NAME=cpu, NUMBA_CPU_FEATURES=""
    )
    assert digest == small_zoo.content_digest


@pytest.mark.slow
def test_digest__is_the_same_after_kill_9_and_a_rerun(tmp_path, small_recipe):
    """Killed at several moments, the build goes on each time from what it had."""
    recipe_file = tmp_path / "longer.toml"
    longer = small_recipe.replace("models = 5", "models = 30").replace("epochs = 3", "epochs = 30")
    recipe_file.write_text(longer)
    folder = tmp_path / "killed"
    n_kept = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", _BUILD, str(recipe_file), str(folder), "1"],
            stdout=subprocess.DEVNULL,
        )
        before = _n_models_kept(tmp_path)
        while _n_models_kept(tmp_path) < before + 3 and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not folder.exists()
        n_kept.append(_n_models_kept(tmp_path))
    assert 3 <= n_kept[0] < n_kept[1] < 30
    reports: list[wsbench.BuildState] = []
    recipe = parse_recipe(longer)
    digest = build(recipe, folder, progress=reports.append)
    assert reports[0].n_resumed >= n_kept[1] - 1  # the last file may have been cut short
    assert digest == build(recipe, tmp_path / "whole")
    left = {path.name for path in tmp_path.iterdir()} - {"longer.toml", "killed", "whole", "home"}
    assert not left


def _n_models_kept(folder: Path) -> int:
    return len(list(folder.glob(".*.partial/model-*.npz")))


def test_build__trains_a_damaged_model_again(tmp_path, small_recipe, small_zoo):
    recipe = parse_recipe(small_recipe)
    folder = tmp_path / "zoo"

    def stop_after_three(state: wsbench.BuildState) -> None:
        if state.n_done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(recipe, folder, workers=1, progress=stop_after_three)
    kept = sorted(tmp_path.glob(".*.partial/model-*.npz"))
    assert len(kept) >= 3
    damaged = bytearray(kept[0].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    kept[0].write_bytes(damaged)
    kept[1].write_bytes(kept[1].read_bytes()[:1000])
    reports: list[wsbench.BuildState] = []
    assert build(recipe, folder, progress=reports.append) == small_zoo.content_digest
    assert reports[0].n_resumed == len(kept) - 2


def test_build__does_not_go_on_from_another_recipe(tmp_path, small_recipe, small_zoo):
    folder = tmp_path / "zoo"
    other = parse_recipe(small_recipe.replace("seed = 7", "seed = 8"))

    def stop(state: wsbench.BuildState) -> None:
        if state.n_done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(other, folder, progress=stop)
    assert build(parse_recipe(small_recipe), folder) == small_zoo.content_digest
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_zoo__holds_the_trajectories_its_columns_say(small_zoo, small_recipe):
    assert small_zoo.weights.shape == (5 * 4, 2160)
    assert small_zoo.model.tolist() == [m for m in range(5) for _ in range(4)]
    assert small_zoo.epoch.tolist() == [0, 1, 2, 3] * 5
    expected = wsbench.split_of_models("small-mlp-v1", 5)
    assert small_zoo.split.tolist() == [s for s in expected for _ in range(4)]
    assert small_zoo.recipe_text == small_recipe
    by_epoch = small_zoo.train_loss.reshape(5, 4)
    assert (by_epoch[:, 0] > by_epoch[:, 3]).all()
    assert small_zoo.probe_inputs.shape == (360, 14, 14)


def test_digits_mlp_v1__has_its_published_digest(digits_zoo):
    assert digits_zoo.content_digest == wsbench.published_zoos()["digits-mlp-v1"].content_digest


@pytest.mark.slow
@pytest.mark.parametrize("zoo_id", ["digits-mlp-v2", "digits-cnn-v1", "digits-cnn-v2"])
def test_digits_zoos__have_their_published_digests(zoo_id, tmp_path):
    digest = wsbench.load_zoo(wsbench.build_zoo(zoo_id, out=tmp_path / "zoo")).content_digest
    assert digest == wsbench.published_zoos()[zoo_id].content_digest
