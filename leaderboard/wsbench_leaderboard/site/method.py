"""The page of a method: what it is, and all that was recorded of it, zoo by zoo."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wsbench.methods.protocol import command_arguments
from wsbench.networks.perturbations import PERTURBATIONS
from wsbench.tasks import PRIMARY
from wsbench_leaderboard.board.collect import Entry
from wsbench_leaderboard.site import text
from wsbench_leaderboard.site.boards import Board, label_and_version, machine, suite
from wsbench_leaderboard.site.cells import Cell, score_cell
from wsbench_leaderboard.site.curves import Curves, accuracy, curves
from wsbench_leaderboard.site.names import method_page, zoo_page

# The scores of each question, in the order of their columns.
SCORES: Mapping[str, Mapping[str, str]] = {
    "identification": {"map_at_r": "MAP@R", "rank1": "Rank\u20111", "ari": "ARI",
                       "bcubed_f1": "B³ F1", "purity": "Purity", "margin": "Margin"},
    "ordering": {"kendall_tau": "Kendall’s τ", "ordered_pairs": "Ordered pairs",
                 "ordered_initial": "Correct prefix"},
    "retrieval": {"map_at_r": "MAP@R", "rank1": "Rank\u20111",
                  "tpr_at_1_fpr": "TPR at 1\u00a0%\u00a0FPR"},
}  # fmt: skip

Facts = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class ScoreRow:
    """All scores after one perturbation."""

    label: str
    accuracy: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Result:
    """What is shown of one record."""

    anchor: str
    zoo: str
    zoo_page: str
    is_stale: bool
    ranks: Facts
    robustness: Sequence[tuple[str, Cell, Cell]]
    curves: Sequence[Curves]
    columns: Sequence[tuple[str, Sequence[str]]]
    rows: Sequence[ScoreRow]
    cost: Facts
    facts: Facts
    command: str
    file: str


@dataclass(frozen=True)
class Method:
    """A name, with its parameters and version."""

    page: str
    label: str
    version: str
    description: str
    facts: Facts
    results: Sequence[Result]


def methods(boards: Iterable[Board]) -> list[Method]:
    """Return every method of the boards, by name and version."""
    found: dict[tuple[str, str], list[tuple[Board, Entry]]] = {}
    for board in boards:
        for entry in board.entries:
            found.setdefault(label_and_version(entry.record), []).append((board, entry))
    return [_method(found[key]) for key in sorted(found)]


def _method(results: Sequence[tuple[Board, Entry]]) -> Method:
    record = results[0][1].record
    label, version = label_and_version(record)
    said = [entry.record.content["method"] for _, entry in results]
    facts = [
        ("Found as", _any(method["spec"] for method in said)),
        ("Parameters", _any(_words(command_arguments(m["parameters"]), "defaults") for m in said)),
        ("Invariances declared", _any(_words(method["invariances"]) for method in said)),
        ("Needs beside weights", _any(_words(method["needs"], "nothing") for method in said)),
        ("Code, sha256", _any(method["code_sha256"] for method in said)),
    ]
    anchors: dict[str, int] = {}
    shown = []
    for board, entry in results:
        n = anchors[board.slug] = anchors.get(board.slug, 0) + 1
        shown.append(_result(board, entry, board.slug if n == 1 else f"{board.slug}-{n}"))
    description = _any(method["description"] for method in said)
    return Method(method_page(record), label, version, description, facts, shown)


def _any(texts: Iterable[object]) -> str:
    """Return what the records say, once if all say the same."""
    return "; ".join(dict.fromkeys(str(text) for text in texts))


def _words(values: Iterable[object], nothing: str = "none") -> str:
    return ", ".join(map(str, values)) or nothing


def _result(board: Board, entry: Entry, anchor: str) -> Result:
    content = entry.record.content
    columns, rows = _table(entry)
    return Result(
        anchor=anchor,
        zoo=board.title,
        zoo_page=zoo_page(board),
        is_stale=entry.stale,
        ranks=[
            (question.capitalize(), f"{text.ranks(rank)} of {len(board.ranks[question])}")
            for question in PRIMARY
            if (rank := board.rank(entry, question))
        ],
        robustness=[
            (
                question.capitalize(),
                score_cell(scores.get("compression")),
                score_cell(scores.get("symmetry")),
            )
            for question, scores in entry.robustness.items()
        ],
        curves=curves(entry),
        columns=columns,
        rows=rows,
        cost=_cost(content["cost"], machine(entry)),
        facts=[
            ("Suite", suite(entry.record)),
            ("Invariances measured", _words(content["method"]["measured_invariances"])),
            ("Environment", _environment(content["environment"])),
            ("Zoo content", board.digest),
            ("Evaluator", content["evaluator"]),
        ],
        command=entry.record.command,
        file=shlex.quote(f"{entry.record.zoo}/{entry.record.path.name}"),
    )


def _table(entry: Entry) -> tuple[list[tuple[str, list[str]]], list[ScoreRow]]:
    """Return questions with their score names, and a row for each perturbation."""
    by_question: dict[str, dict[str, Mapping[str, Any]]] = {}
    for task, scores in entry.scores.items():
        question, _, asked = task.partition("/")
        by_question.setdefault(question, {})[asked] = scores
    asked_all = sorted({a for tasks in by_question.values() for a in tasks}, key=_place)
    present = {
        question: [name for name in SCORES[question] if any(name in s for s in tasks.values())]
        for question in SCORES
        if (tasks := by_question.get(question))
    }
    survived = accuracy(entry)
    rows = []
    for asked in asked_all:
        cells = [
            score_cell(by_question[question].get(asked, {}).get(name))
            for question, names in present.items()
            for name in names
        ]
        label = text.number(survived.get(asked.partition("/")[0]))
        rows.append(ScoreRow(_asked(asked), label, cells))
    columns = [
        (question.capitalize(), [SCORES[question][name] for name in names])
        for question, names in present.items()
    ]
    return columns, rows


def _place(asked: str) -> tuple[str, int, str]:
    perturbation, _, protocol = asked.partition("/")
    known = (
        PERTURBATIONS.index(perturbation) if perturbation in PERTURBATIONS else len(PERTURBATIONS)
    )
    return protocol, known, asked


def _asked(asked: str) -> str:
    """Return ``"int8, all models, round 2"`` for ``int8/all/2``."""
    perturbation, *more = asked.split("/")
    protocol = {"all": "all models", "standard": "test models"}
    words = [protocol.get(word, f"round {word}") for word in more]
    return ", ".join((perturbation, *words))


def _cost(cost: Mapping[str, Any] | None, where: str) -> Facts:
    if cost is None:
        return []
    return [
        ("Fit", f"{text.seconds(cost['fit_s'])} s"),
        ("Embed, all distances", f"{text.seconds(cost['embed_s'])} s"),
        ("Order", f"{text.seconds(cost['order_s'])} s"),
        ("Peak memory", f"{text.megabytes(cost['peak_bytes'])} MB"),
        ("Machine", where),
    ]


def _environment(where: Mapping[str, Any]) -> str:
    packages = where.get("packages")
    packages = packages if isinstance(packages, dict) else {}
    variables = where.get("variables") or {}
    words = [f"Python {where.get('python', '?')}", *(f"{n} {v}" for n, v in packages.items() if v)]
    words += [json.dumps(variables, sort_keys=True)] if variables else []
    return ", ".join(words)
