"""Loading: find one method by entry point, module or file, and make an instance of it."""

import copy
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

import numpy as np
import numpy.typing as npt

from wsbench.errors import MethodError, MethodFailedError
from wsbench.methods.parameters import as_json, convert, is_json, not_taken_error
from wsbench.methods.protocol import DistanceMethod, EmbeddingMethod, LoadedMethod, MethodInfo
from wsbench.methods.sources import code_sha256
from wsbench.networks.checkpoints import Checkpoints
from wsbench.suggestions import nearest, unknown_name_error


def list_methods() -> list[str]:
    """Return the names of the installed methods, without importing any.

    Examples
    --------
    >>> "euclidean" in list_methods()
    True
    """
    return sorted(_entry_points())


def load_method(spec: str, parameters: Mapping[str, Any] | None = None) -> LoadedMethod:
    """Find a method and make an instance of it.

    Parameters
    ----------
    spec
        The name of an installed method (`list_methods`), ``package.module:Name``, or
        ``path/file.py:Name``. The name is that of a class, of an instance (a scikit-learn pipeline,
        for example), or of a function that takes weights, ``(n_checkpoints, n_parameters)``, and
        returns features, ``(n_checkpoints, d)``.
    parameters
        Arguments of the class or function, values such as JSON can hold; all others have their
        defaults.

    Raises
    ------
    UnknownIdError
        If no installed method has this name; the message names the nearest.
    MethodError
        If the module cannot be imported or has no such name. If the method takes no such parameter,
        fails when it is made, or has neither ``transform`` nor ``pairwise``.

    Examples
    --------
    >>> load_method("svd", {"k": 5}).label
    'svd k=5'
    """
    return find_method(spec).make(parameters or {})


class FunctionMethod:
    """A plain function from weights to features, as a method."""

    def __init__(self, function: Callable[..., Any], parameters: Mapping[str, Any]) -> None:
        self._function = function
        self._parameters = parameters

    def transform(self, checkpoints: Checkpoints) -> npt.NDArray[np.floating[Any]]:
        """Return what the function gives for the weights."""
        features: npt.NDArray[Any] = self._function(checkpoints.weights, **self._parameters)
        return features


@dataclass(frozen=True)
class FoundMethod:
    """The class, function or instance that a spec names."""

    spec: str
    factory: Any

    @property
    def is_function(self) -> bool:
        """Whether it is a function from weights to features; a method may be callable, too."""
        method = isinstance(self.factory, type | EmbeddingMethod | DistanceMethod)
        return callable(self.factory) and not method

    @property
    def known(self) -> list[str] | None:
        """The parameters that can be set; None if that cannot be known."""
        if self._is_configured:
            return sorted(self.factory.get_params())
        taken = self._signature
        if taken is None or any(p.kind is p.VAR_KEYWORD for p in taken):
            return None
        return [parameter.name for parameter in taken]

    @property
    def defaults(self) -> dict[str, Any]:
        """The values of all parameters that have one and that JSON can hold."""
        if self._is_configured:
            values = self.factory.get_params()
        else:
            values = {p.name: p.default for p in self._signature or () if p.default is not p.empty}
        return {name: value for name, value in values.items() if is_json(value)}

    @property
    def _is_configured(self) -> bool:
        """Whether it is an instance with parameters, as of scikit-learn."""
        return hasattr(self.factory, "get_params") and not isinstance(self.factory, type)

    @property
    def _signature(self) -> list[inspect.Parameter] | None:
        """The parameters of a class or function that have a name; None for one written in C."""
        if not isinstance(self.factory, type) and not self.is_function:
            return []
        try:
            taken = list(inspect.signature(self.factory).parameters.values())
        except ValueError:
            return None
        if self.is_function:
            taken = taken[1:]  # the weights
        fixed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
        return [parameter for parameter in taken if parameter.kind not in fixed]

    def takes(self, name: str) -> bool:
        """Whether a parameter of this name can be set."""
        return self.known is None or name in self.known

    def make(self, parameters: Mapping[str, Any]) -> LoadedMethod:
        """Make an instance; raise as `load_method` does."""
        for name, value in parameters.items():
            if not self.takes(name):
                raise not_taken_error(name, value, {self.spec: self.known or []})
        defaults = self.defaults
        recorded = {**defaults, **as_json(self.spec, parameters)}
        settings = tuple(n for n in recorded if n not in defaults or recorded[n] != defaults[n])
        try:
            converted = self._converted(parameters)
            method = self._make(converted)
        except MethodError:
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            arguments = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
            message = f"method {self.spec!r}: {self._name}({arguments}) failed: {_why(error)}"
            raise self._failure(MethodFailedError(message, traceback.format_exc())) from error
        try:
            info = self._info(method)
        except MethodError as error:
            raise self._failure(error) from error
        recorded = as_json(self.spec, recorded)
        again = partial(self._make, converted)
        return LoadedMethod(method, info, self.spec, self._code(), recorded, settings, again)

    def _failure(self, error: MethodError) -> MethodError:
        """Return an error of the method's code; an installed one's names its package."""
        return error if ":" in self.spec else _broken_package(self.spec, error)

    def _converted(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameters as the types that the constructor's annotations name."""
        try:
            is_class = isinstance(self.factory, type)
            hints = get_type_hints(vars(self.factory)["__init__"] if is_class else self.factory)
        except (AttributeError, KeyError, NameError, TypeError):
            hints = {}
        return {
            name: convert(self.spec, name, value, hints[name]) if name in hints else value
            for name, value in parameters.items()
        }

    def _make(self, parameters: Mapping[str, Any]) -> Any:
        if isinstance(self.factory, type):
            return self.factory(**parameters)
        if self.is_function:
            inspect.signature(self.factory).bind(None, **parameters)
            return FunctionMethod(self.factory, parameters)
        method = copy.deepcopy(self.factory)  # what one learns, the next must not know
        return method.set_params(**parameters) if parameters else method

    def _info(self, method: Any) -> MethodInfo:
        if not isinstance(method, EmbeddingMethod | DistanceMethod):
            raise MethodError(
                f"method {self.spec!r}: has neither transform(checkpoints) nor"
                " pairwise(checkpoints); give it one of them"
            )
        info = getattr(method, "info", None) or getattr(self.factory, "info", None)
        if info is None:
            root = sys.modules.get(self._source.__module__.partition(".")[0])
            version = getattr(root, "__version__", "1")
            info = MethodInfo(hyphenated(self._name), str(version))
        if not isinstance(info, MethodInfo):
            raise MethodError(
                f"method {self.spec!r}: info is a {type(info).__name__}, not wsbench.MethodInfo"
            )
        return info

    @property
    def _source(self) -> Any:
        """The class or function whose code it is."""
        has_code = isinstance(self.factory, type) or self.is_function
        return self.factory if has_code else type(self.factory)

    @property
    def _name(self) -> str:
        return str(getattr(self._source, "__name__", type(self._source).__name__))

    def _code(self) -> str:
        file = getattr(sys.modules.get(self._source.__module__), "__file__", None)
        return code_sha256(Path(file)) if file else hashlib.sha256(b"").hexdigest()


def find_method(spec: str) -> FoundMethod:
    """Import a method; raise as `load_method` does, `MethodFailedError` for a broken package."""
    if ":" in spec:
        place, _, name = spec.rpartition(":")
        module = _import_file(spec, Path(place)) if place.endswith(".py") else _import(spec, place)
        return FoundMethod(spec, _attribute(spec, module, place, name))
    points = _entry_points()
    if spec not in points:
        raise unknown_name_error("method", spec, points, "Or a file: path/file.py:Class.")
    place, _, name = points[spec].value.replace(" ", "").partition(":")
    try:
        return FoundMethod(spec, _attribute(spec, _import(spec, place), place, name))
    except MethodError as error:
        raise _broken_package(spec, error) from error


def _attribute(spec: str, module: ModuleType, place: str, name: str) -> Any:
    factory = getattr(module, name, None)
    if factory is None:
        names = dict(inspect.getmembers(module, lambda one: isinstance(one, type | FunctionType)))
        guess = nearest(name, names)
        own = [name for name, found in names.items() if found.__module__ == module.__name__]
        raise MethodError(
            f"method {spec!r}: {place} has no {name!r}"
            f"{f'; did you mean {guess!r}?' if guess else '.'}"
            f" It defines {', '.join(own) or 'no class or function'}."
        )
    return factory


def _broken_package(spec: str, error: MethodError) -> MethodFailedError:
    """Return the failure of an installed method: the fault is its package's, not the caller's."""
    point = _entry_points()[spec]
    package = point.dist.name if point.dist else point.value
    message = f"{error} (installed by {package})"
    report = error.report if isinstance(error, MethodFailedError) else message
    return MethodFailedError(message, report)


def _entry_points() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group="wsbench.methods")}


def _import(spec: str, name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        raise MethodError(f"method {spec!r}: cannot import {name}: not the name of a module")
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        message = f"method {spec!r}: cannot import {name}: {_why(error)}"
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{name}.".startswith(f"{missing}."):  # not a module that it imports
            raise MethodError(message) from error
        raise MethodFailedError(message, traceback.format_exc()) from error


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
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        del sys.modules[name]
        message = f"method {spec!r}: cannot import {path}: {_why(error)}"
        raise MethodFailedError(message, traceback.format_exc()) from error
    return module


def _why(error: BaseException) -> str:
    """Return the error in one line, with the line of the method's code that it comes from."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    others = (str(Path(__file__).parents[1]), importlib.__file__, inspect.__file__, "<")
    own = [frame for frame in frames if not frame.filename.startswith(others)]
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"


def hyphenated(name: str) -> str:
    """Return a Python name as lower-case words joined by hyphens: ``"my-method"``."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    return "-".join(word.lower() for word in words) or "method"
