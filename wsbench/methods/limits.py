"""Limits of a method's process: memory, time, threads."""

import os
from dataclasses import dataclass, field
from pathlib import Path

_SHARE_OF_MEMORY = 0.8
_WITHOUT_MEMINFO_BYTES = 8 << 30


def n_cpus() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def usual_memory_bytes() -> int:
    """Return 80 % of the machine's memory."""
    try:
        first = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()[0]
        return int(int(first.split()[1]) * 1024 * _SHARE_OF_MEMORY)
    except (OSError, ValueError, IndexError):
        return _WITHOUT_MEMINFO_BYTES


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
        Threads of each numerical library, in the harness too; by default one a processor. The last
        bits of an answer may depend on it, so a record names it.
    """

    memory_bytes: int = field(default_factory=usual_memory_bytes)
    timeout_s: float = 3600.0
    threads: int = field(default_factory=n_cpus)
