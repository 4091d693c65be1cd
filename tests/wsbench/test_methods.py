import subprocess
import sys

import pytest

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


def error_of(spec: str, kind: type[Exception] = wsbench.MethodError) -> str:
    with pytest.raises(kind) as error:
        wsbench.load_method(spec)
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
        ("A = 3\n", "has neither transform(checkpoints) nor pairwise(checkpoints); give"),
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


@pytest.mark.parametrize("name", ["", "Mine", "my method", "-mine", "mine-", "my--own", "a/b", "é"])
def test_method_info__refuses_a_name_that_is_no_words_joined_by_hyphens(name):
    with pytest.raises(wsbench.MethodError, match="is not lower-case words joined by hyphens"):
        wsbench.MethodInfo(name)


@pytest.mark.parametrize("field", ["needs", "invariances"])
@pytest.mark.parametrize("words", [["time"], {"labels", "time"}, "time"])
def test_method_info__lists_the_words_there_are(field, words):
    with pytest.raises(
        wsbench.MethodError, match=rf"MethodInfo: {field} \[.*'time'\]: allowed are"
    ):
        wsbench.MethodInfo("x", **{field: words})


def test_method_info__takes_any_iterable_of_words_and_a_single_one():
    for needs in (["labels"], ("labels",), iter(["labels"]), {"labels"}, "labels"):
        assert wsbench.MethodInfo("x", needs=needs).needs == {"labels"}
    assert wsbench.MethodInfo("x") == wsbench.MethodInfo("x", "1", "", [], set())
