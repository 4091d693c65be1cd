"""Source code of a method: its file, and every file that it imports from the same project.

Imports are read from the syntax tree. An import inside ``fit`` counts, and so does
``import_module("helper")``. Installed packages and the standard library do not.
"""

import ast
import hashlib
import site
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

_PACKAGES = (
    *(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib")),
    Path(site.getusersitepackages()).resolve(),
)
_IMPORTERS = ("import_module", "__import__")
_OWN = Path(__file__).resolve().parents[1]  # wsbench itself
_INSTALLED = {"site-packages", "dist-packages"}  # those of another environment, too


def code_sha256(file: Path) -> str:
    """Return the hash of a method's file, and of those that it imports.

    The hash of a file that imports nothing from its project is that of its bytes.
    """
    own, *others = _sources(file)
    digest = hashlib.sha256(own.read_bytes())
    if others:
        hashes = sorted(hashlib.sha256(other.read_bytes()).hexdigest() for other in others)
        digest = hashlib.sha256("\n".join((digest.hexdigest(), *hashes)).encode())
    return digest.hexdigest()


def _sources(file: Path) -> list[Path]:
    """Return a file and all that it imports, directly or not."""
    found, todo = [], [file.resolve()]
    while todo:
        path = todo.pop()
        if path not in found:
            found.append(path)
            todo += _imported(path)
    return found


def _imported(path: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(alias.name, None)
        elif isinstance(node, ast.ImportFrom):
            parent = path.parents[node.level - 1] if node.level else None
            module = node.module or ""
            yield from _files(module, parent)
            for alias in node.names:  # a name may be a module of the package
                yield from _files(".".join(filter(None, (module, alias.name))), parent)
        elif isinstance(node, ast.Call) and (name := _imported_by_call(node)):
            yield from _files(name.lstrip("."), path.parent if name.startswith(".") else None)


def _imported_by_call(call: ast.Call) -> str | None:
    """Return the module that ``importlib.import_module("module")`` names."""
    function = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    name = getattr(call.args[0], "value", None) if call.args else None
    return name if function in _IMPORTERS and isinstance(name, str) else None


def _files(module: str, parent: Path | None) -> Iterator[Path]:
    """Yield the files of a module and of the packages it is in, if they are of the project."""
    places = sys.path if parent is None else [str(parent)]
    for part in filter(None, module.split(".")):
        try:
            found = PathFinder.find_spec(part, places)
        except (ImportError, ValueError):
            return
        if found is None:
            return
        if found.has_location and found.origin:  # neither built in nor a bare folder
            path = Path(found.origin).resolve()
            is_installed = _INSTALLED & set(path.parts)
            if is_installed or any(path.is_relative_to(place) for place in (*_PACKAGES, _OWN)):
                return
            yield path
        places = list(found.submodule_search_locations or [])
