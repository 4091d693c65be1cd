"""What a method is, and finding one by entry point, module or file; no other is imported."""

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from wsbench.checkpoints import NEEDS, Checkpoints
from wsbench.errors import MethodError
from wsbench.names import nearest, unknown

INVARIANCES = ("hidden-permutation", "positive-rescaling", "sign-flip")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class MethodInfo:
    """What a method says about itself.

    Parameters
    ----------
    name
        Lower-case words joined by hyphens; names the method in tables and records.
    version
        Any text; change it when scores change.
    description
        One line.
    invariances
        Changes of the weights, among ``"hidden-permutation"``, ``"positive-rescaling"`` and
        ``"sign-flip"``, that keep the network's function and that the method does not see.
    needs
        What it reads beside weights and layout: ``"probe_inputs"``, or ``"labels"`` of the train
        models in ``fit``.

    Raises
    ------
    MethodError
        If the name is not of that form or a word is not among those.

    Examples
    --------
    >>> MethodInfo(name="my-method", invariances={"hidden-permutation"}).version
    '1'
    """

    name: str
    version: str = "1"
    description: str = ""
    invariances: Iterable[str] = ()
    needs: Iterable[str] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise MethodError(
                f"MethodInfo: name {self.name!r} is not lower-case words joined by hyphens"
            )
        for field, allowed in (("invariances", INVARIANCES), ("needs", tuple(NEEDS))):
            given = getattr(self, field)
            words = frozenset([given] if isinstance(given, str) else given)
            if wrong := sorted(words - set(allowed)):
                raise MethodError(f"MethodInfo: {field} {wrong}: allowed are {', '.join(allowed)}")
            object.__setattr__(self, field, words)


@runtime_checkable
class EmbeddingMethod(Protocol):
    """A method that gives each checkpoint a vector; distances are Euclidean between these."""

    def transform(self, checkpoints: Checkpoints) -> npt.NDArray[np.floating[Any]]:
        """Return ``(n_checkpoints, d)``, row i from checkpoint i alone."""


@runtime_checkable
class DistanceMethod(Protocol):
    """A method that gives every two checkpoints a distance."""

    def pairwise(self, checkpoints: Checkpoints) -> npt.NDArray[np.floating[Any]]:
        """Return symmetric ``(n_checkpoints, n_checkpoints)`` distances."""


Method = EmbeddingMethod | DistanceMethod


@dataclass(frozen=True)
class LoadedMethod:
    """A method that was found: an instance, what it says about itself, and where it is from."""

    method: Method
    info: MethodInfo
    spec: str
    code_sha256: str


def list_methods() -> list[str]:
    """Return the names of the installed methods, without importing any.

    Examples
    --------
    >>> "euclidean" in list_methods()
    True
    """
    return sorted(_entry_points())


def load_method(spec: str) -> LoadedMethod:
    """Find a method and make an instance of it.

    Parameters
    ----------
    spec
        The name of an installed method (`list_methods`), ``package.module:Class``, or
        ``path/file.py:Class``.

    Raises
    ------
    UnknownIdError
        If no installed method has this name; the message names the nearest.
    MethodError
        If the module cannot be imported, has no such class, the class cannot be made without
        arguments, or what it makes has neither ``transform`` nor ``pairwise``.
    """
    if ":" in spec:
        place, _, attribute = spec.rpartition(":")
        module = _import_file(spec, Path(place)) if place.endswith(".py") else _import(spec, place)
    else:
        points = _entry_points()
        if spec not in points:
            raise unknown("method", spec, points, "Or a file: path/file.py:Class.")
        place, attribute = points[spec].module, points[spec].attr
        module = _import(spec, place)
    factory = getattr(module, attribute, None)
    if factory is None:
        classes = dict(inspect.getmembers(module, inspect.isclass))
        guess = nearest(attribute, classes)
        own = [name for name, found in classes.items() if found.__module__ == module.__name__]
        raise MethodError(
            f"method {spec!r}: {place} has no {attribute!r}"
            f"{f'; did you mean {guess!r}?' if guess else '.'}"
            f" It defines {', '.join(own) or 'no class'}."
        )
    return _loaded(spec, factory, module)


def _loaded(spec: str, factory: Any, module: ModuleType) -> LoadedMethod:
    if isinstance(factory, type):
        try:
            method = factory()
        except (Exception, SystemExit) as error:
            raise MethodError(
                f"method {spec!r}: {factory.__name__}() failed: {_why(error)}"
            ) from error
    else:
        method = factory
    if not isinstance(method, EmbeddingMethod | DistanceMethod):
        raise MethodError(
            f"method {spec!r}: has neither transform(checkpoints) nor pairwise(checkpoints);"
            " give it one of them"
        )
    info = getattr(method, "info", None) or MethodInfo(_hyphenated(type(method).__name__))
    if not isinstance(info, MethodInfo):
        raise MethodError(
            f"method {spec!r}: info is a {type(info).__name__}, not wsbench.MethodInfo"
        )
    file = getattr(module, "__file__", None)
    code = Path(file).read_bytes() if file else b""
    return LoadedMethod(method, info, spec, hashlib.sha256(code).hexdigest())


def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="wsbench.methods")}


def _import(spec: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise MethodError(f"method {spec!r}: cannot import {name}: {_why(error)}") from error


def _import_file(spec: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise MethodError(f"method {spec!r}: no file {path} in {Path.cwd()}")
    name = f"wsbench_method_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise MethodError(f"method {spec!r}: {path} is not a Python file")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses and pickle look their module up there
    try:
        found.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise MethodError(f"method {spec!r}: cannot import {path}: {_why(error)}") from error
    return module


def _why(error: BaseException) -> str:
    """Return the error in one line, with the line of the method's code that it comes from."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    ours = (__file__, importlib.__file__)
    own = [f for f in frames if f.filename not in ours and not f.filename.startswith("<")]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"


def _hyphenated(name: str) -> str:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    return "-".join(word.lower() for word in words) or "method"
