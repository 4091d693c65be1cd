"""Rendering results as Markdown: the same results give the same bytes.

Labels come from anybody; whatever could be markup is written as a character reference.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord, ranks

BEGIN = "<!-- tables: written by wsbench leaderboard table --update -->"
END = "<!-- end of tables -->"

# Heading, entry or task (for robustness), score, and whether its interval is shown.
_COLUMNS = (
    ("identification MAP@R [95 %]", "identification/none", "map_at_r", True),
    ("compression robustness", "identification", "compression", False),
    ("permute MAP@R", "identification/permute", "map_at_r", False),
    ("ordering tau [95 %]", "ordering/none", "kendall_tau", True),
    ("retrieval permute+int8 MAP@R", "retrieval/permute+int8", "map_at_r", False),
    ("TPR at 1 % FPR", "retrieval/permute+int8", "tpr_at_1_fpr", False),
)
_USUAL = {"version": "1", "seed": "0", "suite": "standard 1"}
_PLAIN = re.compile(r"[^0-9A-Za-z \-=,.()]|\.(?!\d)")
_NOTHING = "–"


def markdown(results: Iterable[RescoredRecord]) -> str:
    """Return one table for each zoo, best first; stale rows are marked and stand in italics."""
    by_zoo = sorted(results, key=_zoo)
    tables = [_table(zoo, list(group)) for (zoo, _), group in groupby(by_zoo, key=_zoo)]
    return "\n".join(tables) or "No records yet.\n"


def with_tables(path: Path, tables: str) -> str:
    """Return the text of a file with other tables between its two marker lines.

    Raises
    ------
    UnknownIdError, FormatError
        If there is no such file, or it has not these two lines.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise wsbench.UnknownIdError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise wsbench.FormatError(f"{path}: not a text: {error}") from None
    before, begin, rest = text.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not begin or not end:
        raise wsbench.FormatError(
            f"{path}: has no place for the tables; add the lines {BEGIN} and {END}"
        )
    return f"{before}{begin}\n{tables}\n{end}{after}"


def _zoo(rescored: RescoredRecord) -> tuple[str, str]:
    """Return the zoo of an rescored; zoos of the same name and other content are other zoos."""
    return rescored.record.zoo, rescored.record.content.zoo.content_digest


def _table(zoo: str, results: Sequence[RescoredRecord]) -> str:
    by_path = ranks(results, "identification")
    headings = ["method", "rank", *(heading for heading, *_ in _COLUMNS)]
    lines = [f"### {escaped(zoo)}", "", f"| {' | '.join(headings)} |"]
    lines.append("|---|" + "---:|" * (len(headings) - 1))
    for rescored in sorted(results, key=_place):
        cells = [_method(rescored), _rank(by_path.get(rescored.record.path))]
        cells += [_number(rescored, task, name, shown) for _, task, name, shown in _COLUMNS]
        if rescored.is_stale:
            cells = [f"*{cell}*" for cell in cells]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _place(rescored: RescoredRecord) -> tuple[float, str, str]:
    score = rescored.scores.get("identification/none", {}).get("map_at_r")
    value = -2.0 if score is None or score.value is None else score.value
    return -value, rescored.record.label, rescored.record.path.name


def _method(rescored: RescoredRecord) -> str:
    """Return the method and its parameters, and what else is not as usual."""
    content = rescored.record.content
    found = {
        "version": content.method.version,
        "seed": str(content.seed),
        "suite": f"{content.suite.name} {content.suite.version}",
    }
    notes = [f"{key} {value}" for key, value in found.items() if value != _USUAL[key]]
    notes += ["stale"] if rescored.is_stale else []
    return escaped(rescored.record.label + (f" ({', '.join(notes)})" if notes else ""))


def escaped(text: str) -> str:
    """Return a text as Markdown that shows it and nothing else: no markup, no link.

    Examples
    --------
    >>> escaped("svd k=5 <b>")
    'svd k=5 &#60;b&#62;'
    """
    return _PLAIN.sub(lambda match: f"&#{ord(match[0])};", text)


def _rank(interval: tuple[int, int] | None) -> str:
    if interval is None:
        return _NOTHING
    best, worst = interval
    return str(best) if best == worst else f"{best}–{worst}"


def _number(rescored: RescoredRecord, task: str, name: str, with_interval: bool) -> str:
    table = rescored.scores if "/" in task else rescored.robustness
    score = table.get(task, {}).get(name)
    if score is None or score.value is None:
        return _NOTHING
    if not with_interval or score.interval is None:
        return f"{score.value:.3f}"
    return f"{score.value:.3f} [{score.interval[0]:.3f}, {score.interval[1]:.3f}]"
