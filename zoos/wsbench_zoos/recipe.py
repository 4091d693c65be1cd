"""Recipes: the TOML files that determine zoos, checked key by key."""

import json
import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from wsbench import RecipeError
from wsbench_zoos.architectures import CNN, MLP
from wsbench_zoos.data.sources import SOURCES
from wsbench_zoos.rules import Choice, Integer, Integers, Number, Pattern, Rule, Text

Architecture = MLP | CNN

FORMAT = 1


@dataclass(frozen=True)
class Training:
    """λ of the papers: the settings of training that all models of a zoo share.

    The loss is the mean squared error of one-hot targets, over batch and outputs; the optimizer
    SGD; the initialisation Kaiming normal.
    """

    learning_rate: float
    momentum: float
    weight_decay: float
    batch_size: int


@dataclass(frozen=True)
class Recipe:
    """All that determines a zoo.

    Attributes
    ----------
    id
        ``name-vN``.
    title, license
        One line for people; the SPDX identifier of the zoo's data.
    models, epochs
        How many models, each trained for how many passes over the data.
    seed
        Seed of all randomness, together with the id and a model's number.
    source
        Name of the data source.
    architecture, training
        The network, and λ of its training.
    text
        The TOML text, which a zoo carries.
    """

    id: str
    title: str
    license: str
    models: int
    epochs: int
    seed: int
    source: str
    architecture: Architecture
    training: Training
    text: str


_ROOT: dict[str, Rule] = {
    "format": Integer(FORMAT, FORMAT),
    "id": Pattern(r"[a-z0-9]+(-[a-z0-9]+)*-v[1-9][0-9]*", "a name-vN, as in digits-mlp-v1"),
    "title": Text(),
    "license": Text(),
    "models": Integer(1, 1_000_000),
    "epochs": Integer(1, 32_767),
    "seed": Integer(0, 2**63 - 1),
}
_DATA: dict[str, Rule] = {"source": Choice(*SOURCES)}
_ARCHITECTURES: dict[str, dict[str, Rule]] = {
    "mlp": {
        "kind": Choice("mlp"),
        "widths": Integers((196, 196), (1, 16), (1, 16), (10, 10)),
        "activation": Choice("sigmoid"),
    },
    "cnn": {
        "kind": Choice("cnn"),
        "channels": Integers((16, 16), (8, 8)),
        "activation": Choice("leaky-relu"),
    },
}
_TRAINING: dict[str, Rule] = {
    "initialisation": Choice("kaiming-normal"),
    "loss": Choice("mse"),
    "optimizer": Choice("sgd"),
    "learning_rate": Number(0.0, 10.0, low_is_allowed=False),
    "momentum": Number(0.0, 1.0, high_is_allowed=False),
    "weight_decay": Number(0.0, 1.0),
}


def parse_recipe(text: str, file: str = "<recipe>") -> Recipe:
    """Return the recipe of a TOML text.

    Parameters
    ----------
    text
        The TOML text.
    file
        Its name in error messages.

    Raises
    ------
    RecipeError
        If the text is not TOML, or a key is missing, unknown, of the wrong type or out of range;
        the message gives file, line, key, value and what is allowed.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{file}: not TOML: {error}") from None
    except RecursionError:
        raise RecipeError(
            f"{file}: values are nested too deeply; a recipe has tables and lists of one level"
        ) from None
    except ValueError:  # the integer that Python refuses to convert
        raise RecipeError(
            f"{file}: an integer has more than {sys.get_int_max_str_digits():,} digits; write a"
            " smaller one"
        ) from None
    check = _Checker(text, file)
    tables = ("data", "architecture", "training")
    root = check.table("", {k: v for k, v in content.items() if k not in tables}, _ROOT)
    data = check.table("data", content.get("data"), _DATA)
    architecture = _architecture(check, content.get("architecture"))
    rules = {**_TRAINING, "batch_size": Integer(*architecture.batch_sizes)}
    training = check.table("training", content.get("training"), rules)
    return Recipe(
        **{key: root[key] for key in _ROOT if key != "format"},
        source=data["source"],
        architecture=architecture,
        training=Training(
            learning_rate=float(training["learning_rate"]),
            momentum=float(training["momentum"]),
            weight_decay=float(training["weight_decay"]),
            batch_size=training["batch_size"],
        ),
        text=text,
    )


def derive_recipe(text: str, *, id: str, title: str, models: int, seed: int) -> str:
    """Return the text of the same recipe with another id, title, number of models and seed.

    Comments above the first table, which are about the original, are left out.

    Raises
    ------
    RecipeError
        If the text is no recipe, or does not give each of these keys a line of its own.
    """
    changes: dict[str, Any] = {"id": id, "title": title, "models": models, "seed": seed}
    root, bracket, tables = text.partition("\n[")
    lines = [line for line in root.splitlines() if not line.startswith("#")]
    for number, line in enumerate(lines):
        key = line.partition("=")[0].strip()
        if key in changes:
            lines[number] = f"{key} = {json.dumps(changes[key], ensure_ascii=False)}"
    derived = "\n".join(lines) + "\n" + bracket + tables
    if parse_recipe(derived) != replace(parse_recipe(text), **changes, text=derived):
        raise RecipeError(
            f"{id}: {', '.join(changes)} of the original recipe must have a line each,"
            " as in the published ones"
        )
    return derived


def publisher_of(recipe: Recipe) -> str | None:
    """Return the publisher of exactly this text under its id; None for any other text."""
    file = files("wsbench_zoos") / "recipes" / f"{recipe.id}.toml"
    is_ours = file.is_file() and file.read_text(encoding="utf-8") == recipe.text
    return "The wsbench maintainers" if is_ours else None


def _architecture(check: "_Checker", content: object) -> Architecture:
    if isinstance(content, dict) and "kind" in content:
        check.table("architecture", {"kind": content["kind"]}, {"kind": Choice(*_ARCHITECTURES)})
        values = check.table("architecture", content, _ARCHITECTURES[content["kind"]])
    else:
        values = check.table("architecture", content, {"kind": Choice(*_ARCHITECTURES)})
    if values["kind"] == "mlp":
        return MLP(tuple(values["widths"]))
    return CNN(tuple(values["channels"]))


class _Checker:
    """Checks the tables of one file against their rules; raises at the first fault."""

    def __init__(self, text: str, file: str) -> None:
        self._lines = text.splitlines()
        self._file = file

    def table(self, name: str, content: object, rules: Mapping[str, Rule]) -> dict[str, Any]:
        if not isinstance(content, dict):
            raise RecipeError(f"{self._file}: table [{name}] is missing; it holds {_list(rules)}")
        for key, value in content.items():
            if key not in rules:
                raise self._error(name, key, f"unknown key; allowed are {_list(rules)}")
            if not rules[key].holds(value):
                raise self._error(
                    name, key, f"got {_shown(value)}, allowed is {rules[key].allowed}"
                )
        for key, rule in rules.items():
            if key not in content:
                raise self._error(name, key, f"missing; it must be {rule.allowed}")
        return content

    def _error(self, table: str, key: str, problem: str) -> RecipeError:
        line = self._line_of(table, key)
        where = f"{self._file}, line {line}" if line else self._file
        return RecipeError(f"{where}: {f'[{table}] ' if table else ''}{_shown_key(key)}: {problem}")

    def _line_of(self, table: str, key: str) -> int | None:
        current = ""
        for number, line in enumerate(self._lines, start=1):
            if header := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
                current = header[1]
            elif current == table and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                return number
        return None


def _shown(value: object) -> str:
    """Return a value for one line: its start, if it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of many digits, deep nesting
        return f"a value of type {type(value).__name__} that is too long to print"
    return text if len(text) <= 80 else f"{text[:60]}… ({len(text):,} characters)"


def _shown_key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]{1,80}", key) else _shown(key)


def _list(rules: Mapping[str, Rule]) -> str:
    return ", ".join(rules)
