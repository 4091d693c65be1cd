"""Rendering rows as Markdown: the same rows give the same bytes."""

from itertools import groupby

import wsbench
from wsbench_leaderboard.collect import Row

_COLUMNS = (
    ("MAP@R", "identification", "map_at_r"),
    ("rank-1", "identification", "rank1"),
    ("ARI", "identification", "ari"),
    ("purity", "identification", "purity"),
    ("tau", "ordering", "kendall_tau"),
    ("ordered pairs", "ordering", "ordered_pairs"),
)


def markdown(rows: list[Row]) -> str:
    """Return one table for each zoo; stale rows are marked and stand in italics."""
    lines = []
    for zoo, group in groupby(rows, key=lambda row: row.zoo):
        headings = [name for name, _, _ in _COLUMNS]
        lines += [f"## {zoo}", "", f"| method | {' | '.join(headings)} |"]
        lines += ["|---|" + "---:|" * len(_COLUMNS)]
        for row in group:
            cells = [_cell(row.scores[task][score]) for _, task, score in _COLUMNS]
            name = f"{row.method} {row.version}"
            lines.append(f"| {f'*{name} (stale)*' if row.stale else name} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines) or "no records\n"


def _cell(score: wsbench.Score) -> str:
    text = "inf" if score.value is None else f"{score.value:.3f}"
    if score.interval is None:
        return text
    return f"{text} [{score.interval[0]:.3f}, {score.interval[1]:.3f}]"
