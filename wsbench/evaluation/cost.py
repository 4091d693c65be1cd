"""Cost of a method: seconds and memory, measured in a fresh process."""

import time
from collections.abc import Callable
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct

from wsbench.methods.limits import Limits
from wsbench.methods.process import MethodProcess
from wsbench.methods.protocol import MethodDescription, refuse_changed_code
from wsbench.methods.session import Session
from wsbench.tasks.blinded_zoo import BlindedZoo

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
        Peak memory of the process, less what it held before the fit and less the checkpoints.
        Distances of embeddings are computed by the harness and not counted.
    """

    fit_s: Seconds
    embed_s: Seconds
    order_s: Seconds
    peak_bytes: Annotated[int, Meta(ge=0, le=2**50)]


def measure_cost(description: MethodDescription, blinded: BlindedZoo, limits: Limits) -> Cost:
    """Measure a method in a fresh process.

    Raises
    ------
    MethodError
        If it fails there.
    """
    shown = blinded.under("none")
    place = np.argsort(shown.shown_order)
    models = [shown.test[np.sort(place[rows])] for rows in shown.truth.rows_by_model()]
    settings = {name: description.parameters[name] for name in description.settings}
    with MethodProcess(limits) as process:
        process.find(description.spec)
        refuse_changed_code(description, process.make(settings))
        session = Session(process, shown.layout, blinded.zoo.probe_inputs, shown.seed)
        if not description.has_fit:
            session.distances(shown.test[:_N_WARM])
        before = process.peak_bytes()
        fit_s = _seconds(lambda: session.fit(shown.train, shown.train_labels))
        session.distances(shown.test[:_N_WARM])  # also of a new instance, if there is no fit
        if session.has_order:
            session.order(models[0])
        embed_s = _seconds(lambda: session.distances(shown.test))
        order_s = _seconds(lambda: [session.order(model) for model in models if session.has_order])
        shared = shown.train.nbytes * description.has_fit + shown.test.nbytes
        peak_bytes = max(0, process.peak_bytes() - before - shared)
    return Cost(fit_s, embed_s, order_s, peak_bytes)


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
