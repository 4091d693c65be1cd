"""Training on a Dask cluster: the workers get the data once and must run the same code.

The data go as a Dask plugin, which the scheduler hands to every worker process, also to one that
joins later or restarts after a crash. A task is only the recipe's text and a number. The plugin
stays on the scheduler for the next build: MNIST takes ten megabytes.
"""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import distributed
import numpy as np
from distributed.comm import CommClosedError
from distributed.diagnostics.plugin import UploadFile

from wsbench import WorkerError, dask_client
from wsbench.storage.npz import unpack
from wsbench_zoos.building.workers import WorkerPool
from wsbench_zoos.data.sources import Data
from wsbench_zoos.recipe import Recipe
from wsbench_zoos.training.training import Trajectory, code_version, train_model

_KEPT = "finished models are kept, the same command resumes the build"

_MOST_DEATHS = 10  # of workers, without a model finished between them
_PATIENCE_S = 60.0  # for a worker to come after the last one died

_log = logging.getLogger("wsbench")
_unpacking = threading.Lock()


@contextmanager
def cluster(address: str, recipe: Recipe, data: Data) -> Iterator[WorkerPool]:
    """Train on the cluster whose scheduler is at ``tcp://host:port``.

    When a worker dies, Dask gives its models to others. A model is a pure function, so training it
    twice gives the same bits.

    Raises
    ------
    WorkerError
        If no scheduler answers there, the workers cannot train, or the cluster is lost.
    """
    with dask_client(address) as client, _explained(address):
        _check_workers(client)
        sent = _send(client, recipe.source, data)
        executor = client.get_executor(pure=False)

        def submit(model: int) -> Future[Trajectory]:
            task = (_train, code_version(), sent, recipe.text, model)
            future: Future[Trajectory] = executor.submit(*task)
            return future

        yield WorkerPool(submit, _Watch(client, address))


class _Watch:
    """Warns of a cluster without workers, and gives up where they die and finish nothing.

    Dask itself gives up on a model that killed four workers, unless its settings allow more, and
    never where no worker is left.
    """

    def __init__(self, client: Any, address: str) -> None:
        self._client, self._address = client, address
        self._n_before = self._n_deaths()  # until the last model was finished
        self._counted = time.monotonic()
        self._alone: float | None = None  # since when there is no worker

    def __call__(self, n_finished: int) -> None:
        now = time.monotonic()
        if n_finished:
            self._alone = None
            if now - self._counted > 1.0:  # the answer grows with the number of events
                self._n_before, self._counted = self._n_deaths(), now
            return
        if self._client.nthreads():
            self._alone = None
        elif self._alone is None:
            self._alone = now
            _log.warning("%s: the cluster has no workers; waiting for one", self._address)
        n_deaths = self._n_deaths() - self._n_before
        is_left = self._alone is not None and now - self._alone > _PATIENCE_S
        if n_deaths >= _MOST_DEATHS or (n_deaths and is_left):
            left = ", and none is left" if is_left else ""
            died = "worker" if n_deaths == 1 else "workers"
            raise WorkerError(
                f"{self._address}: {n_deaths} {died} died and no model was finished{left} (too"
                f" little memory?); {_KEPT}"
            )

    def _n_deaths(self) -> int:
        """Count the workers that the scheduler has lost without having dismissed them."""
        events = (event for _, event in self._client.get_events("all"))
        return sum(e.get("action") == "remove-worker" and not e.get("expected") for e in events)


def _check_workers(client: Any) -> None:
    """Refuse workers of another release: its kernels may give other bits."""
    for worker, answer in client.run(code_version, on_error="return").items():
        if answer != code_version():
            raise _wrong_code(worker, answer, code_version())


def _wrong_code(worker: str, found: object, expected: str) -> WorkerError:
    return WorkerError(
        f"the worker {worker} has {found}, this build has {expected}; install the same on both"
    )


def _send(client: Any, source: str, data: Data) -> str:
    """Send the data to all present and future workers; return the name of the plugin."""
    name = f"wsbench-{source}-{data.sha256()[:12]}.npz"
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        np.savez(file, **vars(data))
        plugin = UploadFile(str(file), load=False)
    plugin.idempotent = True  # a scheduler that has it does not send it again
    client.register_plugin(plugin, name=name)
    return name


def _train(code: str, sent: str, recipe_text: str, model: int) -> Trajectory:
    """Train a model in a worker, which may have joined after `_check_workers`."""
    worker = distributed.get_worker()
    if code_version() != code:
        raise _wrong_code(worker.address, code_version(), code)
    with _unpacking:  # threads that start together must not both do it
        data = _unpacked(sent)
    return train_model(recipe_text, model, data)


@lru_cache(maxsize=1)
def _unpacked(sent: str) -> Data:
    return Data(**unpack(distributed.get_worker().plugins[sent].data))


@contextmanager
def _explained(address: str) -> Iterator[None]:
    try:
        yield
    except distributed.KilledWorker as error:
        raise WorkerError(
            f"{address}: {error.allowed_failures + 1} workers died of the same model, the last"
            f" {error.last_worker.address} (too little memory?); {_KEPT}"
        ) from None
    except (CancelledError, CommClosedError):
        raise WorkerError(
            f"{address}: the scheduler stopped, restarted or cannot be reached; {_KEPT}"
        ) from None
