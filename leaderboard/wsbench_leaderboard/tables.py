"""Markdown tables of results: the same results give the same bytes.

Labels come from strangers. Characters that could be markup are written as character references.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord, rank_value, ranks, zoo_place
from wsbench_leaderboard.columns import Column, columns

BEGIN = "<!-- tables: written by wsbench leaderboard table --update -->"
END = "<!-- end of tables -->"

_USUAL = {"version": "1", "seed": "0", "suite": "standard 2"}
_PLAIN = re.compile(r"[^0-9A-Za-z \-=,.()]|\.(?!\d)")
_NOTHING = "–"


def markdown(results: Iterable[RescoredRecord]) -> str:
    """Return one table for each zoo, best first; stale rows are in italics.

    Methods that cannot have a rank follow the others.
    """
    by_zoo = sorted(results, key=_zoo)
    tables = [_table(zoo, list(group)) for (_, zoo, _), group in groupby(by_zoo, key=_zoo)]
    return "\n".join(tables) or "No records yet.\n"


def summary(results: Iterable[RescoredRecord]) -> str:
    """Return one table of the overall scores, methods × zoos, the best on average first.

    Records of other suites than the usual one and stale ones are left out. The last column has the
    seconds of fit and all distances on the first zoo.
    """
    by_zoo: dict[str, dict[str, RescoredRecord]] = {}
    for rescored in sorted(results, key=_zoo):
        suite = rescored.record.content.suite
        if f"{suite.name} {suite.version}" == _USUAL["suite"] and not rescored.is_stale:
            by_zoo.setdefault(rescored.zoo[0], {})[_summarised(rescored)] = rescored
    if not by_zoo:
        return "No records yet.\n"
    zoos = list(by_zoo)
    scores = {
        method: [_overall(by_zoo[zoo].get(method)) for zoo in zoos]
        for method in dict.fromkeys(method for found in by_zoo.values() for method in found)
    }
    lines = [f"| method | {' | '.join(map(escaped, zoos))} | seconds |"]
    lines.append("|---|" + "---:|" * (len(zoos) + 1))
    for method in sorted(scores, key=lambda method: (-_mean(scores[method]), method)):
        cells = ["–" if score is None else f"{score:z.3f}" for score in scores[method]]
        lines.append(f"| {' | '.join((method, *cells, _seconds(by_zoo[zoos[0]].get(method))))} |")
    return "\n".join(lines) + "\n"


def _summarised(rescored: RescoredRecord) -> str:
    kinds = [kind for kind in rescored.kinds if kind in ("supervised", "transductive")]
    return escaped(rescored.record.label + (f" ({', '.join(kinds)})" if kinds else ""))


def _overall(rescored: RescoredRecord | None) -> float | None:
    return None if rescored is None else rescored.tracks["overall"]["overall"].value


def _mean(scores: Sequence[float | None]) -> float:
    return sum(score or 0.0 for score in scores) / len(scores)


def _seconds(rescored: RescoredRecord | None) -> str:
    cost = rescored.record.content.cost if rescored else None
    return _NOTHING if cost is None else f"{cost.fit_s + cost.embed_s:.1f}"


def with_tables(path: Path, tables: str) -> str:
    """Return the text of a file with the tables between its two marker lines replaced.

    Raises
    ------
    UnknownIdError
        If there is no such file.
    FormatError
        If it lacks one of the two lines.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise wsbench.UnknownIdError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise wsbench.FormatError(f"{path}: not text: {error}") from None
    before, begin, rest = text.partition(f"{BEGIN}\n")
    _, end, after = rest.partition(f"{END}\n")
    if not begin or not end:
        raise wsbench.FormatError(
            f"{path}: marker lines of the tables are missing; add {BEGIN} and {END}"
        )
    return f"{before}{begin}\n{tables}\n{end}{after}"


def _zoo(rescored: RescoredRecord) -> tuple[bool, str, str]:
    """Return the place and digest of a record's zoo; zoos with other content are other zoos."""
    return *zoo_place(rescored.zoo[0]), rescored.zoo[1]


def _table(zoo: str, results: Sequence[RescoredRecord]) -> str:
    by_path = ranks(results)
    shown = columns(results)
    headings = ["rank", "method", *_headings(shown)]
    lines = [f"### {escaped(zoo)}", "", f"| {' | '.join(headings)} |"]
    lines.append("|---:|---|" + "---:|" * len(shown))
    for rescored in sorted(results, key=_place):
        cells = [wsbench.rank_text(by_path.get(rescored.record.path)), _method(rescored)]
        cells += [_number(column.of(rescored), _has_interval(column)) for column in shown]
        if rescored.is_stale:
            cells = [f"*{cell}*" for cell in cells]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _place(rescored: RescoredRecord) -> tuple[bool, float, str, str]:
    record = rescored.record
    return not rescored.has_rank, -rank_value(rescored), record.label, record.path.name


def _method(rescored: RescoredRecord) -> str:
    """Return the method with its settings, its kind, and what is unusual about its record."""
    content = rescored.record.content
    values = {
        "version": content.method.version,
        "seed": "0" if rescored.is_fresh else str(content.seed),
        "suite": f"{content.suite.name} {content.suite.version}",
    }
    notes = [f"{key} {value}" for key, value in values.items() if value != _USUAL[key]]
    notes += rescored.kinds
    return escaped(rescored.record.label + (f" ({', '.join(notes)})" if notes else ""))


def escaped(text: str) -> str:
    """Return a text as Markdown that shows exactly this text, without markup or link.

    Examples
    --------
    >>> escaped("svd k=5 <b>")
    'svd k=5 &#60;b&#62;'
    """
    return _PLAIN.sub(lambda match: f"&#{ord(match[0])};", text)


def _headings(columns: Sequence[Column]) -> Iterator[str]:
    """Yield headings; of scores, with the task and the perturbation where they change."""
    task, perturbation = "overall", ""
    for column in columns:
        words = [column.task] if column.task != task else []
        if column.source in ("published", "tracks"):
            words = [column.heading, *["[95 %]"] * _has_interval(column)]
        elif column.source == "robustness":
            words += [column.heading, "robustness"]
        else:
            is_new = words or column.perturbation != perturbation
            words += [column.perturbation] if is_new and column.perturbation != "none" else []
            words += [column.heading]
        yield " ".join(words)
        task, perturbation = column.task, column.perturbation


def _has_interval(column: Column) -> bool:
    return column.task == "overall" and (column.is_ranked or column.score == "gap")


def _number(score: wsbench.Score | None, with_interval: bool) -> str:
    if score is None or score.value is None:
        return _NOTHING
    if not with_interval or score.interval is None:
        return f"{score.value:z.3f}"  # z: without the sign of a zero
    return f"{score.value:z.3f} [{score.interval[0]:z.3f}, {score.interval[1]:z.3f}]"
