import json
import os
import subprocess
import sys

import pytest
import typer

import wsbench
from support.command_line import COMMAND
from wsbench.cli import application

COMMANDS = sorted(typer.main.get_command(application()).commands)


def test_application__has_the_commands_of_the_package_and_of_plugins():
    assert {"list", "info", "build", "verify", "evaluate", "env", "leaderboard"} <= set(COMMANDS)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["leaderboard", "table"]])
def test_help__of_every_command(run, command):
    result = run(*command, "--help")
    assert (result.status, result.err) == (0, "")
    assert "Usage: wsbench" in result.out
    for name in COMMANDS if not command else ():
        assert name in result.out


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "leaderboard"])
def test_help__of_every_command_names_json(run, name):
    assert "--json" in run(name, "--help").out


def test_no_arguments__show_the_help(run):
    result = run()
    assert "Usage: wsbench" in result.out
    assert (result.status, result.err) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evalute"], "No such command 'evalute'"),
        (["info", "a", "b"], "Got unexpected extra argument"),
        (["info", "--nosuch"], "No such option: --nosuch"),
        (["build"], "Missing argument 'ZOO'"),
        (["build", "x", "--workers", "0"], "--workers"),
        (["build", "x", "--workers", "two"], "--workers"),
        (["evaluate", "--seed", "-1"], "--seed"),
        (["evaluate", "--seed", "1e3"], "--seed"),
        (["evaluate", "--seed", str(2**63)], "--seed"),
        (["evaluate", "--zoo"], "--zoo"),
    ],
)
def test_wrong_calls__get_one_line(run, arguments, message):
    assert message in run(*arguments).complaint()


def test_broken_pipe__is_no_error_of_ours():
    for unbuffered in ("", "1"):
        process = subprocess.Popen(
            [*COMMAND, "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
        process.stdout.close()  # as `… | head -0` does
        assert process.stderr.read() == b""
        process.stderr.close()
        assert process.wait() == 1


def test_full_disk__on_stdout_is_one_line():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        result = subprocess.run(
            [*COMMAND, "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert result.returncode == 2
    assert result.stderr == "wsbench: [Errno 28] No space left on device\n"


# --- what is not imported ------------------------------------------------------------------------

_SLOW = ("torch", "numba", "datasets", "umap", "sklearn", "matplotlib", "scipy", "pandas", "dask")


@pytest.mark.parametrize(
    ("code", "others"),
    [
        ("import wsbench", ("h5py", "typer", "rich")),
        ("import wsbench.cli", ("h5py",)),
        ("from wsbench.cli import main; sys.argv = ['wsbench', '--help']; run(main)", ("h5py",)),
        ("from wsbench.cli import main; sys.argv = ['wsbench', 'list']; run(main)", ("h5py",)),
    ],
)
def test_import__leaves_slow_packages_alone(code, others):
    program = f"""
import sys
def run(main):
    try:
        main()
    except SystemExit as end:
        assert not end.code
{code}
found = {{name.partition(".")[0] for name in sys.modules}}
print(*sorted(found & set({[*_SLOW, *others]!r})), file=sys.stderr)
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stderr == "\n"


# --- a terminal of 80 columns --------------------------------------------------------------------

METHODS = """
import wsbench

class Long:
    info = wsbench.MethodInfo("a-method-with-a-name-that-is-quite-long-really")

    def transform(self, checkpoints):
        return checkpoints.weights

class Broken:
    def transform(self, checkpoints):
        raise RuntimeError("an error message that goes on and on " * 5)
"""


@pytest.mark.parametrize("columns", [80, 60])
def test_terminal__cuts_no_number_and_no_name(on_terminal, make_zoo, tmp_path, columns):
    (tmp_path / "m.py").write_text(METHODS)
    arguments = ["evaluate", "euclidean", f"{tmp_path}/m.py:Long", "--zoo", make_zoo()]
    result = on_terminal(*arguments, columns=columns)
    assert result.status == 0
    assert "…" not in result.out
    assert "..." not in result.out
    table = result.out.split("ordering:")[0]
    assert all(len(line) <= 80 for line in table.splitlines())
    scores = json.loads(
        next((wsbench.home() / "records" / "made-up-v1").glob("euclidean*.json")).read_text()
    )["scores"]
    row = "".join(table.split("euclidean", 1)[1].split())
    for score in ("rank1", "ari", "purity"):
        assert f"{scores['identification/none'][score]['value']:.3f}" in row
    folded = table[table.index("a-method") :].splitlines()
    name = "".join(line.split()[0] for line in folded if line.strip())
    assert name.startswith("a-method-with-a-name-that-is-quite-long-really")


def test_terminal__shows_the_whole_of_list_and_help(on_terminal):
    for arguments in (["list"], ["--help"], ["evaluate", "--help"]):
        result = on_terminal(*arguments)
        assert result.status == 0
        assert "…" not in result.out
    listed = "".join(on_terminal("list").out.split())
    for zoo in wsbench.published_zoos().values():
        assert "".join(zoo.title.split()) in listed
