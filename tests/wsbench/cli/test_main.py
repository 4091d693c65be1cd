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


def test_version__is_one_line(run):
    assert run("--version") == (0, f"wsbench {wsbench.__version__}\n", "")


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


BESIDE = {
    "identification": ["rank-1", "ARI", "purity"],
    "sparse-identification": ["ends"],
    "ordering": ["direction", "tau", "pairs"],
    "precedence": ["gap 1", "gap 5", "gap 25"],
}
TRACKS = ["as-written", "symmetry", "compression", "both"]


def tables_of(out):
    """Return title to the lines of each table, and the lines below all tables."""
    blocks = out[out.index("overall: ") :].split("\n\n")
    tables = [block.splitlines() for block in blocks[:-1]]
    return {lines[0].partition(":")[0]: lines for lines in tables}, blocks[-1].splitlines()


@pytest.mark.parametrize("columns", [80, 60])
def test_terminal__cuts_no_number_and_no_name(on_terminal, make_zoo, tmp_path, columns):
    (tmp_path / "m.py").write_text(METHODS)
    arguments = ["evaluate", "euclidean", f"{tmp_path}/m.py:Long", "--zoo", make_zoo(models=20)]
    result = on_terminal(*arguments, columns=columns)
    assert result.status == 0
    assert "…" not in result.out
    assert "..." not in result.out
    content = json.loads(
        next((wsbench.home() / "records" / "made-up-v1").glob("euclidean*.json")).read_text()
    )
    tables, below = tables_of(result.out)
    assert list(tables) == ["overall", *BESIDE]
    for task, lines in tables.items():
        assert all(len(line) <= columns for line in lines)
        row = next(line for line in lines if line.startswith("euclidean "))
        text = " ".join(lines)
        kept = [track for track in ("overall", *TRACKS) if track.split("-")[0] in text]
        for track in kept[: 5 if columns == 80 else 3]:
            assert f" {content['tracks'][task][track]['value']:z.3f}" in row
        low, high = content["tracks"][task]["overall"]["interval"]
        assert f" {low:z.3f}–{high:z.3f} " in text
        names = "".join(line.split(" ")[0] for line in lines[lines.index(row) - 4 :])
        assert "a-method-with-a-name-that-is-quite-long-really" in names
    for line in below:
        assert len(line) <= columns or str(tmp_path) in line or line.endswith(".json")


def test_terminal__breaks_a_long_name_at_a_hyphen_and_has_room_for_more(on_terminal, make_zoo):
    asked = ["evaluate", "euclidean", "matching-canonical", "--zoo", make_zoo(models=20)]
    tables, _ = tables_of(on_terminal(*asked).out)
    for lines in tables.values():
        (place,) = (i for i, line in enumerate(lines) if line.startswith("matching- "))
        assert lines[place + 1].startswith("canonical ")
        assert "–" in lines[place + 1]  # the interval is on the same line
    assert " rank-1" in tables["identification"][2]
    assert tables["overall"][2].endswith(" s")


@pytest.mark.parametrize("columns", [80, 60])
def test_terminal__names_each_column_that_it_has_no_room_for(on_terminal, make_zoo, columns):
    zoo = make_zoo(models=20)
    tables, below = tables_of(
        on_terminal("evaluate", "euclidean", "--zoo", zoo, columns=columns).out
    )
    for task, beside in BESIDE.items():
        lines = tables[task]
        rule = next(i for i, line in enumerate(lines) if line.startswith("──"))
        heading = " ".join(line for line in lines[rule - 2 : rule])
        note = " ".join(lines[rule:]).partition("not shown: ")[2]
        left_out = note.partition(" (")[0].split(", ")
        n_shown = 0
        for name in [*TRACKS, *beside]:
            word = "written" if name == "as-written" else name
            is_shown = f" {word} " in f"{heading} "
            assert is_shown != (name in left_out), (task, name)
            n_shown += is_shown
        assert n_shown >= (5 if columns == 80 else 2)
        if left_out != [""]:
            assert note.endswith("(in a wider terminal, or with --json)")
    legend = below[below.index("columns") :]
    explained = {line[2:].partition("  ")[0] for line in legend if line[:2] == "  "}
    assert {"overall", *TRACKS, "s" if columns == 80 else "overall"} <= explained


def test_pipe__gets_every_column_and_a_dash_for_what_is_undefined(run, make_zoo):
    """The made-up zoo has four epochs, so no pair of checkpoints is 25 apart."""
    tables, below = tables_of(run("evaluate", "euclidean", "--zoo", make_zoo(models=50)).out)
    for task, beside in BESIDE.items():
        heading, _, row = tables[task][1:]
        assert heading.split("both")[1].split() == " ".join(beside).split()
        assert "not shown" not in " ".join(tables[task])
    assert row.split()[-2:] == ["–", "–"]
    assert "inf" not in row
    legend = {line[2:].partition("  ")[0] for line in below if line[:2] == "  "}
    every = {name for beside in BESIDE.values() for name in beside}
    assert {"rank", "overall", *TRACKS, "s", "MAP@R", "|tau|", "–", *every} <= legend


def test_terminal__shows_the_whole_of_list_and_help(on_terminal):
    for arguments in (["list"], ["--help"], ["evaluate", "--help"]):
        result = on_terminal(*arguments)
        assert result.status == 0
        assert "…" not in result.out
    listed = "".join(on_terminal("list").out.split())
    for zoo in wsbench.published_zoos().values():
        assert "".join(zoo.title.split()) in listed
