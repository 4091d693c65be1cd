"""Rules: the values that a recipe allows, as a check and in words."""

import re
from typing import Protocol


class Rule(Protocol):
    """A check on one value."""

    @property
    def allowed(self) -> str:
        """The allowed values, for an error message."""

    def holds(self, value: object) -> bool:
        """Whether a value is allowed."""


class Integer:
    """A whole number within two bounds, both included."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    @property
    def allowed(self) -> str:
        """The bounds."""
        low, high = self._low, self._high
        return f"the integer {low}" if low == high else f"an integer from {low} to {high}"

    def holds(self, value: object) -> bool:
        """Whether a value is an integer within the bounds (true and false are not integers)."""
        return type(value) is int and self._low <= value <= self._high


class Integers:
    """A list of whole numbers, each within its own bounds."""

    def __init__(self, *bounds: tuple[int, int]) -> None:
        self._rules = [Integer(*pair) for pair in bounds]

    @property
    def allowed(self) -> str:
        """The bounds, one after the other."""
        return f"a list of {len(self._rules)}: " + ", ".join(rule.allowed for rule in self._rules)

    def holds(self, value: object) -> bool:
        """Whether a value is such a list."""
        return (
            isinstance(value, list)
            and len(value) == len(self._rules)
            and all(rule.holds(item) for rule, item in zip(self._rules, value, strict=True))
        )


class Number:
    """A number within two bounds, each included or not."""

    def __init__(
        self,
        low: float,
        high: float,
        *,
        low_is_allowed: bool = True,
        high_is_allowed: bool = True,
    ) -> None:
        self._low, self._high = low, high
        self._with_low, self._with_high = low_is_allowed, high_is_allowed

    @property
    def allowed(self) -> str:
        """The bounds as an interval."""
        opening = "[" if self._with_low else "("
        closing = "]" if self._with_high else ")"
        return f"a number in {opening}{self._low:g}, {self._high:g}{closing}"

    def holds(self, value: object) -> bool:
        """Whether a value is a number within the bounds."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        above = self._low <= value if self._with_low else self._low < value
        below = value <= self._high if self._with_high else value < self._high
        return above and below  # not a number is neither


class Choice:
    """One of some words."""

    def __init__(self, *words: str) -> None:
        self._words = words

    @property
    def allowed(self) -> str:
        """The words."""
        quoted = [repr(word) for word in self._words]
        return quoted[0] if len(quoted) == 1 else f"one of {', '.join(quoted)}"

    def holds(self, value: object) -> bool:
        """Whether a value is one of the words."""
        return value in self._words


class Pattern:
    """A text that matches a regular expression as a whole."""

    def __init__(self, expression: str, allowed: str) -> None:
        self._expression = re.compile(expression)
        self.allowed = allowed

    def holds(self, value: object) -> bool:
        """Whether a value matches."""
        return isinstance(value, str) and self._expression.fullmatch(value) is not None


class Text:
    """A text of one line that is not empty."""

    allowed = "a text of one line, not empty"

    def holds(self, value: object) -> bool:
        """Whether a value is such a text."""
        return isinstance(value, str) and bool(value.strip()) and value.isprintable()
