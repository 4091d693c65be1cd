"""Messages between the harness and a method's process: a JSON header, then arrays.

Arrays go to a method as file descriptors of sealed memory, which it maps and cannot write. They
come back as plain bytes, whose size is checked first. Nothing is ever unpickled.
"""

import base64
import contextlib
import fcntl
import json
import math
import mmap
import os
import socket
import struct
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_LENGTH = struct.Struct("!Q")
_MAX_HEADER_BYTES = 4_000_000
_MAX_DESCRIPTORS = 16
_CHUNK_BYTES = 1 << 20


class Shared:
    """An array in memory that another process maps and neither process can write.

    Linux seals the memory. Elsewhere it is a file without a name, opened for reading.
    """

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self.dtype, self.shape = array.dtype, array.shape
        data = _bytes_of(array) if array.size else b""
        self.descriptor = _sealed(data) if hasattr(os, "memfd_create") else _nameless(data)

    @property
    def header(self) -> dict[str, Any]:
        """What the other side needs to know to map it."""
        return {"dtype": self.dtype.str, "shape": list(self.shape)}

    def close(self) -> None:
        """Let go of the memory; it lives on where it is mapped."""
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


def mapped(descriptor: int, dtype: str, shape: list[int]) -> npt.NDArray[Any]:
    """Return the read-only array behind a descriptor, which is closed."""
    kind = np.dtype(dtype)
    n = int(np.prod(shape, dtype=np.int64))
    if not n:
        os.close(descriptor)
        return np.empty(shape, kind)
    try:
        memory = mmap.mmap(descriptor, n * kind.itemsize, mmap.MAP_SHARED, mmap.PROT_READ)
    finally:
        os.close(descriptor)
    return np.frombuffer(memory, kind, n).reshape(shape)


def send(
    channel: socket.socket,
    header: Mapping[str, Any],
    shared: Mapping[str, Shared] | None = None,
    payload: npt.NDArray[Any] | None = None,
) -> None:
    """Send a header, descriptors of shared arrays, and the bytes of one array."""
    shared = shared or {}
    arrays = {name: array.header for name, array in shared.items()}
    answer = None if payload is None else {"dtype": payload.dtype.str, "shape": payload.shape}
    text = json.dumps({**header, "arrays": arrays, "payload": answer}).encode()
    descriptors = [array.descriptor for array in shared.values()]
    first = _LENGTH.pack(len(text))
    if descriptors:
        socket.send_fds(channel, [first], descriptors)
    else:
        channel.sendall(first)
    channel.sendall(text)
    if payload is not None and payload.size:
        channel.sendall(_bytes_of(payload))


def receive_header(channel: socket.socket, deadline: float | None = None) -> Any:
    """Return a header; descriptors that come with it are dropped.

    Parameters
    ----------
    channel
        Where from.
    deadline
        By `time.monotonic`; None waits for ever.

    Raises
    ------
    EOFError
        If the other side has gone.
    TimeoutError
        If it has not come in time.
    ValueError
        If the other side sent no header of ours.
    """
    return _rest_of_header(channel, b"", deadline)


def receive_header_and_descriptors(channel: socket.socket) -> tuple[Any, list[int]]:
    """Return a header and the descriptors that came with it; raise as `receive_header` does."""
    first, descriptors, *_ = socket.recv_fds(channel, _LENGTH.size, _MAX_DESCRIPTORS)
    if not first:
        raise EOFError
    return _rest_of_header(channel, first, None), list(descriptors)


def receive_array(
    channel: socket.socket,
    dtype: str,
    shape: list[int],
    max_bytes: int,
    deadline: float | None = None,
) -> npt.NDArray[Any]:
    """Return the array whose bytes follow a header.

    Raises
    ------
    EOFError, TimeoutError
        If the other side goes, or time is up, before it has sent them all.
    ValueError
        If they are not numbers, or more than `max_bytes`.
    """
    kind = np.dtype(dtype)
    size = kind.itemsize * math.prod(shape)
    if kind.kind not in "fiu" or size > max_bytes:
        raise ValueError(f"an array of {size:,} bytes of {dtype}")
    return np.frombuffer(receive_exactly(channel, size, deadline), kind).reshape(shape)


def state_of(rng: np.random.Generator) -> dict[str, Any]:
    """Return the state of a Philox generator as JSON can hold it."""
    state: Any = rng.bit_generator.state
    arrays = {name: state["state"][name] for name in ("counter", "key")}
    text = {name: base64.b64encode(a.tobytes()).decode() for name, a in arrays.items()}
    return {**text, "buffer": base64.b64encode(state["buffer"].tobytes()).decode()} | {
        name: int(state[name]) for name in ("buffer_pos", "has_uint32", "uinteger")
    }


def generator_of(state: dict[str, Any]) -> np.random.Generator:
    """Return the generator of a state."""

    def words(name: str) -> npt.NDArray[np.uint64]:
        return np.frombuffer(base64.b64decode(state[name]), np.uint64).copy()

    whole: Any = {
        "bit_generator": "Philox",
        "state": {"counter": words("counter"), "key": words("key")},
        "buffer": words("buffer"),
        **{name: state[name] for name in ("buffer_pos", "has_uint32", "uinteger")},
    }
    bits = np.random.Philox()
    bits.state = whole
    return np.random.Generator(bits)


def receive_exactly(channel: socket.socket, n: int, deadline: float | None = None) -> bytearray:
    """Return the next n bytes; raise as `receive_header` does."""
    data = bytearray(n)
    view, at = memoryview(data), 0
    while at < n:
        if deadline is not None:  # of all bytes: a timeout of each would let a method trickle
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            channel.settimeout(left)
        got = channel.recv_into(view[at : at + _CHUNK_BYTES])
        if not got:
            raise EOFError
        at += got
    return data


def _rest_of_header(channel: socket.socket, first: bytes, deadline: float | None) -> Any:
    first += receive_exactly(channel, _LENGTH.size - len(first), deadline)
    (length,) = _LENGTH.unpack(first)
    if length > _MAX_HEADER_BYTES:
        raise ValueError(f"a header of {length:,} bytes")
    return json.loads(receive_exactly(channel, length, deadline))


def _bytes_of(array: npt.NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _sealed(data: Any) -> int:
    descriptor = os.memfd_create("wsbench", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    _write_all(descriptor, data)
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def _nameless(data: Any) -> int:
    descriptor, name = tempfile.mkstemp()
    try:
        _write_all(descriptor, data)
        return os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(descriptor)
        Path(name).unlink()


def _write_all(descriptor: int, data: Any) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
