"""Imports run one way: the packages around wsbench use it, not it them, nor they each other."""

import ast
import importlib.util
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import wsbench

AROUND = ("wsbench_zoos", "wsbench_baselines", "wsbench_leaderboard")


def sources(package: str) -> list[Path]:
    return sorted(Path(importlib.util.find_spec(package).origin).parent.rglob("*.py"))


def imports(source: str) -> Iterator[str]:
    """Yield the full name of everything that a source imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide what is imported"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):  # import_module("…"), __import__("…")
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__") and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


def used_of_wsbench(source: str) -> Iterator[str]:
    """Yield what a source uses of wsbench, below it: ``Layout``, ``tasks.GroundTruth``."""
    for name in imports(source):
        if name.startswith("wsbench."):
            yield name.removeprefix("wsbench.")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "wsbench":
            yield node.attr


def packages_imported(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path.read_text(encoding="utf-8"))}


def test_imports__are_found_wherever_they_stand():
    source = (
        "import a.b, c as d\nfrom e.f import g\ndef h():\n    import i\n    from j import k\n"
        "import importlib\nimportlib.import_module('l.m')\n__import__('n')\n__import__(o)\n"
    )
    found = {"a.b", "c", "e.f.g", "i", "j.k", "importlib", "l.m", "n"}
    assert set(imports(source)) == found
    source = "import wsbench\nfrom wsbench.tasks import GroundTruth\nwsbench.Layout\nx.wsbench.y\n"
    assert sorted(used_of_wsbench(source)) == ["Layout", "tasks.GroundTruth"]


def test_sources__are_those_of_four_packages():
    for package in ("wsbench", *AROUND):
        names = [path.name for path in sources(package)]
        assert "__init__.py" in names
        assert len(names) > 2


@pytest.mark.parametrize("path", sources("wsbench"), ids=lambda path: path.name)
def test_wsbench__imports_no_package_around_it(path):
    assert not packages_imported(path) & set(AROUND)


@pytest.mark.parametrize("package", AROUND)
def test_packages_around_wsbench__do_not_import_each_other(package):
    for path in sources(package):
        assert not packages_imported(path) & (set(AROUND) - {package}), path


@pytest.mark.parametrize("path", sources("wsbench_baselines"), ids=lambda path: path.name)
def test_baselines__use_of_wsbench_only_what_it_exports(path):
    """An outsider's method can use everything that a baseline uses."""
    source = path.read_text(encoding="utf-8")
    assert set(used_of_wsbench(source)) <= set(wsbench.__all__)


METHOD_MODULES = sorted(
    {
        point.module
        for point in entry_points(group="wsbench.methods")
        if point.module.startswith("wsbench_baselines.")
    }
)


def baselines_imported(path: Path) -> set[str]:
    parts = (name.split(".") for name in imports(path.read_text(encoding="utf-8")))
    return {".".join(part[:2]) for part in parts if part[0] == "wsbench_baselines"}


@pytest.mark.parametrize("path", sources("wsbench_baselines"), ids=lambda path: path.name)
def test_baselines__import_each_other_only_from_a_file_that_holds_a_method(path):
    """A file with a method imports no other baseline; a file without one may import such files.

    The guide tells readers to copy a method's file, so it must run alone. A file without a method,
    such as a paper's functions for two layers, adds to a method and is no start for another one.
    """
    is_method = f"wsbench_baselines.{path.stem}" in METHOD_MODULES
    allowed = set() if is_method else set(METHOD_MODULES)
    assert baselines_imported(path) <= allowed


def test_method_modules__are_those_of_all_baselines():
    assert len(METHOD_MODULES) == 10
    assert "wsbench_baselines.subspace_match" in METHOD_MODULES
    assert "wsbench_baselines.subspace_match_pairs" not in METHOD_MODULES


def test_wsbench__exports_what_it_says():
    assert sorted(set(wsbench.__all__)) == sorted(wsbench.__all__)
    for name in set(wsbench.__all__) - {"Progress"}:  # an alias
        assert getattr(wsbench, name).__doc__, name
