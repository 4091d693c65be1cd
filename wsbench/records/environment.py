"""Where a result was computed: versions, processor, settings that change speed or bits."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("wsbench", "numpy", "scipy", "numba", "torch", "h5py", "scikit-learn")
_VARIABLES = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def environment() -> dict[str, object]:
    """Return versions of what computes, the processor, and the variables that change it.

    Versions are read from the installed packages' metadata; none is imported.

    Examples
    --------
    >>> sorted(environment())
    ['cpu', 'n_cpus', 'packages', 'platform', 'python', 'variables']
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "n_cpus": os.cpu_count() or 1,
        "packages": {name: _version(name) for name in _PACKAGES},
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }


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
