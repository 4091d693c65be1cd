"""Process of a method, from the harness's side.

A crash, an exit, a hang or a lack of memory in that process is a `MethodError` here. What the
method prints or patches there reaches neither the harness nor another method.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from wsbench.errors import (
    MethodError,
    MethodFailedError,
    UnknownIdError,
    WorkerError,
    WsbenchError,
)
from wsbench.methods import supervisor
from wsbench.methods.limits import Limits
from wsbench.methods.loading import list_methods
from wsbench.methods.protocol import MethodDescription
from wsbench.methods.replies import Failure, Found, Payload, Verdict, description_of, is_reply
from wsbench.methods.wire import (
    Shared,
    receive_array,
    receive_exactly,
    receive_header,
    send,
    state_of,
)
from wsbench.networks.checkpoints import Labels
from wsbench.networks.layout import Layout
from wsbench.storage.strict_json import typed

T = TypeVar("T")
Floats = npt.NDArray[np.float32]

_MOST_FEATURES = 1_000_000
_END_S = 5.0  # for the end of a process of which the connection is closed to be seen
_CLEAN_UP_S = 30.0  # for the supervisor to end all that a method started; a busy machine takes long
_LAST_WORDS_S = 1.0  # to read what a process has printed
_PRINTED_KEPT = 12_000  # bytes, the last that a method prints; a crash lists all modules
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip
# Variables that change bits or say where labels lie: a method's process has none of them.
_REMOVED = ("WSBENCH_", "OMP_", "OPENBLAS_", "MKL_", "NUMBA_", "GOTO_", "BLIS_", "NPY_", "KMP_")
_KEPT = ("NUMBA_CACHE_DIR",)


class MethodProcess:
    """A process that loads one method, and asks it what `Session` asks.

    Parameters
    ----------
    limits
        Memory, seconds a call, threads.
    hash_seed
        Of ``hash`` of a text, which the order of a set follows: the same in every evaluation.

    Examples
    --------
    >>> with MethodProcess() as process:
    ...     process.find("svd")
    ...     process.make({"k": 5}).label
    ['k']
    'svd k=5'
    """

    def __init__(self, limits: Limits | None = None, hash_seed: int = 0) -> None:
        self.limits = limits or Limits()
        self._spec = ""
        self._description: MethodDescription | None = None
        self._pid: int | None = None
        self._has_ended = False
        self._deadline = 0.0
        self._printed = bytearray()
        self._channel, theirs = socket.socketpair()
        read, write = os.pipe()
        self._pipe = os.fdopen(read, "rb", buffering=0)
        try:
            self._process = subprocess.Popen(
                self._command(theirs.fileno()),
                stdin=subprocess.DEVNULL, stdout=write, stderr=write, start_new_session=True,
                env=self._environment(hash_seed), pass_fds=(theirs.fileno(),),
            )  # fmt: skip
        except OSError as error:  # no memory, or too many processes
            self._channel.close()
            self._pipe.close()
            raise WorkerError(f"cannot start a process for a method: {error.strerror}") from None
        finally:
            theirs.close()
            os.close(write)
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "MethodProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def description(self) -> MethodDescription:
        """What is known of the method, once it is made."""
        assert self._description is not None
        return self._description

    @property
    def printed(self) -> str:
        """The end of what the method has printed."""
        self._wait_for_last_words()
        with self._lock:
            return self._printed[-_PRINTED_KEPT:].decode("utf-8", "replace")

    def find(self, spec: str) -> list[str] | None:
        """Import a method; return the parameters that can be set, None if that is unknown.

        Raises
        ------
        UnknownIdError, MethodError
            As `load_method` raises them, or if the process ends.
        """
        self._spec = spec
        return self._typed(self._call({"call": "find", "spec": spec}), Found).takes

    def make(self, parameters: Mapping[str, Any]) -> MethodDescription:
        """Make an instance of the method that was found; raise as `find` does."""
        reply = self._call({"call": "make", "parameters": dict(parameters)})
        try:
            self._description = description_of(reply, self._spec)
        except (MethodError, ValueError) as error:
            raise self._broken(f"sent a wrong description: {error}") from None
        return self._description

    def fit(
        self,
        weights: Floats,
        layout: Layout,
        probe_inputs: Floats,
        labels: Labels | None,
        rng: np.random.Generator,
    ) -> None:
        """Fit the method, if it can be."""
        arrays = {"weights": weights, **self._declared(probe_inputs, labels)}
        self._call({"call": "fit", "layout": layout.to_json(), "rng": state_of(rng)}, arrays)

    def answer(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> npt.NDArray[Any]:
        """Return its distances or its embedding."""
        return self._ask("answer", weights, layout, probe_inputs)

    def order(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> npt.NDArray[Any]:
        """Return its order of one model's checkpoints."""
        return self._ask("order", weights, layout, probe_inputs)

    def progress(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> npt.NDArray[Any]:
        """Return its number of each checkpoint."""
        return self._ask("progress", weights, layout, probe_inputs)

    def renew(self) -> bool:
        """Go on with an instance as it was after its fit; return whether it is fitted."""
        return self._typed(self._call({"call": "renew"}), Verdict).holds

    def leaves_input(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> bool:
        """Whether the weights are what they were when the method has answered."""
        arrays = {"weights": weights, **self._declared(probe_inputs, None)}
        request = {"call": "leaves_input", "layout": layout.to_json()}
        return self._typed(self._call(request, arrays), Verdict).holds

    def peak_bytes(self) -> int:
        """Return the most memory that the process has held, shared arrays included; 0 unknown."""
        try:
            status = Path(f"/proc/{self._pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "- 0")
        return int(line.split()[1]) * 1024

    def close(self) -> None:
        """End the process and all that it started."""
        self._channel.close()
        self._end()

    def _ask(
        self, call: str, weights: Floats, layout: Layout, probe_inputs: Floats
    ) -> npt.NDArray[Any]:
        arrays = {"weights": weights, **self._declared(probe_inputs, None)}
        reply = self._call({"call": call, "layout": layout.to_json()}, arrays)
        payload = self._typed(reply.get("payload"), Payload)
        n = len(weights)
        most = min(self.limits.memory_bytes, 8 * n * max(n, _MOST_FEATURES))
        try:
            return receive_array(self._channel, payload.dtype, payload.shape, most, self._deadline)
        except TimeoutError:
            raise self._late(call) from None
        except (EOFError, TypeError, ValueError, OSError, MemoryError) as error:
            raise self._broken(f"sent no array during {call}: {error}") from None

    def _declared(self, probe_inputs: Floats, labels: Labels | None) -> dict[str, npt.NDArray[Any]]:
        """Return what the method has declared that it needs, and nothing else."""
        needs = set(self.description.info.needs)
        arrays: dict[str, npt.NDArray[Any]] = {}
        if needs & {"activations", "probe_inputs"}:
            arrays["probe_inputs"] = probe_inputs
        if "labels" in needs and labels is not None:
            arrays |= {"model": labels.model, "epoch": labels.epoch}
        return arrays

    def _call(
        self, request: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]] | None = None
    ) -> dict[str, Any]:
        call = request["call"]
        shared = {name: Shared(array) for name, array in (arrays or {}).items()}
        self._deadline = time.monotonic() + self.limits.timeout_s
        try:
            if self._pid is None:
                pid = receive_exactly(self._channel, supervisor.PID.size, self._deadline)
                (self._pid,) = supervisor.PID.unpack(pid)
            self._channel.settimeout(self.limits.timeout_s)
            send(self._channel, request, shared)
            reply = receive_header(self._channel, self._deadline)
        except TimeoutError:
            raise self._late(call) from None
        except (EOFError, OSError):
            raise self._broken(f"{self._how_it_ended()} during {call}") from None
        except (ValueError, RecursionError) as error:
            raise self._broken(f"sent no answer to {call}, but {error}") from None
        finally:
            for array in shared.values():
                array.close()
        if not is_reply(reply):
            raise self._broken(f"sent no answer to {call}")
        if not reply["ok"]:
            raise self._failure(call, self._typed(reply, Failure))
        return dict(reply)

    def _failure(self, call: str, reply: Failure) -> WsbenchError:
        """Return the error that a method's process reported."""
        if reply.error == "UnknownIdError" and call == "find" and self._spec not in list_methods():
            return UnknownIdError(reply.message)
        if reply.error == "MethodError" and call in ("find", "make"):
            return MethodError(reply.message)
        return MethodFailedError(reply.message, self._with_printed(reply.traceback.rstrip()))

    def _typed(self, value: Any, kind: type[T]) -> T:
        try:
            return typed(value, kind)
        except ValueError as error:
            raise self._broken(f"sent no answer, but {error}") from None

    def _late(self, call: str) -> MethodFailedError:
        return self._broken(f"gave no answer to {call} in {self.limits.timeout_s:g} s")

    def _broken(self, what: str) -> MethodFailedError:
        """End the process and return the error that says why."""
        self._end(in_call=True)
        message = f"the method's process {what}"
        return MethodFailedError(message, self._with_printed(message))

    def _with_printed(self, text: str) -> str:
        printed = self.printed.rstrip()
        return f"{text}\n\nIt printed:\n{printed}".lstrip() if printed else text

    def _how_it_ended(self) -> str:
        try:
            status = self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        if status >= 0:
            return f"ended with exit status {status}"
        try:
            return f"was killed by {signal.Signals(-status).name}"
        except ValueError:  # a real-time signal
            return f"was killed by signal {-status}"

    def _end(self, in_call: bool = False) -> None:
        """End the process, once; its supervisor ends all that it started.

        If the method has killed the supervisor in a call, the method's group is ended here.
        """
        if self._has_ended:  # its number may be another process's by now
            return
        self._has_ended = True
        if self._pid is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_CLEAN_UP_S)
        groups = [self._process.pid]
        if in_call and self._pid is not None:  # later its number may be another's
            groups.append(self._pid)
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        self._process.wait()
        self._reader.join(_END_S)

    def _command(self, descriptor: int) -> list[str]:
        numbers = (os.getpid(), descriptor, self.limits.memory_bytes)
        # -u: what a method prints before it crashes is not lost. -X faulthandler: says where.
        options = ("-P", "-u", "-X", "faulthandler")
        path = json.dumps(sys.path)
        return [sys.executable, *options, supervisor.__file__, *map(str, numbers), path]

    def _environment(self, hash_seed: int) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or not name.startswith(_REMOVED)
        }
        threads = dict.fromkeys(_THREAD_VARIABLES, str(self.limits.threads))
        # What a method prints is UTF-8 wherever it runs.
        return kept | threads | {"PYTHONHASHSEED": str(hash_seed), "PYTHONUTF8": "1"}

    def _read(self) -> None:
        """Keep the end of what is printed, however much it is."""
        with self._pipe:
            while data := self._pipe.read(1 << 16):
                with self._lock:
                    self._printed += data
                    del self._printed[:-_PRINTED_KEPT]

    def _wait_for_last_words(self) -> None:
        """Wait until the pipe is empty, unless a process that is alive goes on printing."""
        end = time.monotonic() + _LAST_WORDS_S
        n = bytearray(4)
        while self._reader.is_alive() and time.monotonic() < end:
            time.sleep(0.005)
            with contextlib.suppress(OSError, ValueError):
                fcntl.ioctl(self._pipe, termios.FIONREAD, n)
            if not any(n):
                return
