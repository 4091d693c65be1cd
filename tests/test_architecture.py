"""The house: floors of rooms, what may import what, what is exported, and the table of modules.

Every import counts wherever it stands, in a function or under ``TYPE_CHECKING``.
"""

import ast
import graphlib
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import wsbench

AROUND = ("wsbench_zoos", "wsbench_baselines", "wsbench_leaderboard")
ROOT = Path(wsbench.__file__).parents[1]

# Each room or module imports only from those above it in this list.
FLOORS = {
    "wsbench": [
        "typing",
        "errors",
        "suggestions",
        "seeding",
        "storage",
        "networks",
        "metrics",
        "zoo",
        "exchange",
        "methods",
        "tasks",
        "evaluation",
        "records",
        "papers",
        "testing",
        "cli",
    ],
    "wsbench_zoos": [
        "rules",
        "data",
        "architectures",
        "recipe",
        "training",
        "building",
        "provider",
    ],
}

# What the packages around wsbench use of it that is not exported, and why. It may only shrink.
UNEXPORTED = {
    "wsbench_zoos": {
        "seeding.bit_generator": "the raw stream that initial weights and data orders come from",
        "storage.npz.unpack": "finished models and data are read back with suspicion",
        "zoo.schema.N_PROBE_INPUTS": "the build draws as many probe inputs as the format has",
    },
    "wsbench_leaderboard": {
        "cli.output.JsonOption": "its commands are part of the command line",
        "cli.output.print_json": "its commands are part of the command line",
        "cli.output.print_line": "its commands are part of the command line",
        "cli.progress.build_progress": "a season trains models for minutes",
        "cli.progress.evaluation_progress": "running methods again takes minutes",
        "storage.npz.unpack": "submitted answers are read with suspicion",
    },
}


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


def module_name(path: Path) -> str:
    """Return the full name of the module in this file: ``wsbench.storage.npz``."""
    packages = [folder for folder in path.parents if (folder / "__init__.py").exists()]
    names = [folder.name for folder in reversed(packages)]
    return ".".join(names if path.stem == "__init__" else [*names, path.stem])


MODULES = {module_name(path): path for package in ("wsbench", *AROUND) for path in sources(package)}


def modules_imported(path: Path) -> set[str]:
    """Return those of our modules that a file imports, without itself."""
    found = set()
    for name in imports(path.read_text(encoding="utf-8")):
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        found.add(name)
    return found - {"", module_name(path)}


def room(module: str) -> str:
    """Return the room that a module of a package is in, or its own name where it is in none."""
    return module.split(".")[1]


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


@pytest.mark.parametrize("package", UNEXPORTED)
def test_zoos_and_leaderboard__use_of_wsbench_what_it_exports_with_these_exceptions(package):
    used = {name for path in sources(package) for name in used_of_wsbench(path.read_text())}
    assert used - set(wsbench.__all__) - {"__version__"} == set(UNEXPORTED[package])


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
    A variant imports the method whose name its own begins with.
    """
    is_method = f"wsbench_baselines.{path.stem}" in METHOD_MODULES
    varied = {
        name for name in METHOD_MODULES if f"wsbench_baselines.{path.stem}".startswith(f"{name}_")
    }
    allowed = varied if is_method else set(METHOD_MODULES)
    assert baselines_imported(path) <= allowed


def test_method_modules__are_the_files_that_hold_a_method():
    assert "wsbench_baselines.subspace_match" in METHOD_MODULES
    assert "wsbench_baselines.subspace_match_pairs" not in METHOD_MODULES


def test_wsbench__exports_what_it_says():
    assert sorted(set(wsbench.__all__)) == sorted(wsbench.__all__)
    for name in set(wsbench.__all__) - {"Progress"}:  # an alias
        assert getattr(wsbench, name).__doc__, name


# --- rooms ---------------------------------------------------------------------------------------


def test_modules__import_in_no_circle():
    graph = {name: modules_imported(path) for name, path in MODULES.items()}
    assert sum(map(len, graph.values())) > 200
    graphlib.TopologicalSorter(graph).prepare()  # a CycleError names the circle


@pytest.mark.parametrize("package", FLOORS)
def test_rooms__import_from_lower_floors_only(package):
    floors = FLOORS[package]
    found = {name: path for name, path in MODULES.items() if name.startswith(f"{package}.")}
    assert {room(name) for name in found} == set(floors)
    for name, path in found.items():
        below = floors[: floors.index(room(name)) + 1]
        for other in modules_imported(path) & set(found):
            assert room(other) in below, f"{name} imports {other}"


ROOMS = [name for name, path in MODULES.items() if "." in name and path.stem == "__init__"]


@pytest.mark.parametrize("name", sorted({*ROOMS} - {"wsbench.cli"}))
def test_rooms__hold_a_short_docstring_in_their_init_file_and_nothing_else(name):
    """Only `wsbench.cli` holds code there: its entry point, ``wsbench.cli:main``."""
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(ast.parse(text).body) == 1
    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= 10


def test_wsbench__has_at_most_eight_files_beside_its_rooms():
    files = [path.name for path in (ROOT / "wsbench").iterdir() if path.is_file()]
    assert len(files) <= 8, files


def test_exports__hide_no_module():
    """``import wsbench.evaluate as m`` gives a module, or fails; it never gives a function."""
    for package in ("wsbench", *AROUND):
        module = importlib.import_module(package)
        for found in pkgutil.walk_packages(module.__path__, f"{package}."):
            parent, _, name = found.name.rpartition(".")
            submodule = importlib.import_module(found.name)
            assert getattr(importlib.import_module(parent), name) is submodule


def test_table_of_modules__in_architecture_md_is_the_tree():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_/]+)/` \| ([^|]*) \|", text, re.MULTILINE)
    table = {folder.replace("/", "."): re.findall(r"`(\w+)`", cell) for folder, cell in rows}
    tree: dict[str, list[str]] = {}
    for name, path in sorted(MODULES.items()):
        if path.stem == "__init__":
            tree.setdefault(name, [])
        else:
            tree.setdefault(name.rpartition(".")[0], []).append(path.stem)
    assert {name: sorted(modules) for name, modules in table.items()} == tree
    assert len(rows) == len(table)
