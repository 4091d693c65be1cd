"""Columns of tables over all tasks, as the tasks in the catalogue declare them."""

from dataclasses import dataclass

import wsbench
from wsbench_leaderboard.board.collect import RescoredRecord


@dataclass(frozen=True)
class Column:
    """A score of a task under a perturbation, or the task's robustness to a kind of perturbation.

    Attributes
    ----------
    task
        Name of the task.
    score, heading, meaning
        Of the score. For a robustness, ``score`` and ``heading`` are the kind of perturbation.
    perturbation
        Of the score; empty for a robustness.
    is_primary
        Whether the score ranks methods in its task.
    """

    task: str
    score: str
    heading: str
    meaning: str
    perturbation: str
    is_primary: bool

    @property
    def is_ranked(self) -> bool:
        """Whether the column ranks methods: an unperturbed primary score."""
        return self.is_primary and self.perturbation == "none"

    def of(self, rescored: RescoredRecord) -> wsbench.Score | None:
        """Return a record's score in this column, if it has one."""
        if not self.perturbation:
            return rescored.robustness.get(self.task, {}).get(self.score)
        return rescored.scores.get(f"{self.task}/{self.perturbation}", {}).get(self.score)


def columns() -> list[Column]:
    """Return the columns of all tasks, in the order of the catalogue."""
    shown = []
    for name, task in wsbench.TASKS.items():
        primary = wsbench.primary_score(name)
        specs = {spec.name: spec for spec in task.SCORES}
        for column in task.COLUMNS:
            if kind := column.robustness:
                meaning = (
                    f"share of {primary.heading} above chance kept, mean over perturbations of this"
                    " kind"
                )
                shown.append(Column(name, kind, kind, meaning, "", is_primary=False))
            else:
                spec, under = specs[column.score], column.perturbation
                meaning = spec.meaning + (f", under {under}" if under != "none" else "")
                shown.append(Column(name, spec.name, spec.heading, meaning, under, spec.is_primary))
    return shown
