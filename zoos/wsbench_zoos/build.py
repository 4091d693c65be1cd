"""Building a zoo: models go to any executor, and each is on disk before it counts as done.

A finished model is written to a folder of partial results beside the zoo, named after the recipe;
a build that is killed, at whatever moment, continues from them. The digest cannot depend on any of
this, because a model is a pure function of recipe and number (see `training`).
"""

import hashlib
import os
import shutil
import zlib
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path
from zipfile import BadZipFile

import numba
import numpy as np

import wsbench
from wsbench import split_of_models, write_zoo
from wsbench.files import written_whole
from wsbench.schema import N_PROBE_INPUTS
from wsbench_zoos.recipe import Recipe
from wsbench_zoos.sources import load_data
from wsbench_zoos.training import Trajectory, train_model

# Work given out but not yet written: bounds the memory of a build of any size, and keeps the
# workers of a large cluster busy.
_MAX_IN_FLIGHT = 64


def build(
    recipe: Recipe,
    folder: Path,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: wsbench.Progress | None = None,
) -> str:
    """Train all models of a recipe, write the zoo to ``folder`` and return its content digest.

    Parameters
    ----------
    recipe
        What to build.
    folder
        Where the zoo goes, all or nothing. Finished models are kept in a hidden folder beside it
        until the zoo is whole, and a build that was stopped continues from them.
    executor
        Who trains; None for threads in this process.
    workers
        How many threads, if there is no executor; None for one a CPU.
    progress
        Told of every model that is done.

    Raises
    ------
    StorageError
        If something cannot be written; finished models stay.
    """
    partial = _Partial(folder, recipe)
    partial.clean_up_after_crashes()
    data = load_data(recipe.source)
    with nullcontext(executor) if executor else ThreadPoolExecutor(workers or _n_cpus()) as pool:
        _train_missing(recipe, partial, pool, progress, len(data.train_images))
    header = wsbench.ZooHeader(
        id=recipe.id,
        recipe=recipe.text,
        layout=recipe.architecture.layout(),
        license=recipe.license,
        created_by=f"wsbench {wsbench.__version__}, numba {numba.__version__}",
    )
    probe_inputs = data.test_images[:N_PROBE_INPUTS]
    digest = write_zoo(folder, header, _blocks(recipe, partial), probe_inputs)
    partial.remove()
    return digest


def _train_missing(
    recipe: Recipe,
    partial: "_Partial",
    executor: Executor,
    progress: wsbench.Progress | None,
    n_samples: int,
) -> None:
    missing = [model for model in range(recipe.models) if not partial.has(model)]
    state = wsbench.BuildState(
        n_models=recipe.models,
        n_resumed=recipe.models - len(missing),
        n_done=recipe.models - len(missing),
        steps_per_model=recipe.epochs * -(-n_samples // recipe.training.batch_size),
    )
    waiting = iter(missing)
    report = progress or (lambda state: None)
    report(state)
    running: dict[Future[Trajectory], int] = {}
    try:
        while True:
            for model in islice(waiting, _MAX_IN_FLIGHT - len(running)):
                running[executor.submit(train_model, recipe.text, model)] = model
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                partial.put(running.pop(future), future.result())
                state = replace(state, n_done=state.n_done + 1)
                report(state)
    finally:
        for future in running:
            future.cancel()


def _n_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _blocks(recipe: Recipe, partial: "_Partial") -> Iterator[dict[str, np.ndarray]]:
    splits = split_of_models(recipe.id, recipe.models)
    epochs = np.arange(recipe.epochs + 1, dtype=np.int16)
    for model in range(recipe.models):
        trajectory = partial.get(model)
        yield {
            "weights": trajectory.weights,
            "model": np.full(len(epochs), model, np.int32),
            "epoch": epochs,
            "split": np.full(len(epochs), splits[model], np.uint8),
            "train_loss": trajectory.train_loss,
            "test_loss": trajectory.test_loss,
            "test_accuracy": trajectory.test_accuracy,
        }


class _Partial:
    """The finished models of an unfinished zoo, one file each."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        # Another recipe, or another release of the kernels, must not continue these.
        key = hashlib.sha256(f"{wsbench.__version__}\n{recipe.text}".encode()).hexdigest()[:12]
        self._zoo = folder
        self._folder = folder.with_name(f".{folder.name}.{key}.partial")
        self._shape = (recipe.epochs + 1, recipe.architecture.layout().n_parameters)

    def clean_up_after_crashes(self) -> None:
        """Remove what a killed build or an older recipe left behind."""
        for left in self._zoo.parent.glob(f".{self._zoo.name}.*"):
            if left != self._folder and left.suffix in (".tmp", ".partial"):
                shutil.rmtree(left, ignore_errors=True)
        for left in self._folder.glob(".*.tmp"):
            left.unlink()

    def has(self, model: int) -> bool:
        """Whether this model is there, whole."""
        try:
            self.get(model)
        except (OSError, EOFError, KeyError, ValueError, BadZipFile, zlib.error):
            return False
        return True

    def get(self, model: int) -> Trajectory:
        with self._file(model).open("rb") as file, np.load(file, allow_pickle=False) as content:
            trajectory = Trajectory(**{name: content[name] for name in Trajectory.__annotations__})
        if trajectory.weights.shape != self._shape:
            raise ValueError(f"{self._file(model)}: shape {trajectory.weights.shape}")
        return trajectory

    def put(self, model: int, trajectory: Trajectory) -> None:
        with written_whole(self._file(model)) as temporary, temporary.open("wb") as file:
            np.savez(file, **vars(trajectory))

    def remove(self) -> None:
        shutil.rmtree(self._folder)

    def _file(self, model: int) -> Path:
        return self._folder / f"model-{model:06d}.npz"
