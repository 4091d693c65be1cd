"""Worker: the process that loads one method and answers the harness until it hangs up.

It gets weights, layout, what the method declared, and the state of a random stream. No label of a
test model, no seed and no part of the harness is ever in it.
"""

import os
import resource
import socket
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import numpy.typing as npt

from wsbench.errors import MethodFailedError, WsbenchError
from wsbench.methods.loading import FoundMethod, find_method
from wsbench.methods.protocol import LoadedMethod, MethodDescription
from wsbench.methods.session import InProcess
from wsbench.methods.wire import generator_of, mapped, receive_header_and_descriptors, send
from wsbench.networks.checkpoints import Labels
from wsbench.networks.layout import Layout


def serve(descriptor: int, memory_bytes: int) -> NoReturn:
    """Serve the harness on the socket of a descriptor, and use no more memory than this."""
    channel = socket.socket(fileno=descriptor)
    channel.set_inheritable(False)  # a program that the method starts must not hold it open
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    process = os.getpid()
    server = _Server()
    while True:
        try:
            request, descriptors = receive_header_and_descriptors(channel)
        except EOFError:
            os._exit(0)  # without waiting for threads that the method left behind
        try:
            header, payload = server.answer(request, _arrays(request["arrays"], descriptors))
        except BaseException as error:  # any exception of a method is an answer
            header, payload = _failure(error), None
        if os.getpid() != process:
            os._exit(0)  # a copy of this process: the method has forked
        send(channel, header, payload=payload)


def _arrays(headers: dict[str, Any], descriptors: list[int]) -> dict[str, npt.NDArray[Any]]:
    return {
        name: mapped(descriptor, array["dtype"], array["shape"])
        for (name, array), descriptor in zip(headers.items(), descriptors, strict=True)
    }


class _Server:
    def __init__(self) -> None:
        self._found: FoundMethod | None = None
        self._loaded: LoadedMethod | None = None
        self._port: InProcess | None = None

    def answer(
        self, request: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]
    ) -> tuple[dict[str, Any], npt.NDArray[Any] | None]:
        calls: dict[str, Callable[[], tuple[dict[str, Any], npt.NDArray[Any] | None]]] = {
            "find": lambda: self._find(request["spec"]),
            "make": lambda: self._make(request["parameters"]),
            "fit": lambda: self._fit(request, arrays),
            "answer": lambda: self._ask(request, arrays, "answer"),
            "order": lambda: self._ask(request, arrays, "order"),
            "progress": lambda: self._ask(request, arrays, "progress"),
            "renew": self._renew,
            "leaves_input": lambda: self._leaves_input(request, arrays),
        }
        header, payload = calls[request["call"]]()
        return {"ok": True, **header}, payload

    def _find(self, spec: str) -> tuple[dict[str, Any], None]:
        self._found = find_method(spec)
        return {"takes": self._found.known}, None

    def _make(self, parameters: dict[str, Any]) -> tuple[dict[str, Any], None]:
        assert self._found is not None
        self._loaded = self._found.make(parameters)
        self._port = InProcess(self._loaded)
        return {"description": _plain(self._loaded.description)}, None

    def _renew(self) -> tuple[dict[str, Any], None]:
        assert self._port is not None
        return {"holds": self._port.renew()}, None

    def _fit(self, request: dict[str, Any], arrays: Any) -> tuple[dict[str, Any], None]:
        assert self._port is not None
        labels = Labels(arrays["model"], arrays["epoch"]) if "model" in arrays else None
        rng = generator_of(request["rng"])
        self._port.fit(arrays["weights"], *_networks(request, arrays), labels, rng)
        return {}, None

    def _ask(
        self, request: dict[str, Any], arrays: Any, call: str
    ) -> tuple[dict[str, Any], npt.NDArray[Any]]:
        assert self._port is not None
        answer = getattr(self._port, call)(arrays["weights"], *_networks(request, arrays))
        return {}, answer

    def _leaves_input(self, request: dict[str, Any], arrays: Any) -> tuple[dict[str, Any], None]:
        assert self._port is not None
        holds = self._port.leaves_input(arrays["weights"], *_networks(request, arrays))
        return {"holds": holds}, None


def _networks(request: dict[str, Any], arrays: Any) -> tuple[Layout, Any]:
    return Layout.from_json(request["layout"]), arrays.get("probe_inputs")


def _plain(description: MethodDescription) -> dict[str, Any]:
    info = description.info
    return {
        **vars(description),
        "parameters": dict(description.parameters),
        "settings": list(description.settings),
        "info": {
            "name": info.name,
            "version": str(info.version),
            "description": str(info.description),
            "invariances": sorted(info.invariances),
            "needs": sorted(info.needs),
            "code_url": info.code_url,
            "paper_url": info.paper_url,
        },
    }


def _failure(error: BaseException) -> dict[str, Any]:
    """Return what happened: an error of ours as its class, any other with its traceback."""
    try:
        message = str(error)
        if isinstance(error, MethodFailedError):
            trace = error.report
        else:
            trace = "".join(traceback.format_exception(error))
    except BaseException:  # an error that cannot even be shown
        message, trace = "", f"{type(error).__name__}, which cannot be shown\n"
    ours = type(error).__name__ if isinstance(error, WsbenchError) else ""
    return {"ok": False, "error": ours, "message": message[-20_000:], "traceback": trace[-40_000:]}
