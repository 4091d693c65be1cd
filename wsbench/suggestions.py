"""Suggestions for unknown names."""

import difflib
from collections.abc import Iterable

from wsbench.errors import UnknownIdError


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most similar to this one, or None if none is similar."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None


def unknown_name_error(
    kind: str, name: str, known: Iterable[str], hint: str = ""
) -> UnknownIdError:
    """Return the error for an unknown name, with the nearest known name, all names, and a hint."""
    names = sorted(known)
    guess = nearest(name, names)
    meant = f"; did you mean {guess!r}?" if guess else "."
    allowed = f" Known: {', '.join(names)}." if names else ""
    return UnknownIdError(f"unknown {kind} {name!r}{meant}{allowed}{' ' + hint if hint else ''}")
