"""Arrays go to a method in memory that nobody writes, and come back counted and typed."""

import ctypes
import errno
import mmap
import os
import socket
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from wsbench.methods import wire

ARRAYS = [
    np.arange(12, dtype=np.float32).reshape(3, 4),
    np.arange(12.0).reshape(3, 4).T,
    np.zeros((0, 4), np.float32),
    np.array(2.5),
    np.arange(2_000, dtype=np.int64),
]


@pytest.fixture
def ends():
    a, b = socket.socketpair()
    with a, b:
        yield a, b


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.shape))
def test_shared__is_mapped_as_it_was_and_read_only(array):
    shared = wire.Shared(array)
    found = wire.mapped(shared.descriptor, **shared.header)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert (found == array).all()
    if array.size:
        with pytest.raises(ValueError, match="WRITEABLE"):
            found.setflags(write=True)


def test_shared__cannot_be_written_or_cut_or_mapped_for_writing():
    shared = wire.Shared(ARRAYS[0])
    file = f"/proc/self/fd/{shared.descriptor}"
    refusals = (errno.EPERM, errno.EACCES)
    for write in (
        lambda: os.write(shared.descriptor, b"x"),
        lambda: os.ftruncate(shared.descriptor, 0),
        lambda: os.ftruncate(shared.descriptor, 1 << 20),
        lambda: mmap.mmap(shared.descriptor, 48, mmap.MAP_SHARED, mmap.PROT_WRITE),
        lambda: Path(file).write_bytes(b"x"),
    ):
        with pytest.raises(PermissionError) as error:
            write()
        assert error.value.errno in refusals
    found = wire.mapped(os.dup(shared.descriptor), **shared.header)
    page = found.ctypes.data // mmap.PAGESIZE * mmap.PAGESIZE
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(page), mmap.PAGESIZE, 3) == -1
    assert (found == ARRAYS[0]).all()
    shared.close()
    shared.close()


def test_shared__without_seals_is_a_file_that_is_gone(monkeypatch):
    """As on macOS."""
    monkeypatch.delattr(os, "memfd_create")
    shared = wire.Shared(ARRAYS[0])
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.write(shared.descriptor, b"x")
    assert os.fstat(shared.descriptor).st_nlink == 0
    assert (wire.mapped(shared.descriptor, **shared.header) == ARRAYS[0]).all()


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.shape))
def test_send__is_received_bit_for_bit(ends, array):
    ours, theirs = ends
    wire.send(ours, {"call": "x"}, payload=array)
    header = wire.receive_header(theirs)
    assert header["call"] == "x"
    found = wire.receive_array(theirs, **header["payload"], max_bytes=array.nbytes)
    assert found.tobytes() == array.tobytes()


def test_send__gives_descriptors_to_whoever_asks_for_them(ends):
    ours, theirs = ends
    shared = {f"array {i}": wire.Shared(array) for i, array in enumerate(ARRAYS)}
    wire.send(ours, {}, shared)
    header, descriptors = wire.receive_header_and_descriptors(theirs)
    for (name, array), descriptor in zip(header["arrays"].items(), descriptors, strict=True):
        expected = ARRAYS[int(name.split()[1])]
        assert wire.mapped(descriptor, **array).tobytes() == expected.tobytes()
    wire.send(ours, {}, shared)
    n_open = len([*Path("/proc/self/fd").iterdir()])
    wire.receive_header(theirs)
    assert len([*Path("/proc/self/fd").iterdir()]) == n_open


@pytest.mark.parametrize(
    ("dtype", "shape", "max_bytes"),
    [
        ("<f8", [3, 4], 95),
        ("<f8", [10**9, 10**9], 10**9),
        ("O", [1], 100),
        ("<U4", [1], 100),
        ("<c8", [1], 100),
        ("?", [1], 100),
        ("<M8[s]", [1], 100),
        ("V8", [1], 100),
    ],
)
def test_receive_array__refuses_before_it_reads(ends, dtype, shape, max_bytes):
    with pytest.raises(ValueError, match="an array of"):
        wire.receive_array(ends[0], dtype, shape, max_bytes)


@pytest.mark.parametrize("n_sent", [0, 3, 8, 12])
def test_receive_header__the_end_is_an_eof(ends, n_sent):
    ours, theirs = ends
    ours.sendall((struct.pack("!Q", 20) + b"{" * 20)[:n_sent])
    ours.close()
    with pytest.raises(EOFError):
        wire.receive_header(theirs)


def test_receive_header__waits_no_longer_than_its_deadline(ends):
    ours, theirs = ends
    began = time.monotonic()
    ours.sendall(bytes(3))
    with pytest.raises(TimeoutError):
        wire.receive_header(theirs, began + 0.2)
    assert 0.2 <= time.monotonic() - began < 5
    with pytest.raises(TimeoutError):
        wire.receive_header(theirs, began)
