"""Floors of `wsbench_zoos`: a module imports from its own floor or from one below."""

import ast
import importlib.util
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(importlib.util.find_spec("wsbench_zoos").origin).parent

# From the lowest floor to the highest; a name stands for a module or for a folder of modules.
FLOORS = [
    {"rules", "architectures", "data"},
    {"recipe"},
    {"training"},
    {"building"},
    {"provider"},
]


def imports_by_module() -> dict[str, set[str]]:
    """What each module imports of this package, wherever the import stands."""
    modules = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
        for path in PACKAGE.rglob("*.py")
        if path.name != "__init__.py"
    }
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        graph[module] = {name.removeprefix("wsbench_zoos.") for name in names} & set(modules)
    return graph


def floor_of(module: str) -> int:
    return next(i for i, floor in enumerate(FLOORS) if module.partition(".")[0] in floor)


def test_modules__import_from_their_own_floor_or_below():
    graph = imports_by_module()
    assert graph["training.training"] >= {"recipe", "training.randomness"}
    upward = [
        (module, name)
        for module, names in graph.items()
        for name in names
        if floor_of(name) > floor_of(module)
    ]
    assert upward == []


def test_modules__import_in_no_circle():
    order = list(TopologicalSorter(imports_by_module()).static_order())
    assert order[-1] == "provider"
