"""Streams as shells give them: of another encoding, closed, or full."""

import os
import shlex
import subprocess

import pytest

import wsbench
from support.command_line import COMMAND


def in_shell(arguments: list[object], redirection: str = "", **variables: str):
    """Run a command in a shell, its stdout and stderr caught unless they are redirected."""
    command = shlex.join([*COMMAND, *map(str, arguments)])
    return subprocess.run(
        ["sh", "-c", f"{command} {redirection}"], capture_output=True, check=False,
        env=os.environ | variables,
    )  # fmt: skip


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_output__of_another_encoding_is_plain(make_zoo, variables):
    result = in_shell(["evaluate", "euclidean", "svd", "--zoo", make_zoo(models=30)], **variables)
    assert (result.returncode, b"Error" in result.stderr) == (0, False)
    assert b" 1-2 " in result.stdout
    assert result.stdout.isascii()
    result = in_shell(["compare", "euclidean", "svd", "--zoo", "made-up-v1"], **variables)
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"+0.000 ... +0.000" in result.stdout


def test_output__of_an_unknown_character_is_its_escape_sequence():
    result = in_shell(["info", "zoo-ü-v1"], PYTHONIOENCODING="ascii")
    assert result.returncode == 2
    assert rb"zoo-\xfc-v1" in result.stderr
    assert result.stderr.count(b"\n") == 1


@pytest.mark.parametrize("arguments", [["list"], ["evaluate", "euclidean"], ["--help"]])
@pytest.mark.parametrize("others", ["", "<&-"])
def test_closed_stdout__is_one_line_before_anything_is_computed(arguments, others):
    result = in_shell(arguments, f">&- {others}")
    assert result.returncode == 2
    assert result.stderr.startswith(b"wsbench: stdout is closed, and results are printed there")
    assert result.stderr.count(b"\n") == 1
    assert not wsbench.home().exists()


@pytest.mark.parametrize("others", ["", "<&-"])
def test_closed_stderr__changes_neither_results_nor_status(make_zoo, others):
    zoo = make_zoo()
    result = in_shell(["evaluate", "random", "--zoo", zoo], f"2>&- {others}")
    assert result.returncode == 0
    assert b"records in" in result.stdout
    assert in_shell(["info", "nosuch-v1"], f"2>&- {others}").returncode == 2
    assert in_shell(["verify", zoo], f"2>&- {others}").returncode == 0


def test_full_stderr__changes_neither_results_nor_status(make_zoo):
    zoo = make_zoo()
    result = in_shell(["evaluate", "random", "--zoo", zoo], "2>/dev/full")
    assert result.returncode == 0
    assert b"records in" in result.stdout
    assert in_shell(["info", "nosuch-v1"], "2>/dev/full").returncode == 2
    assert in_shell(["verify", zoo], "2>/dev/full").returncode == 0


def test_closed_streams__all_three_leave_the_status(make_zoo):
    assert in_shell(["list"], "<&- >&- 2>&-").returncode == 2


@pytest.mark.slow
def test_build__of_many_workers_under_a_memory_limit_is_one_line(tmp_path, small_recipe):
    recipe = tmp_path / "small.toml"
    recipe.write_text(small_recipe.replace("models = 5", "models = 64"))
    command = shlex.join([*COMMAND, "build", str(recipe), "--workers", "64"])
    result = subprocess.run(
        ["sh", "-c", f"ulimit -v 1200000; {command}"], capture_output=True,
        text=True, check=False, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (2, "")
    assert "Traceback" not in result.stderr
    last = result.stderr.splitlines()[-1]
    assert last.startswith("wsbench: small-mlp-v1: no memory for 64 workers (")
    assert last.endswith("try fewer --workers")
