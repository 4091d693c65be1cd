"""Texts for people: numbers, and names that are safe in pages, URLs and file names."""

import hashlib
import re
import unicodedata

_MISSING = "–"
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


def number(value: float | None, decimals: int = 3) -> str:
    """Return a number with a true minus sign, or a dash for None.

    Examples
    --------
    >>> number(0.25), number(-0.0001), number(None)
    ('0.250', '0.000', '–')
    """
    if value is None:
        return _MISSING
    text = f"{value:,.{decimals}f}"
    is_zero = not text.strip("-0.,")
    return text.lstrip("-") if is_zero else text.replace("-", "−")


def interval(ends: tuple[float, float] | None, decimals: int = 3) -> str:
    """Return an interval: ``"0.250–0.500"``; with "to" where a dash would look like a minus."""
    if ends is None:
        return ""
    low, high = (number(end, decimals) for end in ends)
    return f"{low} to {high}" if "−" in low + high else f"{low}–{high}"


def seconds(value: float) -> str:
    """Return a time to the hundredth: ``"<0.01"``, ``"12.34"``."""
    return "<0.01" if 0 <= value < 0.005 else number(value, 2)


def megabytes(n_bytes: int) -> str:
    """Return a size in units of 10⁶ bytes: ``"<1"``, ``"17"``."""
    return "<1" if 0 <= n_bytes < 500_000 else number(n_bytes / 1e6, 0)


def unbroken(text: str) -> str:
    """Return a heading with unbreakable hyphens and spaces.

    Examples
    --------
    >>> unbroken("rank-1") == "rank\u20111"
    True
    """
    return text.replace("-", "\u2011").replace(" ", "\u00a0")


def visible(text: str) -> str:
    r"""Return a text with invisible characters spelled out.

    They could hide or reorder the text around them (U+202E turns a line), or fail to be encoded.

    Examples
    --------
    >>> visible("euclid\u202eean")
    'euclid\\u202eean'
    """
    return "".join(_spelled(c) if _is_invisible(c) else c for c in text)


def _is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in "\n\t"


def _spelled(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def slug(*parts: str) -> str:
    """Return a file name, without its ending, for arbitrary names.

    It begins with the first part in readable form and ends with a hash of all parts.

    Examples
    --------
    >>> slug("../SVD k=5", "1")
    'svd-k-5-4248b229'
    """
    readable = _NOT_SLUG.sub("-", parts[0].lower())[:40].strip("-")
    data = "\0".join(parts).encode("utf-8", "surrogatepass")
    return "-".join(filter(None, (readable, hashlib.sha256(data).hexdigest()[:8])))
