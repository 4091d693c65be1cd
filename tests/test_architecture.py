"""Imports run one way: the packages around wsbench use it, not it them, nor they each other."""

import ast
import importlib.util
from collections.abc import Iterator
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
    """They are written as an outsider would write them, and can be copied out of the tree."""
    source = path.read_text(encoding="utf-8")
    assert set(used_of_wsbench(source)) <= set(wsbench.__all__)
    assert "wsbench_baselines" not in packages_imported(path)


def test_wsbench__exports_what_it_says():
    assert sorted(set(wsbench.__all__)) == sorted(wsbench.__all__)
    for name in set(wsbench.__all__) - {"Progress"}:  # an alias
        assert getattr(wsbench, name).__doc__, name
