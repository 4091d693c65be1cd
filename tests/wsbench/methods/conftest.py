"""A method in a file of its own, and the process that it runs in."""

import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

import wsbench
from wsbench.methods.limits import Limits
from wsbench.methods.process import MethodProcess

LAYOUT = wsbench.Layout.of([("w", (3, 4), ("output", "input"))], "identity")
WEIGHTS = np.random.default_rng(0).normal(size=(6, 12)).astype(np.float32)
PROBE_INPUTS = np.eye(4, dtype=np.float32)
SOON_S = 10.0  # generous: the machine may be loaded


def ask(process: MethodProcess) -> np.ndarray:
    """Return the answer about all weights."""
    return process.answer(WEIGHTS, LAYOUT, PROBE_INPUTS)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def ends(pid: int) -> bool:
    """Whether a process ends soon."""
    end = time.monotonic() + SOON_S
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_alive(pid)


@pytest.fixture
def method_file(tmp_path: Path) -> Callable[..., str]:
    """Write a class whose ``transform`` has this body; return its spec."""

    def write(body: str, *, top: str = "", init: str = "pass", info: str = "") -> str:
        path = tmp_path / "mine.py"
        path.write_text(
            "import ctypes, gc, os, signal, socket, subprocess, sys, threading, time\n"
            "import numpy as np\nimport wsbench\n"
            f"{textwrap.dedent(top)}\n"
            "class Mine:\n"
            f"    info = wsbench.MethodInfo('mine'{info})\n"
            "    def __init__(self):\n" + textwrap.indent(textwrap.dedent(init), " " * 8) + "\n"
            "    def transform(self, checkpoints):\n"
            + textwrap.indent(textwrap.dedent(body), " " * 8)
        )
        return f"{path}:Mine"

    return write


@pytest.fixture
def start(method_file) -> Iterator[Callable[..., MethodProcess]]:
    """Start a process with a method of this body."""
    with ExitStack() as stack:

        def call(body: str, limits: Limits | None = None, **parts: str) -> MethodProcess:
            process = stack.enter_context(MethodProcess(limits or Limits(threads=1)))
            process.find(method_file(body, **parts))
            process.make({})
            return process

        yield call


@pytest.fixture
def report(start) -> Callable[..., str]:
    """Return what is said of a method of this body, which fails."""

    def call(body: str, limits: Limits | None = None, **parts: str) -> str:
        with pytest.raises(wsbench.MethodFailedError) as error:
            start(body, limits, **parts).answer(WEIGHTS, LAYOUT, PROBE_INPUTS)
        return error.value.report

    return call
