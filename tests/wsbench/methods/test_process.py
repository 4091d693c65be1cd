"""Whatever a method does in its process ends as one error, and leaves nothing behind."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wsbench
from wsbench.methods.limits import Limits
from wsbench.methods.process import MethodProcess

from .conftest import LAYOUT, PROBE_INPUTS, WEIGHTS

SOON_S = 10.0  # generous: the machine may be loaded


def ask(process):
    return process.answer(WEIGHTS, LAYOUT, PROBE_INPUTS)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def ends(pid: int) -> bool:
    """Whether a process ends soon."""
    end = time.monotonic() + SOON_S
    while is_alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_alive(pid)


def test_method_process__answers_what_the_method_answers(start):
    process = start("return checkpoints.weights[:, :3] * 2")
    assert (ask(process) == WEIGHTS[:, :3] * 2).all()
    assert process.description.info.name == "mine"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("ctypes.string_at(0)", "was killed by SIGSEGV during answer"),
        ("os.abort()", "was killed by SIGABRT during answer"),
        ("os._exit(0)", "ended with exit status 0 during answer"),
        ("os._exit(3)", "ended with exit status 3 during answer"),
        ("os.kill(os.getpid(), 9)", "was killed by SIGKILL during answer"),
        ("os.kill(os.getpid(), 40)", "was killed by signal 40 during answer"),
        ("os.killpg(0, 9)", "was killed by SIGKILL during answer"),
        ("os.kill(os.getppid(), 9)", "was killed by SIGKILL during answer"),
        ("os.kill(os.getppid(), signal.SIGTERM)", "was killed by SIGKILL during answer"),
    ],
)
def test_method_process__says_how_the_process_ended(report, body, message):
    assert report(body).startswith(f"the method's process {message}")


def test_method_process__says_where_a_method_crashed(report):
    found = report("print('so far')\nctypes.string_at(0)")
    assert 'mine.py", line' in found.partition("so far")[2], found


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["BaseException", "GeneratorExit", "KeyboardInterrupt", "SystemExit", "StopIteration"]
)
@pytest.mark.parametrize("place", ["body", "init", "top"])
def test_method_process__every_exception_is_a_report(report, kind, place):
    parts = {"body": "return checkpoints.weights"} | {place: f"raise {kind}('of mine')"}
    assert f"{kind}: of mine" in report(parts.pop("body"), **parts)


def test_method_process__an_exception_that_cannot_be_shown_is_a_report(report):
    top = "class Odd(Exception):\n    def __str__(self):\n        raise self"
    assert "Odd, which cannot be shown" in report("raise Odd", top=top)


def test_method_process__goes_on_after_an_exception(start):
    process = start("if len(checkpoints) == 6: raise RuntimeError('six')\nreturn checkpoints")
    with pytest.raises(wsbench.MethodFailedError, match="six"):
        ask(process)
    assert process.answer(WEIGHTS[:5], LAYOUT, PROBE_INPUTS).shape == (5, 12)


@pytest.mark.parametrize(
    "body",
    ["return np.ones(10**10)", "kept = []\nwhile True: kept.append(bytes(10**7) + b'1')"],
)
def test_method_process__a_method_that_eats_memory_meets_its_limit(report, body):
    assert "MemoryError" in report(body, Limits(memory_bytes=2 * 10**9, threads=1))


@pytest.mark.parametrize(
    "body",
    [
        "time.sleep(1e6)",
        "while True: pass",
        "os.kill(os.getpid(), signal.SIGSTOP)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(1e6)",
        # without letting go of the interpreter
        "ctypes.PyDLL(None).sleep(1000000)",
    ],
)
def test_method_process__a_method_that_never_ends_meets_its_limit(start, body):
    process = start(body, Limits(timeout_s=SOON_S))
    process.limits = Limits(timeout_s=0.3)
    with pytest.raises(wsbench.MethodFailedError, match=r"gave no answer to answer in 0\.3 s"):
        ask(process)
    assert ends(process._pid)


def test_method_process__close_does_not_wait_for_threads(start):
    process = start(
        "threading.Thread(target=time.sleep, args=(1e6,)).start()\nreturn checkpoints.weights"
    )
    ask(process)
    began = time.monotonic()
    process.close()
    assert time.monotonic() - began < SOON_S
    assert ends(process._pid)


CHILDREN = {
    "forked": "pid = os.fork()\nif not pid: time.sleep(1e6)",
    "of a shell": "pid = subprocess.Popen('sleep 1000000', shell=True).pid",
    "in a session of its own": (
        "pid = subprocess.Popen(['sleep', '1000000'], start_new_session=True).pid"
    ),
    "of a child that has ended": (
        "pid = int(subprocess.check_output('setsid sleep 1000000 >&- & echo $!', shell=True))"
    ),
}


@pytest.mark.parametrize("end", ["return checkpoints.weights", "os._exit(0)"])
@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN)
def test_method_process__no_child_outlives_it(start, tmp_path, child, end):
    body = f"{child}\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(pid))\n{end}"
    process = start(body)
    if end.startswith("return"):
        ask(process)
        assert is_alive(int((tmp_path / "pid").read_text()))
        process.close()
    else:
        with pytest.raises(wsbench.MethodFailedError, match="exit status 0"):
            ask(process)
    assert ends(int((tmp_path / "pid").read_text()))


def test_method_process__a_fork_that_goes_on_answers_nothing(start):
    process = start("os.fork()\nreturn checkpoints.weights[:, :3]")
    for n in (6, 5, 4):
        assert process.answer(WEIGHTS[:n], LAYOUT, PROBE_INPUTS).shape == (n, 3)


HARNESS = """
import sys
import numpy as np
import wsbench
from wsbench.methods.process import MethodProcess

process = MethodProcess()
process.find(sys.argv[1])
process.make({})
layout = wsbench.Layout.of([("w", (3, 4), ("output", "input"))], "identity")
process.answer(np.zeros((6, 12), np.float32), layout, np.eye(4, dtype=np.float32))
"""


@pytest.mark.parametrize("rest", ["time.sleep(1e6)", "ctypes.PyDLL(None).sleep(1000000)"])
def test_method_process__ends_soon_after_the_harness_was_killed(method_file, tmp_path, rest):
    file = tmp_path / "pid"
    write = f"open({str(file)!r} + '_', 'w').write(str(os.getpid()))"
    spec = method_file(f"{write}\nos.rename({str(file)!r} + '_', {str(file)!r})\n{rest}")
    harness = subprocess.Popen([sys.executable, "-c", HARNESS, spec])
    while not file.exists():
        assert harness.poll() is None
        time.sleep(0.02)
    assert is_alive(int(file.read_text()))
    harness.kill()
    harness.wait()
    assert ends(int(file.read_text()))


@pytest.mark.parametrize(
    "body",
    [
        "print('said this')",
        "os.write(1, b'said this')",
        "sys.__stdout__.write('said this')",
        "os.system('echo said this')",
        "sys.stderr.write('said this')",
        "print('é', 'said this')",
        "while True: os.write(1, b'said this ' * 10**4); os._exit(1)",
    ],
)
def test_method_process__keeps_what_a_failed_method_printed(report, capfd, body):
    assert "said this" in report(f"{body}\nraise RuntimeError").partition("\n\nIt printed:\n")[2]
    assert capfd.readouterr() == ("", "")


def test_method_process__keeps_the_end_of_a_flood(report):
    body = "for i in range(2000): os.write(1, b'%08d' % i * 10**4)\nraise RuntimeError"
    printed = report(body).partition("\n\nIt printed:\n")[2]
    assert len(printed) == 12_000
    assert set(printed.split("00001999")) == {""}


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
    time.sleep(0.1)
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


def test_method_process__has_no_variable_that_changes_bits_or_says_where_zoos_are(
    start, monkeypatch
):
    names = ["WSBENCH_HOME", "WSBENCH_DATA", "OPENBLAS_CORETYPE", "NUMBA_CPU_NAME", "MKL_CBWR"]
    for name in names:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    process = start(
        f"return [[float(any(n in os.environ for n in {names})), hash('a') % 2**20,\n"
        "    float(os.environ['OMP_NUM_THREADS'])]]"
    )
    found = ask(process)[0]
    monkeypatch.setenv("PYTHONHASHSEED", "8")
    assert found.tolist() == ask(start(
        f"return [[float(any(n in os.environ for n in {names})), hash('a') % 2**20,\n"
        "    float(os.environ['OMP_NUM_THREADS'])]]"
    ))[0].tolist()  # fmt: skip
    assert found[[0, 2]].tolist() == [0, 1]


def test_method_process__peak_is_that_of_the_method(start):
    process = start("x = np.ones(10**7)\nreturn checkpoints.weights")
    before = process.peak_bytes()
    ask(process)
    assert 7e7 < process.peak_bytes() - before < 3e8


def test_method_process__ignores_the_signals_of_its_harness():
    """Ctrl-C reaches the foreground group of a terminal, and a method's process is not in it."""
    with MethodProcess() as process:
        process.find("euclidean")
        assert os.getpgid(process._pid) != os.getpgrp()
        assert os.getsid(process._pid) != os.getsid(0)


def test_method_process__says_that_it_cannot_start(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(wsbench.WorkerError, match="cannot start a process for a method: No such"):
        MethodProcess()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
