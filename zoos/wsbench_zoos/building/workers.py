"""Workers of a build: threads of this process, or any executor (Dask: `cluster`).

Each is a context manager that gives a `WorkerPool`, stops what runs when the build fails or is
interrupted, and turns the loss of a worker into one line.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from wsbench import WorkerError
from wsbench_zoos.data.sources import Data
from wsbench_zoos.recipe import Recipe
from wsbench_zoos.training.training import Trajectory, compile_kernel, train_model


@dataclass(frozen=True)
class WorkerPool:
    """The workers of one build.

    Attributes
    ----------
    submit
        Train the model of this number.
    watch
        Called with the number of models just finished, and with 0 after a while without any. Warns
        if there are no workers; raises `WorkerError` if they die and finish nothing.
    """

    submit: Callable[[int], Future[Trajectory]]
    watch: Callable[[int], None] = lambda n_finished: None


@contextmanager
def threads(recipe: Recipe, data: Data, n_threads: int | None) -> Iterator[WorkerPool]:
    """Train in threads that share the data; None for one a CPU.

    The kernels release the GIL. When the block ends early, every thread stops after
    its epoch, in the background.
    """
    n_threads = n_threads or _n_cpus()
    pool = ThreadPoolExecutor(n_threads)
    stop = threading.Event()
    try:
        # First, so that the speed shown is that of training. Not in the main thread,
        # where numba was seen to lose a KeyboardInterrupt in a callback from LLVM.
        pool.submit(compile_kernel, recipe.text, data).result()
        yield WorkerPool(lambda model: pool.submit(train_model, recipe.text, model, data, stop))
    except (MemoryError, RuntimeError) as error:
        # A thread needs eight megabytes of address space, and a training some more.
        if isinstance(error, RuntimeError) and "start new thread" not in str(error):
            raise
        raise WorkerError(
            f"{recipe.id}: no memory for {n_threads} workers ({error or 'it is full'}); finished"
            " models are kept, the same command resumes the build; try fewer --workers"
        ) from None
    finally:
        stop.set()
        pool.shutdown(wait=False, cancel_futures=True)


def _n_cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def from_executor(executor: Executor, recipe: Recipe) -> Iterator[WorkerPool]:
    """Train in a given executor, whose processes read the data themselves, once each."""
    try:
        yield WorkerPool(lambda model: executor.submit(train_model, recipe.text, model))
    except BrokenExecutor:
        raise WorkerError(
            f"{recipe.id}: a worker process died (killed, or out of memory); finished models are"
            " kept, the same command resumes the build"
        ) from None
