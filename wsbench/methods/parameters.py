"""Parameters of a method: as JSON holds them, and as the constructor's annotations want them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from msgspec.inspect import CustomType, type_info

from wsbench.errors import MethodError
from wsbench.storage.strict_json import typed
from wsbench.suggestions import nearest


def not_taken_error(name: str, value: Any, known: Mapping[str, Sequence[str]]) -> MethodError:
    """Return the error for a parameter that no method takes; ``known`` are those of each spec."""
    guess = nearest(name, {parameter for taken in known.values() for parameter in taken})
    meant = f"; did you mean {guess!r}?" if guess else "."
    takes = "; ".join(f"{spec} takes {', '.join(taken) or 'none'}" for spec, taken in known.items())
    return MethodError(f"{name}={value!r}: no parameter {name!r}{meant} Parameters: {takes}.")


def as_json(spec: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as a record will hold them, so that it can be run again."""
    try:
        kept: dict[str, Any] = json.loads(json.dumps(dict(parameters), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise MethodError(
            f"method {spec!r}: parameters {dict(parameters)!r:.200}: {error}; a record must hold"
            " them: numbers, texts, lists, true, false or null"
        ) from None
    return kept


def is_json(value: Any) -> bool:
    """Return whether JSON can hold a value."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def convert(spec: str, name: str, value: Any, hint: Any) -> Any:
    """Return a parameter as the annotated type; as it is where msgspec does not know that type."""
    try:
        if isinstance(type_info(hint), CustomType):
            return value
        return typed({name: value}, dict[str, hint])[name]
    except ValueError as error:
        allowed = f"; allowed are {list(get_args(hint))}" if get_origin(hint) is Literal else ""
        raise MethodError(f"method {spec!r}: {error}{allowed}") from None
    except TypeError:
        return value
