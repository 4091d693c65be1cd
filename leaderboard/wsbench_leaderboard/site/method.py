"""The page of a method: its description, and its results zoo by zoo."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord
from wsbench_leaderboard.columns import Column
from wsbench_leaderboard.site import text
from wsbench_leaderboard.site.boards import Board, label_and_version, machine, suite_text
from wsbench_leaderboard.site.cells import Cell, score_cell
from wsbench_leaderboard.site.curves import Curves, accuracy, curves
from wsbench_leaderboard.site.names import method_path, zoo_path

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class ScoreRow:
    """All scores under one condition."""

    label: str
    accuracy: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Result:
    """A record on the page of its method."""

    anchor: str
    zoo: str
    zoo_page: str
    kinds: Sequence[str]
    rank: str
    summary: Sequence[Cell]
    is_stale: bool
    ranks: Facts
    robustness: Sequence[tuple[str, Cell, Cell]]
    curves: Sequence[Curves]
    best_other: str
    columns: Sequence[tuple[str, Sequence[str]]]
    rows: Sequence[ScoreRow]
    cost: Facts
    facts: Facts
    command: str
    file: str


@dataclass(frozen=True)
class MethodPage:
    """A method with its parameters and version, and its results by zoo."""

    page: str
    label: str
    version: str
    description: str
    kinds: Sequence[str]
    links: Facts
    facts: Facts
    results: Sequence[Result]


def method_pages(boards: Iterable[Board], columns: Sequence[Column]) -> list[MethodPage]:
    """Return a page for each method of the boards, by label and version."""
    by_method: dict[tuple[str, str], list[tuple[Board, RescoredRecord]]] = {}
    for board in boards:
        for rescored in board.results:
            by_method.setdefault(label_and_version(rescored.record), []).append((board, rescored))
    return [_page(by_method[key], columns) for key in sorted(by_method)]


def _page(results: Sequence[tuple[Board, RescoredRecord]], columns: Sequence[Column]) -> MethodPage:
    record = results[0][1].record
    label, version = label_and_version(record)
    methods = [rescored.record.content.method for _, rescored in results]
    facts = [
        ("Loaded from", _joined(method.spec for method in methods)),
        ("Parameters", _joined(_listed(rescored.record.assignments) for _, rescored in results)),
        ("Invariances declared", _joined(_listed(method.invariances) for method in methods)),
        ("Needs beside weights", _joined(_listed(method.needs, "nothing") for method in methods)),
        ("Code, sha256", _joined(method.code_sha256 for method in methods)),
    ]
    anchors: dict[str, int] = {}
    shown = []
    for board, rescored in results:
        n = anchors[board.slug] = anchors.get(board.slug, 0) + 1
        anchor = board.slug if n == 1 else f"{board.slug}-{n}"
        shown.append(_result(board, rescored, anchor, columns))
    return MethodPage(
        page=method_path(record),
        label=label,
        version=version,
        description=_joined(method.description for method in methods),
        kinds=list(dict.fromkeys(kind for result in shown for kind in result.kinds)),
        links=_links(rescored.record for _, rescored in results),
        facts=facts,
        results=shown,
    )


def _links(records: Iterable[wsbench.Record]) -> Facts:
    """Return the different addresses of a method's code and papers, each with its kind."""
    methods = [record.content.method for record in records]
    links = [
        (kind, url)
        for method in methods
        for kind, url in (("Code", method.code_url), ("Paper", method.paper_url))
        if url
    ]
    return list(dict.fromkeys(links))


def _joined(texts: Iterable[object]) -> str:
    """Return the different texts of several records, joined."""
    return "; ".join(dict.fromkeys(str(text) for text in texts))


def _listed(values: Iterable[object], nothing: str = "none") -> str:
    return ", ".join(map(str, values)) or nothing


def _result(board: Board, rescored: RescoredRecord, anchor: str, shown: Sequence[Column]) -> Result:
    content = rescored.record.content
    columns, rows = _table(rescored)
    other = board.best_other(rescored)
    return Result(
        anchor=anchor,
        zoo=board.title,
        zoo_page=zoo_path(board),
        kinds=rescored.kinds,
        rank=wsbench.rank_text(board.rank(rescored)),
        summary=[score_cell(column.of(rescored)) for column in shown],
        is_stale=rescored.is_stale,
        ranks=[
            (task.capitalize(), f"{wsbench.rank_text(rank)} of {len(board.ranks[task])}")
            for task in ("overall", *wsbench.TASKS)
            if (rank := board.rank(rescored, task))
        ],
        robustness=[
            (
                task.capitalize(),
                score_cell(scores.get("compression")),
                score_cell(scores.get("symmetry")),
            )
            for task, scores in rescored.robustness.items()
        ],
        curves=curves(rescored, other),
        best_other=other.record.label if other else "",
        columns=columns,
        rows=rows,
        cost=_cost(content.cost, machine(rescored)),
        facts=[
            ("Suite", suite_text(rescored.record)),
            ("Invariances measured", _listed(content.method.measured_invariances)),
            ("Environment", _environment(rescored.record)),
            ("Zoo content", board.digest),
            ("Task versions", ", ".join(f"{n} {v}" for n, v in content.versions.items())),
        ],
        command=rescored.record.command,
        file=shlex.quote(f"{rescored.record.zoo}/{rescored.record.path.name}"),
    )


def _table(rescored: RescoredRecord) -> tuple[list[tuple[str, list[str]]], list[ScoreRow]]:
    """Return tasks with the headings of their scores, and a row for each condition."""
    by_task: dict[str, dict[wsbench.Condition, Mapping[str, wsbench.Score]]] = {}
    for entry, scores in rescored.scores.items():
        task, condition = wsbench.parse_entry(entry)
        by_task.setdefault(task, {})[condition] = scores
    specs = {name: task.SCORES for name, task in wsbench.TASKS.items() if name in by_task}
    survived = accuracy(rescored)
    rows = []
    conditions = {condition for scores in by_task.values() for condition in scores}
    for condition in sorted(conditions, key=_place):
        cells = [
            score_cell(by_task[task].get(condition, {}).get(spec.name))
            for task in specs
            for spec in specs[task]
        ]
        label = text.number(survived.get(condition.perturbation))
        rows.append(ScoreRow(_label(condition), label, cells))
    columns = [
        (task.capitalize(), [text.unbroken(spec.heading) for spec in specs[task]]) for task in specs
    ]
    return columns, rows


def _place(condition: wsbench.Condition) -> tuple[str, int, str, int]:
    name = condition.perturbation
    order = list(wsbench.PERTURBATIONS)
    known = order.index(name) if name in order else len(order)
    protocol = "" if condition.protocol == "standard" else condition.protocol
    return protocol, known, name, condition.repeat


def _label(condition: wsbench.Condition) -> str:
    """Return ``"int8, all models, repeat 2"``."""
    words = [condition.perturbation]
    words += ["all models"] if condition.protocol == "all" else []
    words += [f"repeat {condition.repeat}"] if condition.repeat else []
    return ", ".join(words)


def _cost(cost: wsbench.Cost | None, where: str) -> Facts:
    if cost is None:
        return []
    return [
        ("Fit", f"{text.seconds(cost.fit_s)} s"),
        ("Embed, all distances", f"{text.seconds(cost.embed_s)} s"),
        ("Order", f"{text.seconds(cost.order_s)} s"),
        ("Peak memory", f"{text.megabytes(cost.peak_bytes)} MB"),
        ("Machine", where),
    ]


def _environment(record: wsbench.Record) -> str:
    where = record.content.environment
    words = [f"Python {where.python}", *(f"{n} {v}" for n, v in where.packages.items() if v)]
    words += [f"{name}={value}" for name, value in where.variables.items()]
    return ", ".join(words)
