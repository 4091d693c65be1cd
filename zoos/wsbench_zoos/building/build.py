"""Building: train all models of a recipe and write the zoo; each model is saved when it is done.

A finished model is written to a folder of partial results beside the zoo, named after the recipe;
an interrupted build resumes from them. The digest cannot depend on this, because a model is a pure
function of recipe and number (see `training`).
"""

import hashlib
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

import wsbench
from wsbench import WorkerError, atomic_write, split_of_models, write_zoo
from wsbench.storage.npz import unpack
from wsbench.zoo.schema import N_PROBE_INPUTS
from wsbench_zoos.building.workers import WorkerPool, from_executor, threads
from wsbench_zoos.data.sources import SOURCES, Data, load_data
from wsbench_zoos.recipe import Recipe, publisher_of
from wsbench_zoos.training.training import Trajectory, code_version

# Work given out but not yet written: bounds the memory of a build of any size, by bytes (models of
# many epochs) and by models, which still keeps a large cluster busy.
_MAX_BYTES_IN_FLIGHT = 200_000_000
_MAX_IN_FLIGHT = 256
_SILENCE_S = 5.0


def build(
    recipe: Recipe,
    folder: Path,
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    progress: wsbench.Progress | None = None,
) -> str:
    """Train all models of a recipe, write the zoo to ``folder`` and return its content digest.

    Parameters
    ----------
    recipe
        What to build.
    folder
        Where the zoo goes, all or nothing. Finished models are kept in a hidden folder beside it
        until the zoo is complete; an interrupted build resumes from them.
    executor, workers, cluster
        The workers: any executor, a number of threads in this process, or the address of a Dask
        scheduler; all None for one thread a CPU.
    progress
        Called before the first model, after every model, and when the zoo is written.

    Raises
    ------
    StorageError
        If something cannot be written; finished models stay.
    WorkerError
        If the workers cannot be reached, or are lost; finished models stay.
    """
    partial = _PartialResults(folder, recipe)
    partial.clean_up_after_crashes()
    missing = [model for model in range(recipe.models) if not partial.has(model)]
    data = load_data(recipe.source)
    reports = _Reports(recipe, len(missing), len(data.train_images), progress)
    reports.send()
    if missing:
        with _worker_pool(recipe, data, executor, workers, cluster) as pool:
            reports.send()  # the workers are ready: time starts now
            _train(missing, pool, _max_in_flight(recipe), partial, reports)
    metadata = wsbench.ZooMetadata(
        id=recipe.id,
        recipe=recipe.text,
        layout=recipe.architecture.layout(),
        license=recipe.license,
        created_by=code_version(),
        data=SOURCES[recipe.source].describe(data),
        publisher=publisher_of(recipe),
    )
    probe_inputs = data.test_images[:N_PROBE_INPUTS]
    digest = write_zoo(folder, metadata, _blocks(recipe, partial), probe_inputs)
    partial.remove()
    reports.send()
    return digest


def _worker_pool(
    recipe: Recipe,
    data: Data,
    executor: Executor | None,
    n_threads: int | None,
    address: str | None,
) -> AbstractContextManager[WorkerPool]:
    if executor:
        return from_executor(executor, recipe)
    if address is None:
        return threads(recipe, data, n_threads)
    try:
        from wsbench_zoos.building.cluster import cluster
    except ModuleNotFoundError as error:
        raise WorkerError(
            f"a build on a cluster needs Dask, and {error.name} is not installed:"
            " pip install 'wsbench[cluster]'"
        ) from None
    return cluster(address, recipe, data)


class _Reports:
    """Progress of a build, reported after each model."""

    def __init__(
        self, recipe: Recipe, n_missing: int, n_samples: int, progress: wsbench.Progress | None
    ) -> None:
        n_done = recipe.models - n_missing
        n_steps = recipe.epochs * -(-n_samples // recipe.training.batch_size)
        self._state = wsbench.BuildState(recipe.models, n_done, n_done, n_steps)
        self._progress = progress

    def send(self) -> None:
        if self._progress:
            self._progress(self._state)

    def one_more(self) -> None:
        self._state = replace(self._state, n_done=self._state.n_done + 1)
        self.send()


def _max_in_flight(recipe: Recipe) -> int:
    n_bytes = 4 * (recipe.epochs + 1) * (recipe.architecture.layout().n_parameters + 3)
    return min(_MAX_IN_FLIGHT, 1 + _MAX_BYTES_IN_FLIGHT // n_bytes)


def _train(
    missing: list[int],
    pool: WorkerPool,
    max_in_flight: int,
    partial: "_PartialResults",
    reports: _Reports,
) -> None:
    waiting = iter(missing)
    running: dict[Future[Trajectory], int] = {}
    try:
        while True:
            for model in islice(waiting, max_in_flight - len(running)):
                running[pool.submit(model)] = model
            if not running:
                return
            finished, _ = wait(running, timeout=_SILENCE_S, return_when=FIRST_COMPLETED)
            for future in finished:
                partial.put(running.pop(future), future.result())
                reports.one_more()
            pool.watch(len(finished))
    finally:
        for future in running:
            future.cancel()


def _blocks(recipe: Recipe, partial: "_PartialResults") -> Iterator[dict[str, np.ndarray]]:
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


class _PartialResults:
    """The finished models of an unfinished zoo, one file each."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        # Another recipe, or another release of the kernels, must not continue these.
        key = hashlib.sha256(f"{code_version()}\n{recipe.text}".encode()).hexdigest()[:12]
        self._zoo = folder
        self._folder = folder.with_name(f".{folder.name}.{key}.partial")
        self._shape = (recipe.epochs + 1, recipe.architecture.layout().n_parameters)

    def clean_up_after_crashes(self) -> None:
        """Remove what a killed build or an older recipe left behind."""
        # Twelve hexadecimal digits: `.zoo.b.….partial` belongs to the zoo in the folder `zoo.b`.
        leftover = re.compile(rf"\.{re.escape(self._zoo.name)}\.[0-9a-f]{{12}}\.(tmp|partial)")
        for left in self._zoo.parent.glob(".*"):
            if left != self._folder and leftover.fullmatch(left.name):
                shutil.rmtree(left, ignore_errors=True)
        for left in self._folder.glob(".*.tmp"):
            left.unlink()

    def has(self, model: int) -> bool:
        """Whether this model is there, whole."""
        try:
            self.get(model)
        except (OSError, TypeError, ValueError):
            return False
        return True

    def get(self, model: int) -> Trajectory:
        trajectory = Trajectory(**unpack(self._file(model).read_bytes()))
        if trajectory.weights.shape != self._shape:
            raise ValueError(f"{self._file(model)}: shape {trajectory.weights.shape}")
        return trajectory

    def put(self, model: int, trajectory: Trajectory) -> None:
        with atomic_write(self._file(model)) as temporary, temporary.open("wb") as file:
            np.savez(file, **vars(trajectory))

    def remove(self) -> None:
        shutil.rmtree(self._folder)

    def _file(self, model: int) -> Path:
        return self._folder / f"model-{model:06d}.npz"
