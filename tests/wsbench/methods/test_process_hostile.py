"""Methods that forge answers, hold the channel, or write where the harness reads."""

import random
import time
from pathlib import Path

import pytest

import wsbench
from wsbench.methods.limits import Limits
from wsbench.methods.process import MethodProcess

from .conftest import LAYOUT, PROBE_INPUTS, SOON_S, WEIGHTS, ask

CHANNEL = """
import json, struct
from multiprocessing.reduction import send_handle
channel = next(
    o for o in (socket.socket(fileno=os.dup(fd)) for fd in range(3, 64)
    if os.path.exists(f"/proc/self/fd/{fd}")
    and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"))
)
def header(value, n=None):
    text = json.dumps(value).encode()
    channel.sendall(struct.pack("!Q", len(text) if n is None else n) + text)
def array(dtype, shape, data=b""):
    header({"ok": True, "payload": {"dtype": dtype, "shape": shape}})
    channel.sendall(data)
    os._exit(0)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("channel.shutdown(socket.SHUT_RDWR)", "during answer"),
        ("os.closerange(3, 64)\nchannel.close()", "ended with exit status 1 during answer"),
        ("channel.sendall(os.urandom(10**6))", "sent no answer to answer, but a header of"),
        ("channel.sendall(bytes(8) + b'x' * 99)", "sent no answer to answer, but Expecting value"),
        ("header('x', 2**62)", "a header of 4,611,686,018,427,387,904 bytes"),
        ("header('x', 10**6)\nos._exit(0)", "ended with exit status 0 during answer"),
        ("header(5)", "sent no answer to answer"),
        ("header([])", "sent no answer to answer"),
        ("header({'ok': 1})", "sent no answer to answer"),
        ("header({'ok': False})", "sent no answer, but"),
        ("header({'ok': False, 'error': 5, 'message': '', 'traceback': ''})", "error: got 5"),
        ("channel.sendall(struct.pack('!Q', 10**5) + b'[' * 10**5)", "recursion"),
        ("channel.sendall(struct.pack('!Q', 10**4) + b'9' * 10**4)", "Exceeds the limit"),
        ("channel.sendall(struct.pack('!Q', 4) + b'\\xff' * 4)", "can't decode"),
        ("header({'ok': True})", "sent no answer, but"),
        ("array('<f4', [6, 3], bytes(71))", "sent no array during answer"),
        ("array('<f8', [10**9, 10**9])", "sent no array during answer: an array of 8,000,000"),
        ("array('<f8', [0, 10**30])", "sent no answer, but"),
        ("array('<f8', [2**40] * 10**5)", "sent no answer, but shape"),
        ("array('<f8', [-1, -8], bytes(64))", "sent no answer, but"),
        ("array('<f8', [True], bytes(8))", "sent no answer, but"),
        ("array('O', [1], bytes(8))", "sent no answer, but"),
        ("array('f4,f4', [1], bytes(8))", "sent no answer, but"),
        ("array('<f3', [1], bytes(8))", "sent no array during answer: data type"),
        ("array(None, [1], bytes(8))", "sent no answer, but"),
        ("array([['a', 'f4']], [1], bytes(8))", "sent no answer, but"),
    ],
)  # fmt: skip
def test_method_process__what_no_worker_of_ours_sends_is_refused(report, body, message):
    limits = Limits(memory_bytes=4 * 10**9, timeout_s=60, threads=1)
    found = report(f"{body}\nreturn checkpoints.weights", limits, top=CHANNEL)
    assert found.startswith("the method's process ")
    assert message in found


def test_method_process__a_forged_failure_stops_no_other_method(report):
    """Only a name that is not installed is unknown, and only before the method's code runs."""
    forged = {"ok": False, "error": "UnknownIdError", "message": "m", "traceback": "of mine"}
    assert "of mine" in report(f"header({forged})", top=CHANNEL)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        {"info": {"name": "../../x"}}, {"info": {"name": "x" * 101}}, {"info": {"needs": ["x"]}},
        {"code_sha256": "x"}, {"parameters": {"a b": 1}}, {"parameters": {"a": "x" * 5000}},
        {"parameters": 5}, {"settings": ["a"]}, {"more": 1}, {"has_fit": 1},
    ],
)  # fmt: skip
def test_method_process__a_forged_description_is_refused(method_file, change):
    info = {"name": "x", "version": "", "description": "", "invariances": [], "needs": []}
    whole = {
        "info": info | change.pop("info", {}), "spec": "", "code_sha256": "0" * 64,
        "parameters": {}, "settings": [], "gives_distances": False, "has_fit": False,
        "has_order": False,
    } | change  # fmt: skip
    spec = method_file(
        "return 1",
        top=CHANNEL,
        init=f"header({{'ok': True, 'description': {whole}}})\nos._exit(0)",
    )
    with MethodProcess(Limits(threads=1)) as process:
        process.find(spec)
        with pytest.raises(wsbench.MethodFailedError, match="sent a wrong description"):
            process.make({})


def test_method_process__a_trickle_of_bytes_does_not_reset_the_clock(start):
    body = "while True: channel.sendall(bytes(1)); time.sleep(.1)"
    process = start(f"channel.sendall(struct.pack('!Q', 10**4))\n{body}", top=CHANNEL)
    process.limits = Limits(timeout_s=1)
    began = time.monotonic()
    with pytest.raises(wsbench.MethodFailedError, match="gave no answer to answer in 1 s"):
        ask(process)
    assert time.monotonic() - began < SOON_S


def test_method_process__leaves_no_descriptor_open(start):
    def n_open():
        return len([*Path("/proc/self/fd").iterdir()])

    before = n_open()
    process = start("os._exit(0)", top=CHANNEL)
    with pytest.raises(wsbench.MethodFailedError):
        ask(process)
    process = start(
        "import array as a\n"
        "fds = a.array('i', [0] * 10)\n"
        "channel.sendmsg([bytes(8)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])\n"
        "time.sleep(9)",
        top=CHANNEL,
    )
    with pytest.raises(wsbench.MethodFailedError):
        ask(process)
    end = time.monotonic() + SOON_S
    while n_open() > before + 2 and time.monotonic() < end:
        time.sleep(0.02)
    assert n_open() <= before + 2  # the channels, until they are closed


FORCE = {
    "through memory": "ctypes.memset(shared.ctypes.data, 0, 8)",
    "after mprotect": (
        "page = shared.ctypes.data // 4096 * 4096\n"
        "assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(page), 4096, 3) == 0\n"
        "ctypes.memset(shared.ctypes.data, 0, 8)"
    ),
    "through the map's file": (
        "import glob\n"
        "file = next(f for f in glob.glob('/proc/self/map_files/*') if 'wsbench' in os.readlink(f))"
        "\nopen(file, 'r+b', buffering=0).write(bytes(8))"
    ),
    "through memory's file": (
        "f = open('/proc/self/mem', 'r+b', buffering=0)\n"
        "f.seek(shared.ctypes.data)\nf.write(bytes(8))"
    ),
    "through the layout": (
        "object.__setattr__(checkpoints.layout, 'activation', 'relu')\n"
        "object.__setattr__(checkpoints.layout, 'tensors', ())"
    ),
    "through our modules": (
        "import wsbench.metrics.distances, numpy\n"
        "wsbench.metrics.distances.pairwise_euclidean = None\n"
        "numpy.ndarray.__module__, numpy.dot, numpy.sqrt = 0, None, None"
    ),
    "through generators": "import random\nrandom.seed(0)\nnp.random.seed(0)",
}


@pytest.mark.slow
@pytest.mark.parametrize("body", FORCE.values(), ids=FORCE)
def test_method_process__no_force_changes_what_the_harness_holds(start, body):
    top = (
        "import mmap\nKEPT = []\nmake = mmap.mmap\n"
        "def kept(*a, **k):\n    KEPT.append(np.frombuffer(m := make(*a, **k), np.uint8))\n"
        "    return m\nmmap.mmap = kept\n"
    )
    before = WEIGHTS.copy(), PROBE_INPUTS.copy(), LAYOUT.to_json(), random.getstate()
    process = start(f"shared = KEPT[0]\n{body}\nreturn checkpoints.weights", top=top)
    for _ in range(2):
        try:
            ask(process)
        except wsbench.MethodFailedError:
            break
    with MethodProcess(Limits(threads=1)) as other:
        other.find("euclidean")
        other.make({})
        assert (ask(other) == WEIGHTS).all()
    assert (before[0] == WEIGHTS).all()
    assert (before[1] == PROBE_INPUTS).all()
    assert (LAYOUT.to_json(), random.getstate()) == before[2:]
    assert wsbench.pairwise_euclidean(WEIGHTS).shape == (6, 6)
