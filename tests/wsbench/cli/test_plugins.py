"""Commands and methods of broken packages, installed as any package is: the others go on."""

import json

import pytest

import wsbench
from support.installing import install

GOOD = """
class Good:
    def transform(self, checkpoints):
        return checkpoints.weights[:, :2]
"""
METHODS = {
    "import sys\nsys.exit(0)": "SystemExit: 0",
    "raise BaseException('no')": "BaseException: no",
    "raise GeneratorExit": "GeneratorExit",
    "import no_such_module": "No module named 'no_such_module'",
    "": "has no 'Broken'",
    "Broken = 3": "has neither transform(checkpoints) nor pairwise(checkpoints)",
    "class Broken: pass": "has neither transform(checkpoints) nor pairwise(checkpoints)",
    f"{GOOD}\nclass Broken(Good):\n    info = 3": "info is a int, not wsbench.MethodInfo",
    f"{GOOD}\nclass Broken(Good):\n    def __init__(self): exit(0)": "SystemExit: 0",
}
COMMANDS = {
    "import sys\nsys.exit(0)": "SystemExit: 0",
    "raise BaseException('no')": "BaseException: no",
    "raise OSError('no\\nlicence \\x1b[2J')": r"OSError: no licence \x1b[2J",
    "import no_such_module": "ModuleNotFoundError: No module named 'no_such_module'",
    "": "has no attribute 'broken'",
    "broken = 3": "broken is a int, not a function or typer.Typer",
    "def broken(a: int | str): pass": "AssertionError: Typer currently doesn't support Union",
}


@pytest.mark.parametrize("source", COMMANDS)
def test_commands__of_a_broken_package_are_left_out_and_the_others_work(
    run, tmp_path, monkeypatch, source
):
    points = {"broken": "{module}:broken"}
    name = install(tmp_path / "site", monkeypatch, "wsbench.commands", points, source)
    result = run("env", "--json")
    assert result.status == 0
    assert json.loads(result.out)["python"]
    assert result.err.startswith(f"wsbench: command 'broken' of {name} is left out: ")
    assert COMMANDS[source] in result.err
    assert result.err.count("\n") == 1
    assert result.err.rstrip("\n").isprintable()


def test_commands__of_a_package_replace_none(run, tmp_path, monkeypatch):
    points = {"env": "{module}:env"}
    install(tmp_path, monkeypatch, "wsbench.commands", points, "def env(): raise SystemExit(7)")
    result = run("env", "--json")
    assert json.loads(result.out)["python"]
    assert result.err.endswith("is left out: ValueError: another command has this name\n")


@pytest.mark.parametrize("source", METHODS)
def test_evaluate__of_all_methods_records_the_failure_of_a_broken_package(
    run, make_zoo, tmp_path, monkeypatch, caplog, source
):
    points = {"broken": "{module}:Broken"}
    name = install(tmp_path / "site", monkeypatch, "wsbench.methods", points, source)
    monkeypatch.setattr(wsbench, "list_methods", lambda: ["broken", "euclidean"])
    result = run("evaluate", "--zoo", make_zoo(), "--json")
    assert result.status == 1
    broken, euclidean = json.loads(result.out)["methods"]
    assert (broken["name"], euclidean["error"]) == ("broken", None)
    assert METHODS[source] in broken["error"]
    assert METHODS[source] in wsbench.load_record(broken["record"]).content.error
    (line,) = caplog.messages  # the logger of last resort writes it to stderr
    assert line.startswith("wsbench: method 'broken'")
    assert line.endswith(f"(installed by {name})")
    assert METHODS[source] in line


def test_evaluate__of_two_packages_with_methods_of_one_name_goes_on(
    run, make_zoo, tmp_path, monkeypatch
):
    points = {"one": "{module}:Good", "two": "{module}:Good"}
    install(tmp_path / "site", monkeypatch, "wsbench.methods", points, GOOD)
    result = run("evaluate", "one", "two", "--zoo", make_zoo(), "--json")
    assert result.status == 1
    one, two = json.loads(result.out)["methods"]
    assert one["error"] is None
    assert two["error"].startswith("one and two are both called 'good': give each a name")
