"""What a record's JSON may hold: keys, types, and texts that a table or a page can show.

A record comes from anybody, so that every text but a traceback is one printable line, and short.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wsbench.errors import FormatError, MethodError
from wsbench.methods.protocol import MethodInfo

FORMAT = 1

# Every key of a record and the type of its value; a dict stands for an object with these keys.
KEYS: Mapping[str, Any] = {
    "format": int,
    "method": {
        "name": str,
        "version": str,
        "description": str,
        "parameters": dict,
        "invariances": list,
        "measured_invariances": list,
        "needs": list,
        "spec": str,
        "code_sha256": str,
    },
    "zoo": {"id": str, "content_digest": str},
    "suite": {"name": str, "version": int, "questions": list, "transforms": list},
    "seed": int,
    "evaluator": str,
    "tasks": dict,
    "robustness": dict,
    "accuracy": dict,
    "error": str | None,
    "seconds": dict,
    "cost": dict | None,
    "environment": dict,
    "answers": dict | None,
}
_ANSWERS_KEYS = {"file": str, "sha256": str, "bytes": int}
_COST_KEYS = {"fit_s": float, "embed_s": float, "order_s": float, "peak_bytes": int}
_SCORE_KEYS = {"value": float | None, "interval": list | None}

# What a record may hold of its method, in characters; a text elsewhere.
_LONGEST = {"name": 100, "version": 50, "description": 200, "spec": 1000}
_LONGEST_PARAMETERS = 4000
_LONGEST_TEXT = 1000
_DEEPEST = 8
_MOST_NAMED = 10  # of what is wrong, in a message


def check_content(path: Path, content: object) -> None:
    """Raise `FormatError` with all that is wrong with what was read from a record's file."""
    if _is_deeper(content, _DEEPEST):  # first, as much of Python descends by recursion
        raise FormatError(f"{path}: not a record: nested more than {_DEEPEST} deep")
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise FormatError(f"{path}: not a record: it has no format number")
    if content["format"] != FORMAT:
        raise FormatError(
            f"{path}: format {content['format']!r:.40}, and this version of wsbench reads {FORMAT}"
        )
    faults = list(_faults("", content, KEYS)) or list(_part_faults(content))
    if faults:
        more = f" (and {len(faults) - _MOST_NAMED} more)" if faults[_MOST_NAMED:] else ""
        raise FormatError(f"{path}: {'; '.join(faults[:_MOST_NAMED])}{more}", faults)


def _is_deeper(value: Any, levels: int) -> bool:
    items = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in items)


def _part_faults(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the parts of a record that has all keys."""
    for part, keys in (("answers", _ANSWERS_KEYS), ("cost", _COST_KEYS)):
        if content[part] is not None:
            yield from _faults(part, content[part], keys)
    for part in ("tasks", "robustness"):
        for task, scores in content[part].items():
            yield from _score_faults(f"{part}.{_shown(task)}", scores)
    for part in ("accuracy", "seconds", "cost"):
        for name, value in (content[part] or {}).items():
            if not isinstance(value, float | int) or isinstance(value, bool) or value < 0:
                yield f"{part}.{_shown(name)}: got {value!r:.40}, expected a number from 0 on"
    if abs(content["seed"]) >= 2**63:
        yield f"seed: got {content['seed']!r:.40}, expected at most 63 bits"
    yield from _method_faults(content["method"])
    for part in sorted(set(content) - {"error"}):
        yield from _text_faults(part, content[part])


def _method_faults(method: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with what a method says of itself: tables and pages show it."""
    for key, longest in _LONGEST.items():
        if len(method[key]) > longest:
            yield f"method.{key}: {len(method[key])} characters, at most {longest} are allowed"
    try:
        MethodInfo(method["name"])
    except MethodError:
        yield (
            f"method.name: got {method['name']!a:.70}, expected lower-case words joined by hyphens"
        )
    for name in method["parameters"]:
        if not name.isidentifier():
            yield f"method.parameters: got the name {name!a:.70}, expected one of Python"
    size = len(repr(method["parameters"]))
    if size > _LONGEST_PARAMETERS:
        yield f"method.parameters: {size} characters, at most {_LONGEST_PARAMETERS} are allowed"


def _text_faults(where: str, value: Any) -> Iterator[str]:
    """Yield where a text is not of one line, printable and short."""
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT:
            yield f"{where}: {len(value)} characters, at most {_LONGEST_TEXT} are allowed"
        elif not value.isprintable():
            yield f"{where}: got {value!a:.70}, expected one line without control characters"
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _text_faults(f"{where}, a key", key)
            yield from _text_faults(f"{where}.{_shown(key)}", item)
    elif isinstance(value, list):
        for item in value:
            yield from _text_faults(where, item)


def _shown(key: str) -> str:
    """Return a key as a message may show it, whatever it is."""
    return key if key.isprintable() and len(key) <= 60 else f"{key!a:.60}"


def fitting(key: str, text: object) -> str:
    """Return a method's version or description as a record may hold it: one line, not too long."""
    words = " ".join(str(text).split())
    return "".join(character for character in words if character.isprintable())[: _LONGEST[key]]


def _faults(where: str, value: Any, kind: Any) -> Iterator[str]:
    """Yield what is wrong with a value of a type, or with an object of keys."""
    if not isinstance(kind, dict):
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            name = getattr(kind, "__name__", kind)
            yield f"{where}: got {value!r:.40}, expected {name}"
        elif kind is list and not all(isinstance(item, str) for item in value):
            yield f"{where}: got {value!r:.40}, expected a list of texts"
    elif not isinstance(value, dict):
        yield f"{where}: got {value!r:.40}, expected an object"
    elif set(value) != set(kind):
        wrong = sorted(set(value) ^ set(kind))
        named = [f"{where}.{_shown(key)}".strip(".") for key in wrong[:_MOST_NAMED]]
        more = f" and {len(wrong) - _MOST_NAMED} more" if wrong[_MOST_NAMED:] else ""
        yield f"missing or unknown: {', '.join(named)}{more}"
    else:
        for key, of in kind.items():
            yield from _faults(f"{where}.{_shown(key)}".strip("."), value[key], of)


def _score_faults(where: str, scores: Any) -> Iterator[str]:
    if not isinstance(scores, dict):
        yield f"{where}: got {scores!r:.40}, expected an object"
        return
    faults = list(_faults(where, scores, dict.fromkeys(scores, _SCORE_KEYS)))
    yield from faults
    for name, entry in scores.items() if not faults else ():
        interval = entry["interval"]
        if interval is not None and [type(end) for end in interval] != [float, float]:
            yield f"{where}.{_shown(name)}.interval: got {interval!r:.40}, expected two numbers"
