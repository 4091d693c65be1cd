"""Limits of a method's process: memory, time, threads."""

import os
from dataclasses import dataclass, field
from pathlib import Path

# Of the variables that a user may set, those that change bits in the harness itself. They are read
# when numpy is imported: OPENBLAS_CORETYPE=Prescott gives other sums, and
# NPY_DISABLE_CPU_FEATURES="X86_V3" another exp; the numbers of threads are set by `Limits`.
VARIABLES_OF_BITS = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES")

_SHARE_OF_MEMORY = 0.8
_LEAST_BYTES = 100_000_000  # an interpreter with numpy needs as much
_WITHOUT_MEMINFO_BYTES = 8 << 30


def n_cpus() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usual_memory_bytes() -> int:
    """Return 80 % of the machine's memory."""
    whole = _machine_bytes()
    return _WITHOUT_MEMINFO_BYTES if whole is None else int(whole * _SHARE_OF_MEMORY)


def _machine_bytes() -> int | None:
    try:
        first = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()[0]
        return int(first.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None


@dataclass(frozen=True)
class Limits:
    """What a method's process may use.

    Attributes
    ----------
    memory_bytes
        Address space; by default 80 % of the machine's memory.
    timeout_s
        Seconds for each call.
    threads
        Threads of each numerical library, in the harness too. By default one: layers are small, and
        more threads mostly wait for each other. The last bits of an answer may depend on it, so a
        record names it.

    Raises
    ------
    ValueError
        If one is not a number above zero, or more than the machine has.
    """

    memory_bytes: int = field(default_factory=usual_memory_bytes)
    timeout_s: float = 3600.0
    threads: int = 1

    def __post_init__(self) -> None:
        most = {
            "memory_bytes": (_LEAST_BYTES, _machine_bytes() or 2**62),
            "timeout_s": (1e-3, 1e9),
            "threads": (1, n_cpus()),
        }
        for name, (low, high) in most.items():
            value = getattr(self, name)
            if not low <= value <= high:  # NaN is not, either
                raise ValueError(f"{name}: got {value:g}, allowed is {low:g} to {high:g} here")
