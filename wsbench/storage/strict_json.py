"""Strict JSON: text from anybody becomes a typed, frozen struct, or a message says why not.

`json` accepts more than JSON: NaN, numbers beyond a float, a key twice. `msgspec` then holds the
value against the types: no unknown key, no ``true`` for a number, every bound kept.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_DEEPEST = 64  # levels of nesting; everything that descends by recursion stays far from its limit
_LONGEST_MESSAGE = 200
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


def parse(data: bytes | str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        If it is not strict JSON in UTF-8: NaN, infinity, a number beyond what a float holds, a key
        twice in an object, or nested more than 64 deep.

    Examples
    --------
    >>> parse('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    """
    try:
        value = json.loads(
            data,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            object_pairs_hook=_without_repeats,
        )
    except RecursionError:
        raise ValueError(f"nested more than {_DEEPEST} deep") from None
    if _is_deeper(value, _DEEPEST):
        raise ValueError(f"nested more than {_DEEPEST} deep")
    return value


def typed(value: Any, kind: type[T]) -> T:
    """Return a parsed value as a struct.

    Parameters
    ----------
    value
        From `parse`, or from TOML.
    kind
        A type that msgspec knows; a ``Struct`` with ``forbid_unknown_fields``.

    Raises
    ------
    ValueError
        If the value is not of this type; the message names the key, what it holds and what is
        allowed.

    Examples
    --------
    >>> class Size(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ...     bytes: int
    >>> typed({"bytes": 3}, Size)
    Size(bytes=3)
    >>> typed({"bytes": True}, Size)
    Traceback (most recent call last):
    ValueError: bytes: got True, expected `int`
    """
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise ValueError(_one_line(_explained(error, value, kind))) from None


def read(data: bytes | str, kind: type[T]) -> T:
    """Return a JSON text as a struct; raise `ValueError` as `parse` and `typed` do."""
    return typed(parse(data), kind)


def write(value: Any) -> str:
    r"""Return a struct as strict JSON, keys sorted, one key a line, with a newline at the end.

    Examples
    --------
    >>> write({"b": 1, "a": 2.5})
    '{\n "a": 2.5,\n "b": 1\n}\n'
    """
    plain = msgspec.to_builtins(value)
    return json.dumps(plain, indent=1, sort_keys=True, allow_nan=False) + "\n"


def shown(value: object) -> str:
    """Return a value as a message may show it: ASCII, on one line, at most 60 characters.

    Examples
    --------
    >>> shown("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…"
    """
    try:
        text = f"{value!a}"
    except ValueError:  # an integer of more digits than Python writes
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _one_line(message: str) -> str:
    """Return a message on one line, not too long: msgspec quotes unknown keys as they are."""
    text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"


def _explained(error: msgspec.ValidationError, value: Any, kind: Any) -> str:
    """Return msgspec's message with the key in front, and the value that is there."""
    problem, _, path = str(error).partition(" - at `$")
    problem = problem[:1].lower() + problem[1:]
    steps: list[Any] = []
    found = value
    for name, index in _STEP.findall(path.rstrip("`")):
        if name:
            step = name
        elif index != "...":
            step = int(index)
        else:  # msgspec names no key of a dictionary
            step = _culprit(found, lambda part: _replaced(value, steps, part), kind, str(error))
        steps.append(step)
        found = found[step]
    where = ".".join(map(str, steps))
    if "field" in problem or found is None:
        return f"{where}: {problem}" if where else problem
    expected, _, _ = problem.partition(", got ")
    if problem.startswith("invalid enum value"):
        expected = "not an allowed value"
    return f"{where or 'value'}: got {shown(found)}, {expected}"


def _culprit(
    items: dict[str, Any], whole: Callable[[dict[str, Any]], Any], kind: Any, message: str
) -> str:
    """Return the key of the item that is wrong: alone, it makes the same message."""

    def message_of(key: str) -> str:
        try:
            msgspec.convert(whole({key: items[key]}), kind, strict=True)
        except msgspec.ValidationError as error:
            return str(error)
        return ""

    return next(key for key in items if message_of(key) == message)


def _replaced(value: Any, steps: Sequence[Any], part: Any) -> Any:
    """Return a copy of a value in which another part stands at the end of these steps."""
    if not steps:
        return part
    copy = value.copy()
    copy[steps[0]] = _replaced(value[steps[0]], steps[1:], part)
    return copy


def _is_deeper(value: Any, levels: int) -> bool:
    items = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in items)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not strict JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.40} is beyond what a float holds")
    return number


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {shown(twice)} stands twice in an object")
    return content
