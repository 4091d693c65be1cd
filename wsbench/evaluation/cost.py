"""Cost of a method: seconds and memory, in a process of its own."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from wsbench.errors import MethodError
from wsbench.methods.loading import load_method
from wsbench.methods.protocol import LoadedMethod
from wsbench.methods.session import Session
from wsbench.networks.checkpoints import Labels
from wsbench.networks.layout import Layout
from wsbench.tasks.blinded_zoo import BlindedZoo

_ELSEWHERE = """
import json, sys
from wsbench.evaluation.cost import measure
print(json.dumps(measure(*sys.argv[1:])))
"""

Seconds = Annotated[float, Meta(ge=0, le=1e9)]

_N_WARM = 8  # checkpoints of the first round, in which kernels are compiled


class Cost(Struct, frozen=True, forbid_unknown_fields=True):
    """Time and memory for the test checkpoints of a zoo as written.

    Attributes
    ----------
    fit_s, embed_s, order_s
        Seconds for the train checkpoints, for all distances, and for the order of every model. What
        a first call compiles is not counted.
    peak_bytes
        Memory of the process at its most, beyond what it held when it had read the checkpoints;
        the distance matrix is in it.
    """

    fit_s: Seconds
    embed_s: Seconds
    order_s: Seconds
    peak_bytes: Annotated[int, Meta(ge=0, le=2**50)]


def measure_cost(loaded: LoadedMethod, blinded: BlindedZoo) -> Cost | None:
    """Measure a method in a fresh process; None if it was not loaded by name, module or file.

    Raises
    ------
    MethodError
        If it fails there.
    """
    if not loaded.spec:
        return None
    shown = blinded.under("none")
    place = np.argsort(shown.shown_order)
    rows = [np.sort(place[rows]) for rows in shown.truth.rows_by_model()]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "checkpoints.npz"
        np.savez(
            file, train=shown.train, test=shown.test, probe_inputs=blinded.zoo.probe_inputs,
            model=shown.train_labels.model, epoch=shown.train_labels.epoch,
            rows=np.concatenate(rows), ends=np.cumsum([len(part) for part in rows])[:-1],
        )  # fmt: skip
        layout = blinded.zoo.layout.to_json()
        parameters = json.dumps(dict(loaded.parameters))
        arguments = [str(file), loaded.spec, parameters, layout, str(shown.seed)]
        command = [sys.executable, "-c", _ELSEWHERE, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise MethodError(f"it fails in a process of its own: {last}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def measure(file: str, spec: str, parameters: str, layout_json: str, seed: str) -> dict[str, Any]:
    """Measure a method in this process, which is to do nothing else; all given as text."""
    loaded = load_method(spec, json.loads(parameters))
    with np.load(file) as arrays:
        stored = dict(arrays)
    session = Session(loaded, Layout.from_json(layout_json), stored["probe_inputs"], int(seed))
    train, test = stored["train"], stored["test"]
    labels = Labels(stored["model"], stored["epoch"])
    models = [test[rows] for rows in np.split(stored["rows"], stored["ends"])]
    has_fit = hasattr(loaded.method, "fit")
    if not has_fit:
        session.distances(test[:_N_WARM])
    before = _peak_bytes()
    fit_s = _seconds(lambda: session.fit(train, labels))
    if has_fit:
        session.distances(test[:_N_WARM])
    if session.has_order:
        session.order(models[0])
    embed_s = _seconds(lambda: session.distances(test))
    order_s = _seconds(lambda: [session.order(model) for model in models if session.has_order])
    return {
        "fit_s": fit_s,
        "embed_s": embed_s,
        "order_s": order_s,
        "peak_bytes": _peak_bytes() - before,
    }


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():  # where ru_maxrss begins with the peak of the process that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
