"""What a user reads when a method, a folder or a limit is at fault."""

import json

import pytest

import wsbench

METHODS = """
import os, time

class Mine:
    def transform(self, checkpoints):
        return helper(checkpoints.weights)

def helper(weights):
    return weights[:, 7_000_000]

class InNumpy:
    def transform(self, checkpoints):
        import numpy
        return numpy.linalg.inv(checkpoints.weights[:2, :2] * 0)

class Slow:
    def transform(self, checkpoints):
        time.sleep(60)

class Dead:
    def transform(self, checkpoints):
        os.abort()

class Elsewhere:
    def fit(self, train, *, rng):
        os.chdir("/")

    def transform(self, checkpoints):
        return checkpoints.weights[:, :3]
"""


@pytest.fixture
def methods(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(METHODS)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine.py"


@pytest.mark.parametrize(
    ("name", "options", "advice"),
    [
        ("Mine", [], "mend {file}, line 9; --in-process lets a debugger stop there"),
        ("InNumpy", [], "mend {file}, line 14; --in-process lets a debugger stop there"),
        ("Slow", ["--timeout", "0.5"], "give it more time with --timeout, or see where it waits"),
        ("Dead", [], "see where it ends with python -X faulthandler -m wsbench"),
    ],
)
def test_evaluate__says_what_to_do_about_a_failed_method(
    run, make_zoo, methods, name, options, advice
):
    result = run("evaluate", f"{methods}:{name}", "euclidean", "--zoo", make_zoo(), *options)
    assert result.status == 1
    *_, first, second = result.out.splitlines()
    assert first.startswith("next: " + advice.format(file=methods))
    assert second == f"      wsbench evaluate {methods}:{name}"
    assert "write a class" not in result.out


def test_evaluate__notices_a_folder_that_cannot_be_written_before_it_asks(
    run, make_zoo, methods, tmp_path
):
    (tmp_path / "file").touch()
    zoo = make_zoo()
    arguments = ["evaluate", f"{methods}:Slow", "--zoo", zoo, "--records", tmp_path / "file"]
    assert "cannot write: Not a directory" in run(*arguments).complaint()  # it would sleep


@pytest.mark.parametrize("option", [[], ["--in-process"]])
def test_evaluate__follows_no_method_to_another_folder(run, make_zoo, methods, tmp_path, option):
    zoo = make_zoo(models=10)
    result = run(
        "evaluate", "mine.py:Elsewhere", "--zoo", zoo, "--records", "here", "--json",
        "--task", "identification", *option,
    )  # fmt: skip
    assert result.status == 0
    (method,) = json.loads(result.out)["methods"]
    assert (tmp_path / "here") in wsbench.load_record(method["record"]).path.parents


def test_evaluate__refuses_a_long_name_before_it_asks(run, make_zoo, methods):
    methods.write_text(
        f"import wsbench\nclass Long:\n    info = wsbench.MethodInfo('{'long-' * 60}name')\n"
        "    def transform(self, c): raise KeyboardInterrupt\n"
    )
    result = run("evaluate", f"{methods}:Long", "--zoo", make_zoo())
    assert result.status == 1
    (line,) = (line for line in result.out.splitlines() if "failed: " in line)
    assert "has 304 characters, at most 100 are allowed" in line


def test_evaluate__of_a_spec_with_a_long_name_records_the_failure(run, make_zoo, methods):
    name = "Long" * 60
    methods.write_text(f"class {name}:\n    def __init__(self): 1 / 0\n")
    result = run("evaluate", f"{methods}:{name}", "--zoo", make_zoo(), "--json")
    assert result.status == 1
    assert "ZeroDivisionError" in json.loads(result.out)["methods"][0]["error"]


def test_evaluate__refuses_code_that_changed_while_it_ran(make_zoo, tmp_path):
    file = tmp_path / "changing.py"
    file.write_text(
        "import pathlib\n\ndef first(weights):\n"
        "    pathlib.Path(__file__).write_text(pathlib.Path(__file__).read_text() + '# more')\n"
        "    return weights[:, :3]\n"
    )
    suite = wsbench.find_suite(tasks=["identification"])
    suite = wsbench.Suite("custom", 1, suite.tasks, suite.perturbations, measures_cost=True)
    result = wsbench.evaluate(f"{file}:first", wsbench.load_zoo(make_zoo()), suite=suite)
    assert "its code changed while it was evaluated; evaluate it again" in result.error


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--threads", "0"), ("--threads", "-1"), ("--threads", "100000"), ("--threads", "nan"),
        ("--timeout", "0"), ("--timeout", "-1"), ("--timeout", "nan"), ("--timeout", "inf"),
        ("--memory", "0"), ("--memory", "-1"), ("--memory", "nan"), ("--memory", "inf"),
        ("--memory", "1e30"), ("--memory", "1e6"),
    ],
)  # fmt: skip
def test_evaluate__refuses_limits_that_are_none(run, option, value):
    assert option in run("evaluate", "euclidean", option, value).complaint()
    assert not wsbench.home().exists()


@pytest.mark.parametrize(
    "limits",
    [{"threads": 0}, {"timeout_s": float("nan")}, {"timeout_s": 0.0}, {"memory_bytes": 2**63}],
)
def test_limits__are_numbers_that_the_machine_has(limits):
    with pytest.raises(ValueError, match="allowed is"):
        wsbench.Limits(**limits)
