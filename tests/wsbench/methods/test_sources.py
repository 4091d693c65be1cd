"""The hash of a method's code follows every file of its own project, and no other."""

import hashlib
import sys

import pytest

from wsbench.methods.sources import code_sha256


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder on sys.path with a method, a helper, and a package."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "helper_of_mine.py").write_text("SCALE = 1\n")
    (tmp_path / "unrelated.py").write_text("")
    package = tmp_path / "package_of_mine"
    (package / "deep").mkdir(parents=True)
    for name in ("__init__.py", "near.py", "deep/__init__.py", "deep/far.py"):
        (package / name).write_text("")
    yield tmp_path
    for name in [n for n in sys.modules if n.endswith("_of_mine")]:
        del sys.modules[name]


def follows(project, source, helper, place="method.py"):
    """Whether the hash of a method with this source changes as a helper does."""
    file = project / place
    file.write_text(source)
    before = code_sha256(file)
    assert code_sha256(file) == before
    (project / helper).write_text("SCALE = 2\n")
    return code_sha256(file) != before


@pytest.mark.parametrize(
    "source",
    [
        "import helper_of_mine",
        "import os, helper_of_mine as h",
        "from helper_of_mine import SCALE",
        "from helper_of_mine import *",
        "def fit(self):\n    import helper_of_mine",
        "class Mine:\n    def fit(self):\n        from helper_of_mine import SCALE",
        "try:\n    import helper_of_mine\nexcept ImportError:\n    pass",
        "if False:\n    import helper_of_mine",
        "import importlib\nh = importlib.import_module('helper_of_mine')",
        "from importlib import import_module\nh = import_module('helper_of_mine')",
        "h = __import__('helper_of_mine')",
    ],
)
def test_code_sha256__follows_a_helper_however_it_is_imported(project, source):
    assert follows(project, source, "helper_of_mine.py")


@pytest.mark.parametrize(
    ("source", "helper"),
    [
        ("import package_of_mine.near", "near.py"),
        ("import package_of_mine.near", "__init__.py"),
        ("from package_of_mine import near", "near.py"),
        ("from package_of_mine.deep.far import x", "deep/far.py"),
        ("from package_of_mine.deep import far", "deep/__init__.py"),
    ],
)
def test_code_sha256__follows_modules_of_a_package(project, source, helper):
    assert follows(project, source, f"package_of_mine/{helper}")


@pytest.mark.parametrize(
    ("source", "place", "helper"),
    [
        ("from . import near", "method.py", "near.py"),
        ("from .near import x", "method.py", "near.py"),
        ("from .deep import far", "method.py", "deep/far.py"),
        ("from ..near import x", "deep/method.py", "near.py"),
        ("from .. import near", "deep/method.py", "near.py"),
    ],
)
def test_code_sha256__follows_relative_imports(project, source, place, helper):
    assert follows(project, source, f"package_of_mine/{helper}", f"package_of_mine/{place}")


def test_code_sha256__follows_what_a_helper_imports_and_circles(project):
    (project / "package_of_mine/near.py").write_text("import helper_of_mine, method\n")
    assert follows(project, "import package_of_mine.near", "helper_of_mine.py")


@pytest.mark.parametrize(
    "source",
    ["import os", "import numpy, wsbench, no_such_module", "x = 'import unrelated'", "import ("],
)
def test_code_sha256__is_that_of_the_file_without_imports_of_its_own_project(project, source):
    assert not follows(project, source, "unrelated.py")
    assert code_sha256(project / "method.py") == hashlib.sha256(source.encode()).hexdigest()
