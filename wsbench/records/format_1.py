"""Records of format 1, read as if they had been written in format 2.

Format 1 had other names (questions, transforms, tasks for entries), only the parameters that were
set, and a hash of the scoring code instead of versions.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from wsbench.tasks.score import LARGEST

FORMAT = 1

_KEYS = frozenset(
    (
        "format", "method", "zoo", "suite", "seed", "evaluator", "tasks", "robustness", "accuracy",
        "error", "seconds", "cost", "environment", "answers",
    )
)  # fmt: skip
_UNCLAIMED = ("seconds", "cost", "environment")

# The hash of the code that is version 1 of every task, and of robustness.
_VERSION_1 = "sha256:8abd9bda42b8d9908a7a2f3b50ad50107a21752124b46cd97b4a1b65490d4ac2"


def upgrade(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a record of format 1 in the shape of format 2.

    A record that other code scored gets versions 0, which are stale.

    Raises
    ------
    ValueError
        If keys are missing or unknown; types are not looked at.
    """
    if set(content) != _KEYS:
        wrong = ", ".join(f"{key!a:.60}" for key in sorted(set(content) ^ _KEYS)[:10])
        raise ValueError(f"missing or unknown: {wrong}")
    new = {key: value for key, value in content.items() if key not in ("evaluator", "tasks")}
    try:
        suite = dict(content["suite"])
        suite["tasks"] = suite.pop("questions")
        suite["perturbations"] = suite.pop("transforms")
        version = int(content["evaluator"] == _VERSION_1)
        versions = dict.fromkeys((*map(str, suite["tasks"]), "robustness"), version)
        method = {**content["method"], "settings": list(content["method"]["parameters"])}
        robustness = {
            task: {kind: _within_bounds(score) for kind, score in by_kind.items()}
            for task, by_kind in content["robustness"].items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = f"{type(error).__name__}: {error!s:.60}"
        raise ValueError(f"method, suite or robustness: {problem}") from None
    return {
        **new,
        "format": 2,
        "method": method,
        "suite": suite,
        "robustness": robustness,
        "versions": versions,
        "scores": content["tasks"],
    }


def _within_bounds(score: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a score; one that format 2 holds as undefined, because it is beyond 1e12, as that."""
    numbers = [score["value"], *(score["interval"] or ())]
    if any(abs(number) > LARGEST for number in numbers if number is not None):
        return {"value": None, "interval": None}
    return score


def digest(content: Mapping[str, Any]) -> str:
    """Return the hash that a record of format 1 is named after."""
    claims = {key: content[key] for key in _KEYS if key not in _UNCLAIMED}
    text = json.dumps(claims, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
