import subprocess
import sys

import numpy as np
import pytest
import sklearn

import wsbench

_ENTRY = "[wsbench.methods]\n{}"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a distribution with these entry points and this module, as any package can."""

    def install(entry_points: str, **modules: str) -> None:
        metadata = tmp_path / "site" / "plugin-1.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text(_ENTRY.format(entry_points))
        for name, text in modules.items():
            (tmp_path / "site" / f"{name}.py").write_text(text)
            monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.syspath_prepend(tmp_path / "site")

    return install


@pytest.fixture
def method_file(tmp_path):
    def write(text: str) -> str:
        (tmp_path / "my_method.py").write_text(text)
        return str(tmp_path / "my_method.py")

    return write


METHOD = """
class MyMethod:
    def transform(self, checkpoints):
        return checkpoints.weights
"""
PAIRWISE = """
class MyMethod:
    def pairwise(self, checkpoints):
        return 0
"""


def test_list_methods__names_the_installed_without_importing_them(installed):
    installed("zz = no_such_module:Any\naa = nothing:Any\n")
    names = wsbench.list_methods()
    assert names == sorted(names)
    assert {"aa", "zz", "euclidean", "random", "svd"} <= set(names)


def test_list_methods__imports_no_baseline():
    code = (
        "import sys, wsbench; wsbench.list_methods();"
        " print([name for name in sys.modules if name.startswith('wsbench_')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


@pytest.mark.parametrize("name", ["euclidean", "random", "svd"])
def test_load_method__finds_every_baseline_by_the_name_it_gives_itself(name):
    loaded = wsbench.load_method(name)
    assert (loaded.info.name, loaded.spec) == (name, name)
    assert len(loaded.code_sha256) == 64


def test_load_method__finds_by_entry_point_module_and_file(installed, tmp_path):
    installed("mine = my_plugin_1:MyMethod\n", my_plugin_1=METHOD)
    file = str(tmp_path / "site" / "my_plugin_1.py")
    found = [
        wsbench.load_method(spec) for spec in ("mine", "my_plugin_1:MyMethod", f"{file}:MyMethod")
    ]
    assert [one.info.name for one in found] == 3 * ["my-method"]
    assert len({one.code_sha256 for one in found}) == 1


def test_load_method__reads_a_file_again_after_it_changed(method_file):
    first = wsbench.load_method(method_file(METHOD) + ":MyMethod")
    second = wsbench.load_method(method_file(METHOD + "    version = 2\n") + ":MyMethod")
    assert second.method.version == 2
    assert first.code_sha256 != second.code_sha256


def test_load_method__takes_an_instance_and_a_distance_method(method_file):
    file = method_file(PAIRWISE + "\nready = MyMethod()\n")
    assert wsbench.load_method(f"{file}:ready").info == wsbench.MethodInfo("my-method")
    assert wsbench.load_method(f"{file}:MyMethod").info == wsbench.MethodInfo("my-method")


@pytest.mark.parametrize(
    ("class_name", "name"),
    [("MyMethod", "my-method"), ("SVD", "svd"), ("CKADistance", "cka-distance"), ("pca2", "pca2"),
     ("_Hidden", "hidden"), ("Ωmega", "mega"), ("Ω", "method")],
)  # fmt: skip
def test_load_method__makes_a_name_of_the_class(method_file, class_name, name):
    file = method_file(METHOD.replace("MyMethod", class_name))
    assert wsbench.load_method(f"{file}:{class_name}").info.name == name


def test_load_method__lets_a_files_dataclasses_and_pickle_find_their_module(method_file):
    file = method_file(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\n"
        "class MyMethod:\n    k: int = 3\n    def transform(self, checkpoints): ...\n"
    )
    assert wsbench.load_method(f"{file}:MyMethod").method.k == 3


def error_of(spec: str, kind: type[Exception] = wsbench.MethodError, parameters=None) -> str:
    with pytest.raises(kind) as error:
        wsbench.load_method(spec, parameters)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_load_method__names_the_nearest_installed_method():
    message = error_of("euclidian", wsbench.UnknownIdError)
    assert "unknown method 'euclidian'; did you mean 'euclidean'? Known: " in message
    assert "path/file.py:Class" in message


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("def f(:\n", "SyntaxError: invalid syntax (line 1)"),
        ("\n\nimport no_such_thing\n", "No module named 'no_such_thing' (my_method.py, line 3)"),
        ("\nfrom wsbench import Nothing\n", "cannot import name 'Nothing' from 'wsbench'"),
        ("1 / 0\n", "ZeroDivisionError: division by zero (my_method.py, line 1)"),
        ("raise ValueError('two\\nlines')\n", "ValueError: two lines (my_method.py, line 1)"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0 (my_method.py, line 2)"),
        ("\0", "source code string cannot contain null bytes"),
        (
            "import wsbench\nclass A:\n    info = wsbench.MethodInfo('x', needs={'epochs'})\n",
            "needs ['epochs']: allowed are activations, labels, probe_inputs (my_method.py, line",
        ),
    ],
)
def test_load_method__says_why_a_file_does_not_import(method_file, code, why):
    file = method_file(code)
    modules = set(sys.modules)
    message = error_of(f"{file}:A")
    assert message.startswith(f"method '{file}:A': cannot import {file}: ")
    assert why in message
    assert set(sys.modules) == modules


@pytest.mark.parametrize("place", ["no_such_package.module", "wsbench.no_such_module", "", ".x"])
def test_load_method__says_that_a_module_does_not_import(place):
    assert f"cannot import {place}: " in error_of(f"{place}:Class")


def test_load_method__says_that_a_file_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert error_of("gone.py:A") == f"method 'gone.py:A': no file gone.py in {tmp_path}"


def test_load_method__names_the_nearest_class(method_file):
    file = method_file("from pathlib import Path\n" + METHOD)
    assert error_of(f"{file}:MyMehtod").endswith(
        "my_method.py has no 'MyMehtod'; did you mean 'MyMethod'? It defines MyMethod."
    )
    assert error_of(f"{file}:").endswith("my_method.py has no ''. It defines MyMethod.")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("class A: pass\n", "has neither transform(checkpoints) nor pairwise(checkpoints); give"),
        (
            "import math\nA = math.pi\n",
            "has neither transform(checkpoints) nor pairwise(checkpoints); give",
        ),
        (
            "class A:\n    def __init__(self, k): pass\n    def transform(self, c): pass\n",
            "A() failed: TypeError: A.__init__() missing 1 required positional argument: 'k'",
        ),
        (
            "class A:\n    def __init__(self): raise OSError('no\\nlicence')\n",
            "A() failed: OSError: no licence (my_method.py, line 2)",
        ),
        (
            "class A:\n    info = 'a'\n    def transform(self, c): pass\n",
            "info is a str, not wsbench.MethodInfo",
        ),
    ],
)
def test_load_method__says_what_is_wrong_with_a_method(method_file, code, why):
    assert why in error_of(f"{method_file(code)}:A")


FUNCTION = """
def first(weights, k=3, *, scale: float = 1.0):
    return scale * weights[:, :k]

def needy(weights, k):
    return weights[:, :k]

first_two = __import__("functools").partial(first, k=2)
"""


def checkpoints():
    layout = wsbench.Layout.of([("w", (1, 4), ("output", "input"))], "identity")
    return wsbench.Checkpoints(np.arange(8, dtype=np.float32).reshape(2, 4), layout)


@pytest.mark.parametrize(
    ("name", "parameters", "expected", "called"),
    [
        ("first", {}, [[0, 1, 2], [4, 5, 6]], "first"),
        ("first", {"k": 1, "scale": 2}, [[0], [8]], "first"),
        ("needy", {"k": 1}, [[0], [4]], "needy"),
        ("first_two", {}, [[0, 1], [4, 5]], "partial"),
    ],
)
def test_load_method__takes_a_plain_function_of_the_weights(
    method_file, name, parameters, expected, called
):
    loaded = wsbench.load_method(f"{method_file(FUNCTION)}:{name}", parameters)
    assert loaded.info == wsbench.MethodInfo(called)
    assert loaded.method.transform(checkpoints()).tolist() == expected


def test_load_method__says_what_a_function_lacks(method_file):
    message = error_of(f"{method_file(FUNCTION)}:needy")
    assert message.endswith(":needy': needy() failed: TypeError: missing a required argument: 'k'")


def test_load_method__takes_what_a_function_says_of_itself(method_file):
    info = "\nimport wsbench\nfirst.info = wsbench.MethodInfo('mine', '7')\n"
    loaded = wsbench.load_method(f"{method_file(FUNCTION + info)}:first")
    assert (loaded.info.name, loaded.info.version) == ("mine", "7")


def test_load_method__fills_constructor_arguments():
    loaded = wsbench.load_method("svd", {"k": 7})
    assert (loaded.method.k, loaded.parameters, loaded.label) == (7, {"k": 7}, "svd k=7")


def test_load_method__takes_a_scikit_learn_class_and_its_version():
    loaded = wsbench.load_method("sklearn.decomposition:PCA", {"n_components": 2})
    assert loaded.method.n_components == 2
    assert loaded.info == wsbench.MethodInfo("pca", sklearn.__version__)


def test_load_method__sets_parameters_of_a_pipeline_and_leaves_the_original_alone(method_file):
    file = method_file(
        "from sklearn.decomposition import PCA\nfrom sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import StandardScaler\n"
        "mine = make_pipeline(StandardScaler(), PCA(3))\n"
    )
    loaded = wsbench.load_method(f"{file}:mine", {"pca__n_components": 2})
    assert loaded.method.named_steps["pca"].n_components == 2
    original = wsbench.load_method(f"{file}:mine")
    assert original.method.named_steps["pca"].n_components == 3
    assert "no parameter 'pca__n_component'; did you mean 'pca__n_components'?" in error_of(
        f"{file}:mine", parameters={"pca__n_component": 2}
    )


@pytest.mark.parametrize(
    ("spec", "parameters", "why"),
    [
        ("svd", {"kk": 1}, "kk=1: no parameter 'kk'; did you mean 'k'? Parameters: svd takes k."),
        ("euclidean", {"k": 1}, "k=1: no parameter 'k'. Parameters: euclidean takes none."),
        ("svd", {"k": {1}}, "a record must hold them: numbers, texts, lists, true, false or null"),
        ("svd", {"k": float("nan")}, "Out of range float values are not JSON compliant"),
        ("fractions:Fraction", {"denominator": 0}, "Fraction(denominator=0) failed: ZeroDivision"),
    ],
)
def test_load_method__says_what_is_wrong_with_a_parameter(spec, parameters, why):
    assert why in error_of(spec, parameters=parameters)
