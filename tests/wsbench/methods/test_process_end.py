"""A method's process ends, however the method or the harness does, and leaves nothing behind."""

import os
import subprocess
import sys
import time

import pytest

import wsbench
from wsbench.methods.limits import Limits
from wsbench.methods.process import MethodProcess

from .conftest import LAYOUT, PROBE_INPUTS, SOON_S, WEIGHTS, ask, ends, is_alive


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


def test_method_process__keeps_what_is_printed_in_many_small_pieces(report):
    """As a crash's report is: hundreds of writes, which the harness may read one at a time."""
    piece = "os.write(1, b'.'); time.sleep(1e-4)"
    found = report(f"os.write(1, b'first ')\nfor i in range(300): {piece}\nos._exit(3)")
    assert f"first {300 * '.'}" in found


def test_method_process__says_where_a_method_crashed(report):
    found = report("print('so far')\nctypes.string_at(0)")
    assert 'mine.py", line' in found.partition("so far")[2], found


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


@pytest.mark.parametrize("end", ["return checkpoints.weights", "os._exit(0)", "os.killpg(0, 9)"])
@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN)
def test_method_process__no_child_outlives_it(start, tmp_path, child, end):
    body = f"{child}\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(pid))\n{end}"
    process = start(body)
    if end.startswith("return"):
        ask(process)
        assert is_alive(int((tmp_path / "pid").read_text()))
        process.close()
    else:
        with pytest.raises(wsbench.MethodFailedError, match=r"exit status 0|by SIGKILL"):
            ask(process)
    assert ends(int((tmp_path / "pid").read_text()))


def test_method_process__no_child_outlives_it_whenever_it_is_asked_to_end(start, tmp_path):
    """The process ends by itself when the connection closes, and is asked to end all the while."""
    child = CHILDREN["in a session of its own"]
    process = start(f"{child}\nopen({str(tmp_path / 'pid')!r}, 'w').write(str(pid))\n"
                    "return checkpoints.weights")  # fmt: skip
    ask(process)
    process._channel.close()
    while process._process.poll() is None:
        process._process.terminate()
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


def test_method_process__ignores_the_signals_of_its_harness():
    """Ctrl-C reaches the foreground group of a terminal, and a method's process is not in it."""
    with MethodProcess() as process:
        process.find("euclidean")
        assert os.getpgid(process._pid) != os.getpgrp()
        assert os.getsid(process._pid) != os.getsid(0)
