"""The legend below tables of scores: a line for each column."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import wsbench
from wsbench.cli.output import print_line, print_wrapped
from wsbench.cli.tables import (
    TRANSDUCTIVE,
    UNDEFINED,
    asked_of,
    asked_tasks,
    main_perturbation,
)
from wsbench.metrics.intervals import LEAST_MODELS
from wsbench.metrics.ranking import LEAST_RANKED
from wsbench.networks.perturbations import MEANINGS
from wsbench.tasks.catalogue import find_task, primary_score
from wsbench.tasks.score import ScoreSpec
from wsbench.tasks.tracks import OVERALL, Tracks

_WIDEST = 14  # of the words that are explained


def print_legend(results: Sequence[wsbench.Evaluation], shown: Collection[str]) -> None:
    """Print what the columns of the tables mean.

    Parameters
    ----------
    results
        Those that the tables show.
    shown
        The columns and marks in them, from `print_tables`.
    """
    done = [result for result in results if not result.error]
    if done:
        print_entries(dict(_entries(done, shown)))


def print_entries(meanings: Mapping[str, str]) -> None:
    """Print words and their meanings side by side."""
    width = max(len(word) for word in meanings if len(word) <= _WIDEST)
    print_line("columns")
    for word, meaning in meanings.items():
        print_wrapped(f"  {word:<{width}}  {meaning}", indent=width + 4)


def listed(names: Sequence[str]) -> str:
    """Return names as in a sentence: a, b and c."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def track_entries(tracks: Tracks, asked: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield the meaning of each track, by the perturbations under which each task was asked."""
    every = dict.fromkeys(name for names in asked.values() for name in names)
    for track, conditions in tracks.among(every).items():
        meaning = f"mean over {', '.join(conditions)}"
        if len(conditions) == 1:
            meaning = f"under {conditions[0]}: {MEANINGS[conditions[0]]}"
        for name in conditions:
            without = [task for task, names in asked.items() if name not in names]
            if without:
                meaning += f" ({listed(without)} without {name})"
        yield track, meaning


def primary_entries(tasks: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the meaning of the tasks' primary scores."""
    of_spec: dict[ScoreSpec, list[str]] = {}
    for task in tasks:
        of_spec.setdefault(primary_score(task), []).append(task)
    for spec, of in of_spec.items():
        yield spec.heading, f"{spec.meaning}; the score of {listed(of)}"


def _entries(
    results: Sequence[wsbench.Evaluation], shown: Collection[str]
) -> Iterator[tuple[str, str]]:
    tasks, tracks = asked_tasks(results), results[0].suite.tracks
    asked = {task: asked_of(results[0], task) for task in tasks}
    n_models = len(results[0].truths[results[0].suite.protocols[0]].rows_by_model())
    interval = "" if n_models < LEAST_MODELS else ", with its 95 % interval over test models"
    if n_models >= LEAST_RANKED:
        yield "rank", "the ranks that paired tests at 5 % leave open, each test by itself"
    if TRANSDUCTIVE in shown:
        yield TRANSDUCTIVE, "no rank: a distance depends on which other checkpoints are there"
    if all(task in results[0].tracks for task in tasks):
        yield OVERALL, f"mean over the tracks{interval}"
        yield from track_entries(tracks, asked)
        if "s" in shown:
            yield "s", "seconds to fit and to answer under the first condition"
    else:
        for name in dict.fromkeys(name for names in asked.values() for name in names):
            yield name, f"the score under {name}: {MEANINGS[name]}"
        if n_models >= LEAST_MODELS:
            yield "95 %", "interval over test models"
    yield from primary_entries(tasks)
    for task in tasks:
        main = main_perturbation(results[0], task)
        under = "" if main == "none" else f", in {task} under {main}"
        for spec in find_task(task).SCORES:
            if spec.in_summary and spec.heading in shown:
                yield spec.heading, f"{spec.meaning}{under}"
    if UNDEFINED in shown:
        yield UNDEFINED, "not defined on this zoo"
