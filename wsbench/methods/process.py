"""A method in a process of its own, as the harness sees it.

Whatever the method does there (crash, exit, hang, print, patch, eat memory) ends as a
`MethodError` here, and touches neither the harness nor another method.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from wsbench.errors import MethodError, MethodFailedError, UnknownIdError, WsbenchError
from wsbench.methods.limits import Limits
from wsbench.methods.protocol import MethodDescription, MethodInfo
from wsbench.methods.wire import Shared, receive_array, receive_header, send, state_of
from wsbench.networks.checkpoints import Labels
from wsbench.networks.layout import Layout
from wsbench.storage.strict_json import typed

Floats = npt.NDArray[np.float32]

_WORKER = """
import json, sys
sys.path[:] = json.loads(sys.argv.pop())
from wsbench.methods.worker import main
main()
"""
_MOST_FEATURES = 1_000_000
_END_S = 2.0  # after which a process that was asked to end is killed
_PRINTED_KEPT = 4000  # characters of what a method prints, the last ones
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip
# Variables that change bits or say where labels lie: a method's process has none of them.
_REMOVED = ("WSBENCH_", "OMP_", "OPENBLAS_", "MKL_", "NUMBA_", "GOTO_", "BLIS_", "NPY_", "KMP_")
_KEPT = ("NUMBA_CACHE_DIR",)


class _Info(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    version: str
    description: str
    invariances: list[str]
    needs: list[str]


class _Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    info: _Info
    spec: str
    code_sha256: str
    parameters: dict[str, Any]
    settings: list[str]
    gives_distances: bool
    has_fit: bool
    has_order: bool


class MethodProcess:
    """A process that loads one method, and asks it what `Session` asks.

    Parameters
    ----------
    limits
        Memory, seconds a call, threads.

    Examples
    --------
    >>> with MethodProcess() as process:
    ...     process.find("svd")
    ...     process.make({"k": 5}).label
    ['k']
    'svd k=5'
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._description: MethodDescription | None = None
        ours, theirs = socket.socketpair()
        self._channel = ours
        read, write = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-c", _WORKER, str(theirs.fileno()),
                    str(self.limits.memory_bytes), json.dumps(sys.path),
                ],
                stdin=subprocess.DEVNULL, stdout=write, stderr=write, env=self._environment(),
                pass_fds=(theirs.fileno(),), start_new_session=True,
            )  # fmt: skip
        finally:
            theirs.close()
            os.close(write)
        self._printed: deque[str] = deque(maxlen=64)
        self._reader = threading.Thread(target=self._read, args=(read,), daemon=True)
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
        return "".join(self._printed)[-_PRINTED_KEPT:]

    def find(self, spec: str) -> list[str] | None:
        """Import a method; return the parameters that can be set, None if that is unknown.

        Raises
        ------
        UnknownIdError, MethodError
            As `load_method` raises them, or if the process ends.
        """
        takes = self._call({"call": "find", "spec": spec}).get("takes")
        return None if takes is None else [str(name) for name in takes]

    def make(self, parameters: Mapping[str, Any]) -> MethodDescription:
        """Make an instance of the method that was found; raise as `find` does."""
        reply = self._call({"call": "make", "parameters": dict(parameters)})
        try:
            found = typed(reply["description"], _Description)
        except (KeyError, ValueError) as error:
            raise self._broken(f"described itself wrongly: {error}") from None
        info = MethodInfo(**msgspec.structs.asdict(found.info))
        rest = {**msgspec.structs.asdict(found), "info": info, "settings": tuple(found.settings)}
        self._description = MethodDescription(**rest)
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

    def leaves_input(self, weights: Floats, layout: Layout, probe_inputs: Floats) -> bool:
        """Whether the weights are what they were when the method has answered."""
        arrays = {"weights": weights, **self._declared(probe_inputs, None)}
        request = {"call": "leaves_input", "layout": layout.to_json()}
        return bool(self._call(request, arrays).get("holds"))

    def peak_bytes(self) -> int:
        """Return the most memory that the process has held, shared arrays included; 0 unknown."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "- 0")
        return int(line.split()[1]) * 1024

    def close(self) -> None:
        """End the process and all that it started."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        self._kill()

    def _ask(
        self, call: str, weights: Floats, layout: Layout, probe_inputs: Floats
    ) -> npt.NDArray[Any]:
        arrays = {"weights": weights, **self._declared(probe_inputs, None)}
        reply = self._call({"call": call, "layout": layout.to_json()}, arrays)
        try:
            payload = reply["payload"]
            n = len(weights)
            most = min(self.limits.memory_bytes, 8 * n * max(n, _MOST_FEATURES))
            return receive_array(self._channel, payload["dtype"], payload["shape"], most)
        except (EOFError, KeyError, TypeError, ValueError, OSError, MemoryError) as error:
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
        self._channel.settimeout(self.limits.timeout_s)
        try:
            send(self._channel, request, shared)
            reply, descriptors = receive_header(self._channel)
        except TimeoutError:
            raise self._broken(f"gave no answer to {call} in {self.limits.timeout_s:g} s") from None
        except (EOFError, OSError):
            raise self._broken(f"{self._how_it_ended()} during {call}") from None
        except (ValueError, RecursionError) as error:
            raise self._broken(f"sent no answer to {call}, but {error}") from None
        finally:
            for array in shared.values():
                array.close()
        for descriptor in descriptors:
            os.close(descriptor)
        if not isinstance(reply, dict) or not isinstance(reply.get("ok"), bool):
            raise self._broken(f"sent no answer to {call}")
        if not reply["ok"]:
            raise self._failure(reply)
        return reply

    def _failure(self, reply: Mapping[str, Any]) -> WsbenchError:
        """Return the error that a method's process reported."""
        message, trace = str(reply.get("message")), str(reply.get("traceback"))
        kinds = {"UnknownIdError": UnknownIdError, "MethodError": MethodError}
        if kind := kinds.get(str(reply.get("error"))):
            return kind(message)
        return MethodFailedError(message, self._with_printed(trace.rstrip()))

    def _broken(self, what: str) -> MethodFailedError:
        """Kill the process and return the error that says why."""
        self._kill()
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
        if status < 0:
            return f"was killed by {signal.Signals(-status).name}"
        return f"ended with exit status {status}"

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(_END_S)

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or not name.startswith(_REMOVED)
        }
        return kept | dict.fromkeys(_THREAD_VARIABLES, str(self.limits.threads))

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb", buffering=0) as pipe:
            while data := pipe.read(1 << 16):
                self._printed.append(data[-_PRINTED_KEPT:].decode("utf-8", "replace"))
