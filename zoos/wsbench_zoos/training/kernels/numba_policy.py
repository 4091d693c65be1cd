"""Numba policy: one place for the flags and the cache of every compiled function.

The cache is off unless ``WSBENCH_KERNEL_CACHE`` names a folder. Numba's own key covers the CPU,
numba's release and the file of a cached function, but not the functions that it calls. With numba
0.68 a changed coefficient in `simd.exp` left the cached MLP kernel, and the digest of a zoo, as
they were. So compiled code goes to a subfolder named after a hash of all sources in this folder,
and an edit starts a new one. A fresh process that builds five MLPs takes 12.6 s of CPU time without
the cache and 4.1 s with it.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import config, njit

Function = Callable[..., Any]


def part(function: Function) -> Any:
    """Compile a function that only kernels call; LLVM inlines it there."""
    return njit(function)


def kernel(function: Function) -> Any:
    """Compile a function that Python calls. It releases the GIL, so models train in threads."""
    root = os.environ.get("WSBENCH_KERNEL_CACHE")
    if not root:
        return njit(nogil=True)(function)
    before = config.CACHE_DIR
    config.CACHE_DIR = str(Path(root) / _sources_key())
    try:
        return njit(nogil=True, cache=True)(function)  # numba reads the folder here, once
    finally:
        config.CACHE_DIR = before


def _sources_key() -> str:
    """Return a hash of the sources of all kernels."""
    sha = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sha.update(path.name.encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()[:16]
