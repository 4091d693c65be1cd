"""Columns of tables over all tasks: the overall score and its tracks, then the other tasks.

The tasks of which the overall score is the mean have no columns of their own: the tracks show them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord

_FIRST = ("precedence", "retrieval", "ordering")  # other tasks follow in the catalogue's order

_OF_PUBLISHED = (
    (
        "published",
        "published",
        "overall score on the published test models, which anybody can know",
    ),
    ("gap", "gap", "overall on the season's fresh models minus overall on the published ones"),
)


@dataclass(frozen=True)
class Column:
    """A score of a task under a perturbation, a robustness, or the mean over a track.

    Attributes
    ----------
    task
        Name of the task, or ``"overall"``.
    score, heading, meaning
        Of the score. For a robustness, ``score`` is the kind of perturbation; for a track, its
        name.
    perturbation
        Of the score; empty for a robustness or a track.
    source
        The part of a record that holds it; ``"published"`` for what compares a result of the
        season with the published zoo.
    is_ranked
        Whether the column ranks methods.
    """

    task: str
    score: str
    heading: str
    meaning: str
    perturbation: str
    source: Literal["scores", "robustness", "tracks", "published"]
    is_ranked: bool = False

    def of(self, rescored: RescoredRecord) -> wsbench.Score | None:
        """Return a record's score in this column, if it has one."""
        if self.source == "scores":
            return rescored.scores.get(f"{self.task}/{self.perturbation}", {}).get(self.score)
        if self.source == "published":
            return rescored.overall_gap if self.score == "gap" else rescored.published_overall
        part = rescored.tracks if self.source == "tracks" else rescored.robustness
        return part.get(self.task, {}).get(self.score)


def columns(results: Iterable[RescoredRecord] = ()) -> list[Column]:
    """Return the overall score and its tracks, then the columns of the tasks that it leaves out.

    Of a task with a mean over the tracks, this mean; of others, all columns that it declares. Where
    results are of a season, the overall score on the published zoo and the difference follow the
    tracks.
    """
    tracks = wsbench.SUITES["standard"].tracks
    shown = [_track("overall", track) for track in ("overall", *tracks.conditions)]
    if any(rescored.published for rescored in results):
        shown += [
            Column("overall", name, heading, meaning, "", "published")
            for name, heading, meaning in _OF_PUBLISHED
        ]
    others = [name for name in wsbench.TASKS if name not in tracks.tasks]
    for name in sorted(others, key=lambda name: _FIRST.index(name) if name in _FIRST else 99):
        declared = wsbench.TASKS[name].COLUMNS
        means = [column for column in declared if column.track]
        shown += [_of_task(name, column) for column in means or declared]
    return shown


def _track(task: str, track: str) -> Column:
    tracks = wsbench.SUITES["standard"].tracks
    if track == "overall":
        meaning = _mean_of_tracks(task)
    else:
        names = [" or ".join(map(_words, one)) for one in tracks.conditions[track]]
        meaning = ("mean over " if names[1:] else "under ") + ", ".join(names)
    is_ranked = track == "overall"
    heading = task if is_ranked else track.replace("-", " ")
    return Column(task, track, heading, meaning, "", "tracks", is_ranked)


def _mean_of_tracks(task: str) -> str:
    if task != "overall":
        question, score = wsbench.TASKS[task].QUESTION, wsbench.primary_score(task).heading
        return f"{question} Mean {score} over the tracks"
    tasks = wsbench.SUITES["standard"].tracks.tasks
    scores = [f"{name} {wsbench.primary_score(name).heading}" for name in tasks]
    return f"mean of {' and '.join(scores)} over the tracks"


def _words(perturbation: str) -> str:
    return "no perturbation" if perturbation == "none" else perturbation


def _of_task(name: str, column: wsbench.Column) -> Column:
    if column.track:
        return _track(name, column.track)
    if kind := column.robustness:
        primary = wsbench.primary_score(name)
        meaning = (
            f"share of {primary.heading} above chance kept, mean over perturbations of this kind"
        )
        return Column(name, kind, kind, meaning, "", "robustness")
    (spec,) = (spec for spec in wsbench.TASKS[name].SCORES if spec.name == column.score)
    under = column.perturbation
    meaning = spec.meaning + (f", under {under}" if under != "none" else "")
    return Column(name, spec.name, spec.heading, meaning, under, "scores")
