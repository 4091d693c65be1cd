"""What a method costs: seconds and memory, in a process of its own."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wsbench.errors import MethodError
from wsbench.evaluation.blinded_zoo import BlindedZoo
from wsbench.methods.loading import load_method
from wsbench.methods.protocol import LoadedMethod
from wsbench.methods.session import ask_distances, ask_order
from wsbench.networks.checkpoints import Checkpoints, Labels
from wsbench.networks.layout import Layout
from wsbench.seeding import generator
from wsbench.zoo.zoo import Zoo

_ELSEWHERE = """
import json, sys
from wsbench.evaluation.cost import measure
print(json.dumps(measure(*sys.argv[1:])))
"""

_N_WARM = 8  # checkpoints of the first round, in which kernels are compiled


@dataclass(frozen=True)
class Cost:
    """What a method took for the test checkpoints of a zoo as they are.

    Attributes
    ----------
    fit_s, embed_s, order_s
        Seconds for the train checkpoints, for all distances, and for the order of every model. What
        a first call compiles is not counted.
    peak_bytes
        How much more memory the process held at its most than when it had read the checkpoints;
        the distance matrix is in it.
    """

    fit_s: float
    embed_s: float
    order_s: float
    peak_bytes: int


def measure_cost(loaded: LoadedMethod, zoo: Zoo, seed: int = 0) -> Cost | None:
    """Measure a method in a fresh process; None if it was not loaded by name, module or file.

    Raises
    ------
    MethodError
        If it fails there.
    """
    if not loaded.spec:
        return None
    trial = BlindedZoo(zoo, "standard", seed)
    train, test = (trial.transformed("none", split) for split in ("train", "test"))
    labels = trial.train_labels
    rows = [np.sort(np.argsort(trial.seen)[rows]) for rows in trial.truth.rows_by_model()]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "checkpoints.npz"
        np.savez(
            file, train=train, test=test, model=labels.model, epoch=labels.epoch,
            probe_inputs=zoo.probe_inputs,
            rows=np.concatenate(rows), ends=np.cumsum([len(part) for part in rows])[:-1],
        )  # fmt: skip
        given = [loaded.spec, json.dumps(dict(loaded.parameters)), zoo.layout.to_json(), str(seed)]
        command = [sys.executable, "-c", _ELSEWHERE, str(file), *given]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise MethodError(f"it fails in a process of its own: {last}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def measure(file: str, spec: str, parameters: str, layout_json: str, seed: str) -> dict[str, Any]:
    """Measure a method in this process, which is to do nothing else; all given as text."""
    loaded = load_method(spec, json.loads(parameters))
    with np.load(file) as arrays:
        given = dict(arrays)
    layout = Layout.from_json(layout_json)
    labels = Labels(given["model"], given["epoch"])

    def view(weights: Any, labels: Labels | None = None) -> Checkpoints:
        return loaded.view(weights, layout, given["probe_inputs"], labels)

    train, test = view(given["train"], labels), view(given["test"])
    models = [view(given["test"][rows]) for rows in np.split(given["rows"], given["ends"])]
    has_order = hasattr(loaded.method, "order")
    if not hasattr(loaded.method, "fit"):
        ask_distances(loaded, view(given["test"][:_N_WARM]))
    before = _peak_bytes()
    fit_s = _seconds(lambda: loaded.fit(train, generator(int(seed), "method")))
    if hasattr(loaded.method, "fit"):
        ask_distances(loaded, view(given["test"][:_N_WARM]))
    if has_order:
        ask_order(loaded, models[0])
    embed_s = _seconds(lambda: ask_distances(loaded, test))
    order_s = _seconds(lambda: [ask_order(loaded, model) for model in models if has_order])
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
