"""Jobs: the conditions of an evaluation, one after the other, side by side, or on a Dask cluster.

A method is fitted anew under each condition, so neither the process nor the order changes an
answer.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from wsbench.errors import MethodError, WorkerError
from wsbench.evaluation.cluster import dask_client
from wsbench.evaluation.resume import Part, packed_part, unpacked_part
from wsbench.evaluation.suite import Suite
from wsbench.methods.limits import Limits
from wsbench.methods.opening import OpenMethod, open_methods
from wsbench.methods.protocol import MethodDescription, refuse_changed_code
from wsbench.methods.session import Port, Session
from wsbench.tasks.blinded_zoo import BlindedCheckpoints, BlindedZoo
from wsbench.tasks.catalogue import TASKS
from wsbench.tasks.condition import Condition
from wsbench.tasks.ground_truth import Answers
from wsbench.zoo.zoo import Zoo

Blinded = Callable[[str, int], BlindedZoo]  # by protocol and repeat

Zoos = tuple[Zoo, Zoo | None]  # the zoo to score, and another to fit on

# Runs a method's conditions and yields each as it is done.
Jobs = Callable[[Sequence[Condition]], Iterator[tuple[Condition, Part]]]


@lru_cache(maxsize=8)
def blinded_zoo(zoo: Zoo, fit_on: Zoo | None, protocol: str, seed: int) -> BlindedZoo:
    """Return a blinded zoo, the same one for every method that is evaluated on this zoo."""
    return BlindedZoo(zoo, protocol, seed, fit_on)


def _answered(port: Port, zoo: Zoo, shown: BlindedCheckpoints, tasks: Sequence[str]) -> Part:
    """Return a method's answers to tasks about some checkpoints, and the seconds they took.

    Each task gets an instance of its own: what one has seen in a task it must not know in another.
    """
    session = Session(port, shown.layout, zoo.probe_inputs, shown.seed)
    answers: dict[str, Answers] = {}
    for task in tasks:
        answers[task] = TASKS[task].run(session, shown)
        session.renew()
    return answers, session.seconds


def in_turn(port: Port, blinded: Blinded, suite: Suite) -> Jobs:
    """Return jobs that one process answers, one after the other."""

    def run(conditions: Sequence[Condition]) -> Iterator[tuple[Condition, Part]]:
        for condition in conditions:
            one = blinded(condition.protocol, condition.repeat)
            shown = one.under(condition.perturbation)
            tasks = suite.tasks_under(condition.perturbation)
            yield condition, _answered(port, one.zoo, shown, tasks)

    return run


@contextmanager
def side_by_side(
    method: OpenMethod, blinded: Blinded, suite: Suite, n_workers: int, limits: Limits
) -> Iterator[Jobs]:
    """Give jobs that several processes of the method answer.

    Raises
    ------
    MethodError
        If the method cannot be loaded once more.
    """
    description = method.description
    if not description.spec:
        raise MethodError(
            f"{description.label}: workers load the method by its spec, and it has none"
        )
    ports: SimpleQueue[Port] = SimpleQueue()
    preparing = threading.Lock()  # perturbations share a decomposition, computed once
    with ExitStack() as stack:
        for _ in range(n_workers):
            (other,) = stack.enter_context(_opened_again(description, limits))
            ports.put(_ready(other, description))
        threads = stack.enter_context(ThreadPoolExecutor(n_workers))

        def answer(condition: Condition) -> tuple[Condition, Part]:
            port = ports.get()
            try:
                with preparing:
                    one = blinded(condition.protocol, condition.repeat)
                    shown = one.under(condition.perturbation)
                tasks = suite.tasks_under(condition.perturbation)
                return condition, _answered(port, one.zoo, shown, tasks)
            finally:
                ports.put(port)

        def run(conditions: Sequence[Condition]) -> Iterator[tuple[Condition, Part]]:
            futures = [threads.submit(answer, condition) for condition in conditions]
            yield from _as_done(futures)

        yield run


@contextmanager
def on_cluster(
    address: str,
    description: MethodDescription,
    zoos: Zoos,
    suite: Suite,
    seed: int,
    limits: Limits,
) -> Iterator[Jobs]:
    """Give jobs for a Dask cluster, whose workers are sent the zoos once.

    Raises
    ------
    WorkerError
        If no scheduler answers there.
    MethodError
        If the method was not loaded by a spec that a worker can load, too.
    """
    if not description.spec:
        raise MethodError(
            f"{description.label}: a cluster loads the method by its spec, and it has none"
        )
    with dask_client(address) as client:
        sent = client.scatter([zoos], broadcast=True)[0]
        spec = _absolute(description.spec)

        def run(conditions: Sequence[Condition]) -> Iterator[tuple[Condition, Part]]:
            executor = client.get_executor(pure=False)
            futures = [
                executor.submit(
                    _answer_there,
                    sent,
                    spec,
                    description,
                    condition,
                    suite.tasks_under(condition.perturbation),
                    seed,
                    limits,
                )
                for condition in conditions
            ]
            try:
                for condition, data in _as_done(futures):
                    yield condition, unpacked_part(data)
            except (CancelledError, OSError) as error:
                raise WorkerError(
                    f"{address}: the cluster was lost ({type(error).__name__}); the same command"
                    " resumes from the finished conditions"
                ) from None

        yield run


def _answer_there(
    zoos: Zoos,
    spec: str,
    description: MethodDescription,
    condition: Condition,
    tasks: tuple[str, ...],
    seed: int,
    limits: Limits,
) -> tuple[Condition, bytes]:
    """Answer one condition in a Dask worker, in a process of the method."""
    from threadpoolctl import threadpool_limits

    with (
        threadpool_limits(limits.threads),
        _opened_again(replace(description, spec=spec), limits) as (one,),
    ):
        blinded = blinded_zoo(*zoos, condition.protocol, seed + condition.repeat)
        shown = blinded.under(condition.perturbation)
        part = _answered(_ready(one, description), blinded.zoo, shown, tasks)
        return condition, packed_part(*part)


def _opened_again(description: MethodDescription, limits: Limits) -> Any:
    settings = {name: description.parameters[name] for name in description.settings}
    return open_methods([description.spec], settings, limits=limits)


def _ready(method: OpenMethod, description: MethodDescription) -> Port:
    if method.port is None:
        raise MethodError(f"{method.description.spec} cannot be loaded again: {method.error}")
    refuse_changed_code(description, method.description)
    return method.port


def _absolute(spec: str) -> str:
    """Return the spec of a file by its absolute path, for a worker in another folder."""
    place, colon, attribute = spec.rpartition(":")
    return f"{Path(place).resolve()}:{attribute}" if colon and place.endswith(".py") else spec


def _as_done(futures: Sequence[Future[Any]]) -> Iterator[Any]:
    """Yield results as they come; the first failure cancels what has not begun."""
    try:
        for future in as_completed(futures):
            yield future.result()
    finally:
        for future in futures:
            future.cancel()
