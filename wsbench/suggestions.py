"""Suggesting what was meant when a name is not known."""

import difflib
from collections.abc import Iterable

from wsbench.errors import UnknownIdError


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that looks most like this one, or None if none does."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else None


def unknown_name_error(
    kind: str, name: str, known: Iterable[str], hint: str = ""
) -> UnknownIdError:
    """Return the error for an unknown name: the nearest known one, all that are, what to do."""
    names = sorted(known)
    guess = nearest(name, names)
    meant = f"; did you mean {guess!r}?" if guess else "."
    allowed = f" Known: {', '.join(names)}." if names else ""
    return UnknownIdError(f"unknown {kind} {name!r}{meant}{allowed}{' ' + hint if hint else ''}")
