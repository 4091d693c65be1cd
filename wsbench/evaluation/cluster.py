"""Dask clusters: connection to a scheduler."""

import logging
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from wsbench.errors import WorkerError

_ADDRESS = r"(tcp|tls)://(?P<host>[^/:\s]+|\[[0-9a-fA-F:]+\]):(?P<port>[0-9]{1,5})"
_TIMEOUT_S = 5  # for the first answer; what is lost later is noticed by its connection


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Dask's tracebacks for faults that one line of ours explains."""
    logger = logging.getLogger("distributed.client")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


@contextmanager
def dask_client(address: str) -> Iterator[Any]:
    """Connect to the Dask cluster whose scheduler is at ``tcp://host:port``.

    It looks first what answers there: Dask's own client waits long, and says little.

    Raises
    ------
    WorkerError
        If Dask is not installed, or no scheduler answers there.
    """
    import asyncio  # here, as it takes as long to import as the rest of wsbench

    try:
        import distributed
    except ModuleNotFoundError as error:
        raise WorkerError(
            f"a cluster needs Dask, and {error.name} is not installed: pip install"
            " 'wsbench[cluster]'"
        ) from None
    match = re.fullmatch(_ADDRESS, address)
    if not match:
        raise WorkerError(
            f"--cluster: got {address!r}, expected the address that a Dask scheduler prints when it"
            " starts, tcp://HOST:PORT"
        )
    try:
        socket.create_connection(
            (match["host"].strip("[]"), int(match["port"])), _TIMEOUT_S
        ).close()
        with ThreadPoolExecutor(1) as apart:  # this thread may have a loop already: a notebook's
            found = apart.submit(asyncio.run, _identity(address)).result()
        if found != "Scheduler":
            raise ConnectionError(f"the service there is a {found}")
        client = distributed.Client(address, timeout=_TIMEOUT_S, set_as_default=False)
    except (OSError, OverflowError, TypeError, ValueError, MemoryError) as error:
        reason = str(error) or f"no answer within {_TIMEOUT_S} s"
        raise WorkerError(
            f"--cluster {address}: no Dask scheduler there ({reason}); is it running, and is this"
            " the address that it printed?"
        ) from None
    try:
        with _quiet():
            yield client
    finally:
        client.close(timeout=_TIMEOUT_S)


async def _identity(address: str) -> str:
    import asyncio

    import distributed

    async with distributed.rpc(address, timeout=_TIMEOUT_S) as remote:
        identity = await asyncio.wait_for(remote.identity(), _TIMEOUT_S)
        return str(identity["type"])
