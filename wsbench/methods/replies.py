"""Replies of a method's process, checked, because the method can write to the same socket."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from wsbench.methods.protocol import MethodDescription, MethodInfo
from wsbench.storage.strict_json import typed

LONGEST_PARAMETERS = 4000  # characters, as JSON


class Found(Struct, frozen=True):
    """The parameters of a method that was found; None if that is unknown."""

    takes: list[str] | None


class Failure(Struct, frozen=True):
    """An exception: the class of one of ours, the message, the traceback."""

    error: str
    message: str
    traceback: str


class Verdict(Struct, frozen=True):
    """Whether a method left its input unchanged, or is fitted."""

    holds: bool


class Payload(Struct, frozen=True):
    """The data type and shape of the array that follows."""

    dtype: Annotated[str, Meta(pattern="^[<>|=]?[fiu][0-9]{1,2}$")]
    shape: Annotated[list[Annotated[int, Meta(ge=0, le=2**40)]], Meta(max_length=8)]


class _Info(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=100)]
    version: str
    description: str
    invariances: list[str]
    needs: list[str]
    code_url: str
    paper_url: str


class _Description(Struct, frozen=True, forbid_unknown_fields=True):
    info: _Info
    spec: str
    code_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    parameters: dict[str, Any]
    settings: list[str]
    gives_distances: bool
    has_fit: bool
    has_order: bool
    has_progress: bool


class _Made(Struct, frozen=True):
    description: _Description


def is_reply(value: Any) -> bool:
    """Return whether a message reports the success or the failure of a call."""
    return isinstance(value, dict) and isinstance(value.get("ok"), bool)


def description_of(reply: Mapping[str, Any], spec: str) -> MethodDescription:
    """Return the description of a method that was made.

    Raises
    ------
    ValueError, MethodError
        If it is none, or such as no record can hold.
    """
    found = typed(dict(reply), _Made).description
    wrong = {name for name in found.parameters if not name.isidentifier()}
    if wrong or not set(found.settings) <= set(found.parameters):
        raise ValueError("parameters that Python cannot name")
    if len(json.dumps(found.parameters)) > LONGEST_PARAMETERS:
        raise ValueError(f"parameters of more than {LONGEST_PARAMETERS} characters")
    info = MethodInfo(**structs.asdict(found.info))
    rest = {"info": info, "settings": tuple(found.settings), "spec": spec}
    return MethodDescription(**structs.asdict(found) | rest)
