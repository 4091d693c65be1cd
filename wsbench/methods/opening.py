"""Opening: methods ready to be asked, each in its own process or all in this one."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from wsbench.errors import MethodError, MethodFailedError
from wsbench.methods.limits import Limits
from wsbench.methods.loading import find_method, hyphenated
from wsbench.methods.parameters import not_taken_error
from wsbench.methods.process import MethodProcess
from wsbench.methods.protocol import LoadedMethod, MethodDescription, MethodInfo
from wsbench.methods.session import InProcess, Port

_NO_CODE = "0" * 64

_log = logging.getLogger("wsbench")


@dataclass(frozen=True)
class OpenMethod:
    """A method that can be asked, or why it cannot.

    Attributes
    ----------
    description
        What is known of it; of a method that failed, its name and its spec.
    port
        The way to it; None if its code failed.
    error
        The report of a method whose code failed when it was imported or made.
    """

    description: MethodDescription
    port: Port | None
    error: str | None = None

    @property
    def label(self) -> str:
        """Name and settings, for tables."""
        return self.description.label


def opened(loaded: LoadedMethod) -> OpenMethod:
    """Return a method of this process as one that can be asked."""
    return OpenMethod(loaded.description, InProcess(loaded))


@contextmanager
def open_methods(
    specs: Iterable[str],
    parameters: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    in_process: bool = False,
) -> Iterator[list[OpenMethod]]:
    """Open several methods, each with those of the parameters that it takes.

    Parameters
    ----------
    specs
        As in `load_method`.
    parameters
        Each is set in every method that takes it.
    limits
        Of each method's process.
    in_process
        Whether the methods run in this process, for a debugger. Limits do not hold there, and a
        method can see and change the harness.

    Yields
    ------
    methods
        In the order of the specs. One whose code fails has an error in the place of a port.

    Raises
    ------
    UnknownIdError, MethodError
        If there is no such method, no method takes a parameter, or two have the same name, unless
        both are installed.
    """
    specs = list(dict.fromkeys(specs))
    parameters = parameters or {}
    with ExitStack() as stack:
        if in_process:
            finders: list[_Local | MethodProcess] = [_Local() for _ in specs]
        else:  # all start at once: the interpreters' start-up is most of their time
            finders = [stack.enter_context(MethodProcess(limits)) for _ in specs]
        found = {spec: _found(finder, spec) for spec, finder in zip(specs, finders, strict=True)}
        known = {s: takes for s, takes in found.items() if not isinstance(takes, MethodFailedError)}
        for name, value in parameters.items():
            if known and not any(takes is None or name in takes for takes in known.values()):
                raise not_taken_error(name, value, {s: t or [] for s, t in known.items()})
        methods = []
        for spec, finder in zip(specs, finders, strict=True):
            takes = found[spec]
            if isinstance(takes, MethodFailedError):
                methods.append(_failed(spec, takes))
                continue
            own = {n: v for n, v in parameters.items() if takes is None or n in takes}
            methods.append(_made(finder, spec, own))
        yield _with_names_of_their_own(methods)


class _Local:
    """Finds and makes a method in this process, as `MethodProcess` does in another."""

    def find(self, spec: str) -> list[str] | None:
        self._found = find_method(spec)
        return self._found.known

    def make(self, parameters: Mapping[str, Any]) -> MethodDescription:
        self.port = InProcess(self._found.make(parameters))
        return self.port.description


def _found(finder: _Local | MethodProcess, spec: str) -> list[str] | MethodFailedError | None:
    """Return the parameters that a method takes, or the failure of its code."""
    try:
        return finder.find(spec)
    except MethodFailedError as error:
        return error


def _made(finder: _Local | MethodProcess, spec: str, parameters: Mapping[str, Any]) -> OpenMethod:
    try:
        description = finder.make(parameters)
    except MethodFailedError as error:
        return _failed(spec, error)
    port: Port = finder.port if isinstance(finder, _Local) else finder
    return OpenMethod(description, port)


def _failed(spec: str, error: MethodFailedError) -> OpenMethod:
    if ":" not in spec:  # a broken package, which the caller may not have in mind
        _log.warning("wsbench: %s", " ".join(str(error).split()))
    name = hyphenated(spec.rpartition(":")[2])
    try:
        info = MethodInfo(name, version="unknown")
    except MethodError:
        info = MethodInfo("method", version="unknown")
    return OpenMethod(MethodDescription(info, spec, _NO_CODE), None, error.report)


def _with_names_of_their_own(methods: list[OpenMethod]) -> list[OpenMethod]:
    """Refuse two methods of one name; of two installed packages, the second has failed."""
    by_name: dict[str, str] = {}
    found = []
    for method in methods:
        spec, name = method.description.spec, method.description.info.name
        other = by_name.setdefault(name, spec)
        if other != spec:
            message = (
                f"{other} and {spec} are both called {name!r}: give each a name of its own in"
                " wsbench.MethodInfo(...)"
            )
            if ":" in other + spec:
                raise MethodError(message)
            method = _failed(spec, MethodFailedError(message, message))
        found.append(method)
    return found
