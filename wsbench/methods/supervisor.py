"""Supervisor: the parent of a method's process, which waits for it and ends what it started.

`MethodProcess` runs this file as a script. No code of a method runs in it, so no
method can hide the end of the harness from it. On Linux, orphans become its children, even those in
another session, and it ends them.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import struct
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_DEATH_SIGNAL, _SUBREAPER = 1, 36  # options of prctl
_WATCH_S = 0.5
PID = struct.Struct("!Q")


def main() -> None:
    """Start the process of a method; end as it ends."""
    harness, channel, memory_bytes = map(int, sys.argv[1:4])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(_SUBREAPER, 1)
    worker = os.fork()  # before numpy is imported: its threads would not be in the copy
    if not worker:
        os.setpgid(0, 0)  # a method that kills its group leaves the supervisor to clean up
        _prctl(_DEATH_SIGNAL, signal.SIGKILL)
        sys.path[:] = json.loads(sys.argv[4])
        del sys.argv[1:]
        from wsbench.methods.worker import serve

        serve(channel, memory_bytes)
    signal.signal(signal.SIGTERM, lambda number, frame: _kill(worker))
    os.write(channel, PID.pack(worker))
    os.close(channel)
    threading.Thread(target=_watch, args=(harness, worker), daemon=True).start()
    _, status = os.waitpid(worker, 0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the worker's number may be another's by now
    _end_orphans()
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def _watch(harness: int, worker: int) -> None:
    """End the worker soon after the harness has died, however that happened."""
    while os.getppid() == harness:
        time.sleep(_WATCH_S)
    _kill(worker)


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
        os.kill(process, signal.SIGKILL)


def _end_orphans() -> None:
    while True:
        for child in _children():
            _kill(child)
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            time.sleep(0.01)


def _children() -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(errors="replace")
        except OSError:  # it has ended
            continue
        if int(text.rpartition(")")[2].split()[1]) == os.getpid():
            yield int(stat.parent.name)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


if __name__ == "__main__":
    main()
