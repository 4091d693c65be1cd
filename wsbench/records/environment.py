"""Environment of a result: versions, processor, and the settings that change speed or bits."""

import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from wsbench.methods.limits import VARIABLES_OF_BITS

_PACKAGES = ("wsbench", "numpy", "scipy", "numba", "torch", "h5py", "scikit-learn")
_VARIABLES = (
    "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
    *VARIABLES_OF_BITS,
)  # fmt: skip

Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class ThreadPool(Struct, frozen=True, forbid_unknown_fields=True):
    """A library with its own threads, and their number."""

    library: str
    version: str | None
    threads: Count


class Environment(Struct, frozen=True, forbid_unknown_fields=True):
    """Versions of packages, the processor, and the variables that change speed or bits."""

    python: str
    platform: str
    cpu: str
    n_cpus: Count
    packages: dict[str, str | None]
    variables: dict[str, str]
    thread_pools: list[ThreadPool] = []


def environment(threads: int | None = None) -> Environment:
    """Describe this process's environment.

    Versions are read from the installed packages' metadata, and none is imported. Thread pools are
    those of the libraries that are loaded already.

    Parameters
    ----------
    threads
        How many threads each library was limited to; None for how many it has now.

    Examples
    --------
    >>> environment().packages["wsbench"] == wsbench.__version__
    True
    """
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        cpu=_cpu_model(),
        n_cpus=os.cpu_count() or 1,
        packages={name: _version(name) for name in _PACKAGES},
        variables={name: os.environ[name] for name in _VARIABLES if name in os.environ},
        thread_pools=_thread_pools(threads),
    )


def _thread_pools(threads: int | None) -> list[ThreadPool]:
    from threadpoolctl import threadpool_info, threadpool_limits

    with threadpool_limits(threads):
        pools = [
            ThreadPool(found["internal_api"], found["version"], found["num_threads"])
            for found in threadpool_info()
        ]
    # numpy and scipy bring a BLAS each: two pools may say the same.
    return sorted(set(pools), key=lambda pool: (pool.library, pool.version or "", pool.threads))


@cache
def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu_model() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
