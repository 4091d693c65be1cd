import json

import pytest

import wsbench

METHODS = """
import numpy as np
import wsbench

print("imported")

class Good:
    def fit(self, train, *, rng):
        print("fitting")

    def transform(self, checkpoints):
        return checkpoints.weights[:, :2]

class Same:
    def transform(self, checkpoints):
        return checkpoints.weights

class Nan:
    def transform(self, checkpoints):
        return checkpoints.weights * np.nan

class Shape:
    def transform(self, checkpoints):
        return checkpoints.weights[0]

class Nothing:
    pass

class Namesake:
    info = wsbench.MethodInfo("euclidean")

    def transform(self, checkpoints):
        return checkpoints.weights
"""


@pytest.fixture
def methods(tmp_path):
    (tmp_path / "methods.py").write_text(METHODS)
    return tmp_path / "methods.py"


def without_progress(err):
    """Return the lines on stderr that do not report progress."""
    return "".join(line for line in err.splitlines(True) if not line.startswith("evaluating: "))


def headings(out, task):
    """Return the headings of a task's table, in one line."""
    lines = out.splitlines()
    (title,) = (i for i, line in enumerate(lines) if line.startswith(f"{task}:"))
    return " ".join(lines[title + 1].split())


def test_evaluate__prints_overall_and_a_table_for_each_task_and_what_is_next(run, publisher):
    result = run("evaluate", "--zoo", "made-up-v1")
    assert (result.status, without_progress(result.err)) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "made-up-v1, suite smoke 2: fitted on train models, scored on 2 test models"
    shown = [
        line.split(":")[0] for line in lines if line.split(":")[0] in ("overall", *wsbench.TASKS)
    ]
    assert shown == ["overall", *wsbench.SUITES["smoke"].tasks]
    assert headings(result.out, "overall") == (
        "method rank overall 95 % as written symmetry compression both s"
    )
    for task, beside in (
        ("identification", "rank-1 ARI purity"),
        ("sparse-identification", "ends"),
        ("ordering", "direction tau pairs"),
        ("precedence", "gap 1 gap 5 gap 25"),
    ):
        assert headings(result.out, task) == (
            f"method rank overall 95 % as written symmetry compression both {beside}"
        )
    for name in wsbench.list_methods():
        assert sum(line.startswith(f"{name} ") for line in lines) == 5
    assert f"records in {wsbench.home() / 'records' / 'made-up-v1'}:" in lines
    records = [line.strip() for line in lines if line.endswith(".json")]
    for name in records:
        wsbench.load_record(wsbench.home() / "records" / "made-up-v1" / name)
    assert len(records) == len(wsbench.list_methods())
    assert lines[-1].strip().startswith("wsbench evaluate ")


def perturbed(*names):
    return [f"--perturb={name}" for name in names]


def test_evaluate__shows_a_column_for_each_perturbation_without_tracks(run, publisher):
    asked = ["evaluate", "euclidean", "--zoo", "made-up-v1", "--task", "ordering"]
    few = ("int8", "int4", "float16", "bfloat16")
    result = run(*asked, *perturbed("none", *few))
    assert headings(result.out, "ordering") == (
        "method rank |tau| 95 % int8 int4 float16 bfloat16 direction tau pairs"
    )
    assert not any(line.startswith("overall:") for line in result.out.splitlines())
    without = headings(run(*asked, *perturbed(*few, "permute")).out, "ordering")
    assert "|tau| int8 95 % int4 float16 bfloat16 permute" in without


def test_evaluate__leaves_out_a_task_under_what_it_is_not_asked_under(run, publisher):
    asked = ["evaluate", "euclidean", "--zoo", "made-up-v1"]
    result = run(*asked, *perturbed("none", "permute", "widen"))
    assert result.status == 0
    assert "permute widen" in headings(result.out, "identification")
    assert "widen" not in headings(result.out, "retrieval")
    result = run(*asked, *perturbed("widen"))
    assert "MAP@R widen" in headings(result.out, "identification")
    assert "retrieval:" not in result.out
    (method,) = json.loads(run(*asked, *perturbed("widen"), "--json").out)["methods"]
    asked_widened = {"identification", "sparse-identification", "ordering", "precedence"}
    assert set(method["scores"]) == {f"{task}/widen" for task in asked_widened}
    assert set(method["rank"]) == asked_widened


@pytest.mark.parametrize(("task", "name"), [("ordering", "rescale"), ("retrieval", "widen")])
def test_evaluate__with_nothing_to_ask_says_so(run, publisher, task, name):
    """The made-up networks are sigmoid ones, which forbids rescale."""
    asked = ["evaluate", "euclidean", "--zoo", "made-up-v1", "--task", task]
    assert f"under {name} no task is asked" in run(*asked, *perturbed(name)).complaint()


def ranks(out):
    """Return the rank of each method in the first table, the overall one."""
    table = out.split("\n\n")[0]
    rows = [line.split() for line in table.splitlines() if " 0." in line or " 1." in line]
    return {row[0]: row[1] for row in rows}


def test_evaluate__prints_ranks_as_intervals(run, make_zoo, methods):
    zoo = make_zoo(models=50)
    result = run("evaluate", "euclidean", f"{methods}:Good", f"{methods}:Same", "--zoo", zoo)
    assert ranks(result.out) == {"euclidean": "1–2", "same": "1–2", "good": "3"}


def test_evaluate__json_holds_what_the_python_interface_returns(run, make_zoo):
    folder = make_zoo(models=30)
    result = run("evaluate", "euclidean", "--zoo", folder, "--seed", "3", "--json")
    (method,) = json.loads(result.out)["methods"]
    expected = wsbench.evaluate("euclidean", str(folder), seed=3)
    assert method["error"] is None
    tasks = wsbench.SUITES["smoke"].tasks
    assert method["rank"] == {name: [1, 1] for name in ("overall", *tasks)}
    for task, scores in expected.tracks.items():
        for track, score in scores.items():
            assert method["tracks"][task][track]["value"] == score.value
    for task, scores in expected.scores.items():
        for name, score in scores.items():
            found = method["scores"][task][name]
            assert found["value"] == score.value
            assert (found["interval"] and tuple(found["interval"])) == score.interval
    assert wsbench.rescore(method["record"]) == expected.scores


@pytest.mark.parametrize(("models", "n_test"), [(5, 1), (10, 2), (20, 4)])
def test_evaluate__of_a_few_test_models_gives_no_rank_and_says_why(run, make_zoo, models, n_test):
    folder = make_zoo(models=models)
    result = run("evaluate", "random", "svd", "--zoo", folder)
    assert result.status == 0
    least = "ranks need 6" if n_test == 4 else "intervals need 3 and ranks need 6"
    models = "1 test model is" if n_test == 1 else f"{n_test} test models are"
    assert f"{models} too few: {least}" in result.out.splitlines()
    assert set(ranks(result.out).values()) == {"–"}
    shown = json.loads(run("evaluate", "random", "svd", "--zoo", folder, "--json").out)
    method = shown["methods"][0]
    assert method["rank"] == dict.fromkeys(("overall", *wsbench.SUITES["smoke"].tasks))
    score = method["scores"]["identification/none"]["map_at_r"]
    assert (score["interval"] is None) == (n_test < 3)
    again = wsbench.rescore(method["record"])["identification/none"]["map_at_r"]
    assert again.value == score["value"]


def test_evaluate__what_a_method_prints_is_no_result(run, make_zoo, methods):
    arguments = ["evaluate", f"{methods}:Good", "--zoo", make_zoo(), "--json"]
    for option, printed in ([], ""), (["--in-process"], "imported\n" + 5 * "fitting\n"):
        result = run(*arguments, *option)
        json.loads(result.out)
        assert without_progress(result.err) == printed


def test_evaluate__writes_records_where_it_is_told(run, make_zoo, tmp_path):
    run("evaluate", "euclidean", "--zoo", make_zoo(), "--records", tmp_path / "r")
    assert len(list((tmp_path / "r" / "made-up-v1").glob("*.json"))) == 1
    assert not wsbench.home().exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Nan", "returned NaN, infinity"),
        ("Shape", "transform returned shape (12,), expected (8, d)"),
    ],
)
def test_evaluate__goes_on_after_a_method_that_failed_and_exits_1(
    run, make_zoo, methods, name, message
):
    arguments = ["evaluate", f"{methods}:{name}", "euclidean", "--zoo", make_zoo()]
    result = run(*arguments)
    assert result.status == 1
    assert "Traceback" not in result.out + result.err
    failed = next(line for line in result.out.splitlines() if "failed: " in line)
    assert failed.startswith(f"{name.lower()} failed: wsbench.errors.MethodError: ")
    assert message in failed
    assert any(line.split()[:1] == ["euclidean"] for line in result.out.splitlines())
    result = run(*arguments, "--json")
    assert result.status == 1
    bad, good = json.loads(result.out)["methods"]
    assert bad["error"].startswith("Traceback")
    assert message in wsbench.load_record(bad["record"]).content.error
    assert (bad["scores"], bad["rank"]) == ({}, {})
    assert good["error"] is None


def test_evaluate__of_failed_methods_only_still_prints(run, make_zoo, methods):
    result = run("evaluate", f"{methods}:Nan", "--zoo", make_zoo())
    assert result.status == 1
    assert "nan failed: " in result.out


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("euclidian", "unknown method 'euclidian'; did you mean 'euclidean'?"),
        ("{file}:Nothing", "has neither transform(checkpoints) nor pairwise(checkpoints)"),
        ("{file}:Gud", "has no 'Gud'; did you mean 'Good'?"),
        ("no_such_module:Class", "cannot import no_such_module: ModuleNotFoundError"),
        ("gone.py:Class", "no file gone.py"),
    ],
)
def test_evaluate__wrong_method_is_one_line(run, make_zoo, methods, spec, message):
    arguments = ["evaluate", "euclidean", spec.format(file=methods), "--zoo", make_zoo()]
    result = run(*arguments)
    result = result._replace(err=result.err.removeprefix("imported\n"))  # by the method's file
    assert message in result.complaint()
    assert not wsbench.home().exists()


def test_evaluate__unknown_zoo_is_one_line(run):
    message = run("evaluate", "euclidean", "--zoo", "digits-mpl-v1").complaint()
    assert "unknown zoo 'digits-mpl-v1'; did you mean 'digits-mlp-v1'?" in message


def test_evaluate__zoo_without_test_models_is_one_line(run, make_zoo):
    folder = make_zoo(models=1)
    assert "has no two checkpoints of a t" in run("evaluate", "random", "--zoo", folder).complaint()


def test_evaluate__a_method_named_twice_is_evaluated_once(run, make_zoo):
    result = run("evaluate", "random", "random", "--zoo", make_zoo(), "--json")
    assert len(json.loads(result.out)["methods"]) == 1


def test_evaluate__two_methods_of_one_name_are_refused(run, make_zoo, methods):
    result = run("evaluate", "euclidean", f"{methods}:Namesake", "--zoo", make_zoo())
    result = result._replace(err=result.err.removeprefix("imported\n"))
    assert "are both called 'euclidean': give each a name of its own" in result.complaint()


def test_evaluate__sets_parameters_and_records_them(run, make_zoo, tmp_path):
    result = run(
        "evaluate", "svd", "euclidean", "--zoo", make_zoo(), "--set", "k=3",
        "--records", tmp_path / "records",
    )  # fmt: skip
    assert result.status == 0
    assert any(line.strip().startswith("svd k=3 ") for line in result.out.splitlines())
    found = {path.stem.split("-")[0]: path for path in (tmp_path / "records").rglob("*.json")}
    methods = {name: wsbench.load_record(path).content.method for name, path in found.items()}
    assert {name: method.parameters for name, method in methods.items()} == {
        "svd": {"k": 3}, "euclidean": {},
    }  # fmt: skip
    assert {name: method.settings for name, method in methods.items()} == {
        "svd": ["k"], "euclidean": [],
    }  # fmt: skip


def test_evaluate__says_what_is_next_for_a_method_of_ones_own(run, make_zoo, methods):
    zoo = make_zoo(models=30)
    result = run("evaluate", f"{methods}:Good", "euclidean", "--zoo", zoo)
    assert result.out.endswith(f"next: wsbench evaluate {methods}:Good --suite standard\n")
    result = run("evaluate", f"{methods}:Good", "--zoo", zoo, "--suite", "standard")
    records = (wsbench.home() / "records" / "made-up-v1").glob("good-*.json")
    (record,) = (path for path in records if '"standard"' in path.read_text())
    assert result.out.endswith(f"next: wsbench submit {record}\n")


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("k", "got 'k', expected NAME=VALUE, for instance --set k=5"),
        ("k k=3", "got 'k k=3', expected NAME=VALUE"),
        ("k=abc", "method 'svd': k: got 'abc', expected `int`"),
        ("k=2.5", "method 'svd': k: got 2.5, expected `int`"),
        ("k=true", "method 'svd': k: got True, expected `int`"),
        ("k=[1]", "method 'svd': k: got [1], expected `int`"),
        ("kk=3", "kk=3: no parameter 'kk'; did you mean 'k'? Parameters: svd takes k."),
    ],
)
def test_evaluate__a_wrong_parameter_is_one_line(run, make_zoo, assignment, message):
    result = run("evaluate", "svd", "--zoo", make_zoo(), "--set", assignment)
    assert message in result.complaint()


def test_evaluate__explains_records_that_cannot_be_written(run, make_zoo, tmp_path):
    (tmp_path / "file").touch()
    arguments = ["evaluate", "random", "--zoo", make_zoo(), "--records", tmp_path / "file"]
    result = run(*arguments)
    result = result._replace(err=without_progress(result.err))
    assert "cannot write: Not a directory" in result.complaint()
