"""Tables of scores, for people: one for each question, methods as rows, best first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import wsbench
from wsbench.evaluation.evaluate import primary_by_model
from wsbench.tasks import PRIMARY

_ABOUT = {
    "identification": "which checkpoints are of one model?",
    "ordering": "in which order were one model's checkpoints written?",
    "retrieval": "of which model in a gallery is this a copy?",
}
_HEADINGS = {
    "map_at_r": "MAP@R", "kendall_tau": "tau", "rank1": "rank-1", "ari": "ARI", "purity": "purity",
    "ordered_pairs": "pairs", "tpr_at_1_fpr": "TPR 1 %",
}  # fmt: skip
_BESIDE = {
    "identification": ("rank1", "ari", "purity"),
    "ordering": ("ordered_pairs",),
    "retrieval": ("rank1", "tpr_at_1_fpr"),
}
_FEW = 3  # perturbations that get a column of their own; of more the robustness is shown
_WIDE = 92  # columns that value and interval need beside each other
_LEAST_NAME = 12  # columns left to the names of methods before lines grow longer than the terminal


@dataclass(frozen=True)
class _Column:
    """A column: the heading, and what each method has there."""

    heading: str
    cells: Sequence[str]


def print_tables(results: Sequence[wsbench.Evaluation]) -> None:
    """Print a table for each question that was asked."""
    done = [result for result in results if not result.error]
    for i, question in enumerate(done[0].suite.questions if done else ()):
        ranks = ranks_of(done, question)
        _print_table(question, _ranked(done, question), ranks, with_seconds=i == 0)


def ranks_of(results: Sequence[wsbench.Evaluation], question: str) -> dict[str, tuple[int, int]]:
    """Return the rank interval of each method, by its label, in the question's main task."""
    return wsbench.rank_intervals(
        {
            result.method.label: primary_by_model(result.answers, result.truths, question)[
                _main(result)
            ]
            for result in results
        }
    )


def _main(result: wsbench.Evaluation) -> str:
    perturbations = result.suite.perturbations
    return "none" if "none" in perturbations else perturbations[0]


def _ranked(results: Sequence[wsbench.Evaluation], question: str) -> list[wsbench.Evaluation]:
    def primary(result: wsbench.Evaluation) -> float:
        return _score(result, question, _main(result), PRIMARY[question]).value or 0.0

    return sorted(results, key=lambda result: (-primary(result), result.method.label))


def _print_table(
    question: str,
    results: Sequence[wsbench.Evaluation],
    ranks: Mapping[str, tuple[int, int]],
    with_seconds: bool,
) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    columns = _columns(question, results, ranks, " " if console.width >= _WIDE else "\n")
    if with_seconds:
        columns.append(_Column("s", [f"{sum(r.seconds.values()):.2f}" for r in results]))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("method", overflow="fold")
    for column in columns:
        table.add_column(column.heading, justify="right", no_wrap=True)
    for i, result in enumerate(results):
        table.add_row(result.method.label, *(column.cells[i] for column in columns))
    # Rich cuts what does not fit; names are folded instead, and numbers always whole.
    longest = max(len(result.method.label) for result in results)
    folded = max(0, longest - _LEAST_NAME) if console.is_terminal else 0
    whole = console.measure(table, options=console.options.update(max_width=1000)).maximum
    console.width = max(console.width, whole - folded)
    console.print(f"[bold]{question}[/]: {_ABOUT[question]}")
    console.print(table)


def _columns(
    question: str,
    results: Sequence[wsbench.Evaluation],
    ranks: Mapping[str, tuple[int, int]],
    between: str,
) -> list[_Column]:
    main, primary = _main(results[0]), PRIMARY[question]
    others = [t for t in dict.fromkeys(_transforms(results[0])) if t != main]
    heading = _HEADINGS[primary] + (f" {main}" if main != "none" else "")

    def at(perturbation: str, score: str) -> list[str]:
        return [number(_score(result, question, perturbation, score).value) for result in results]

    scores = [_score(result, question, main, primary) for result in results]
    columns = [
        _Column("rank", [rank(ranks[result.method.label]) for result in results]),
        _Column(
            f"{heading}{between}95 %",
            [f"{number(s.value)}{between}{_interval(s.interval)}" for s in scores],
        ),
    ]
    if len(others) <= _FEW:
        columns += [_Column(perturbation, at(perturbation, primary)) for perturbation in others]
    else:
        for kind in ("compression", "symmetry"):
            kept = [result.robustness[question][kind].value for result in results]
            columns.append(_Column(f"{kind}\nrobustness", [number(v, "–") for v in kept]))
        columns.append(_Column("permute", at("permute", primary)))
    columns += [_Column(_HEADINGS[name], at(main, name)) for name in _BESIDE[question]]
    return columns


def _transforms(result: wsbench.Evaluation) -> list[str]:
    return [task.split("/")[1] for task in result.scores]


def _score(
    result: wsbench.Evaluation, question: str, perturbation: str, name: str
) -> wsbench.Score:
    return result.scores[f"{question}/{perturbation}"][name]


def rank(interval: tuple[int, int]) -> str:
    """Return a rank interval: 1, or 2–4 where methods cannot be told apart."""
    best, worst = interval
    return str(best) if best == worst else f"{best}\u2013{worst}"


def number(value: float | None, undefined: str = "inf") -> str:
    """Return a score with three decimals."""
    return undefined if value is None else f"{value:.3f}"


def _interval(interval: tuple[float, float] | None) -> str:
    low, high = interval or (0.0, 0.0)
    return f"{low:.3f}\u2013{high:.3f}"
