"""A method's process answers, meets its limits, and reports what fails."""

import signal
import sys

import pytest

import wsbench
from wsbench.methods.limits import Limits
from wsbench.methods.process import MethodProcess

from .conftest import LAYOUT, PROBE_INPUTS, WEIGHTS, ask


def test_method_process__answers_what_the_method_answers(start):
    process = start("return checkpoints.weights[:, :3] * 2")
    assert (ask(process) == WEIGHTS[:, :3] * 2).all()
    assert process.description.info.name == "mine"


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


def test_method_process__says_that_it_cannot_start(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(wsbench.WorkerError, match="cannot start a process for a method: No such"):
        MethodProcess()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
