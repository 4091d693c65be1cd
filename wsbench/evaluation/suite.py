"""Suites: named and versioned sets of tasks and conditions.

Each version is a dated file in the folder ``suites`` that is never edited, so its scores keep their
meaning.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from wsbench.networks.layout import Layout
from wsbench.networks.perturbations import PERTURBATIONS, applicable
from wsbench.suggestions import unknown_name_error
from wsbench.tasks.catalogue import TASKS, asked_under, find_task
from wsbench.tasks.condition import Condition
from wsbench.tasks.tracks import Tracks


@dataclass(frozen=True)
class Suite:
    """Tasks, perturbations, tracks, protocols and repeats.

    Attributes
    ----------
    name, version
        Its name in records; one made on the command line is ``"custom"``.
    tasks
        Names of tasks (`wsbench.tasks.catalogue.TASKS`).
    perturbations
        Names of perturbations; those that a zoo's networks do not allow are left out, and a task's
        `LEAVES_OUT` for this task.
    protocols, repeats
        Each perturbation under each protocol, with this many seeds.
    measures_cost
        Whether time and memory are measured, in a fresh process.
    tracks
        Groups of conditions whose mean ranks methods; none in a suite of one's own.
    on_curves
        The tasks that are asked under the perturbations outside the tracks, if there are tracks.
    date
        Of its file, ``"2026-11-21"``; empty for a suite of one's own.

    Raises
    ------
    UnknownIdError
        If there is no such task or perturbation.
    """

    name: str
    version: int
    tasks: tuple[str, ...]
    perturbations: tuple[str, ...]
    protocols: tuple[str, ...] = ("standard",)
    repeats: int = 1
    measures_cost: bool = False
    tracks: Tracks = field(default_factory=Tracks)
    on_curves: tuple[str, ...] = ()
    date: str = ""

    def __post_init__(self) -> None:
        for task in self.tasks:
            find_task(task)
        for perturbation in self.perturbations:
            if perturbation not in PERTURBATIONS:
                raise unknown_name_error("perturbation", perturbation, PERTURBATIONS)

    def conditions(self, layout: Layout) -> list[Condition]:
        """Return the conditions that networks of this layout allow and some task is asked under."""
        return [
            Condition(perturbation, protocol, repeat)
            for repeat in range(self.repeats)
            for protocol in self.protocols
            for perturbation in self.perturbations
            if applicable(perturbation, layout)
            and not self._is_replaced(perturbation, layout)
            and self.tasks_under(perturbation)
        ]

    def entries(self, layout: Layout) -> list[str]:
        """Return the entries for networks of this layout: each task under each condition."""
        return [
            condition.entry(task)
            for condition in self.conditions(layout)
            for task in self.tasks_under(condition.perturbation)
        ]

    def tasks_under(self, perturbation: str) -> tuple[str, ...]:
        """Return the tasks that are asked under a perturbation."""
        is_curve = self.tracks.conditions and perturbation not in self.tracks.perturbations
        asked = self.on_curves if is_curve else self.tasks
        return asked_under(perturbation, asked)

    def _is_replaced(self, perturbation: str, layout: Layout) -> bool:
        """Whether a better condition of the tracks stands for it on networks of this layout."""
        for conditions in self.tracks.conditions.values():
            for one in conditions:
                if perturbation in one:
                    return next(p for p in one if applicable(p, layout)) != perturbation
        return False

    def describe(self) -> str:
        """Return the name and version, for tables: ``"standard 2"``."""
        return f"{self.name} {self.version}"


def _read(text: str) -> Suite:
    """Return the suite in the text of a file."""
    content: dict[str, Any] = tomllib.loads(text)
    curves: Mapping[str, Any] = content.pop("curves", {})
    tracks = Tracks(
        {
            track: tuple((one,) if isinstance(one, str) else tuple(one) for one in conditions)
            for track, conditions in content.pop("tracks").items()
        },
        tuple(content.pop("overall")),
    )
    asked = dict.fromkeys((*tracks.perturbations, *curves.get("perturbations", ())))
    return Suite(
        name=content.pop("name"),
        version=content.pop("version"),
        date=str(content.pop("date")),
        tasks=tuple(content.pop("tasks")),
        perturbations=tuple(name for name in PERTURBATIONS if name in asked),
        protocols=tuple(content.pop("protocols", ("standard",))),
        tracks=tracks,
        on_curves=tuple(curves.get("tasks", ())),
        **content,
    )


_FOLDER = files("wsbench.evaluation") / "suites"

SUITES = {
    suite.name: suite
    for suite in (
        _read((_FOLDER / f"{name}.toml").read_text())
        for name in ("smoke-2", "standard-2", "full-2")
    )
}


def find_suite(
    name: str | None = None, tasks: Sequence[str] = (), perturbations: Sequence[str] = ()
) -> Suite:
    """Return a suite by name, or one of these tasks and perturbations.

    Parameters
    ----------
    name
        A key of `SUITES`; None for ``"smoke"``, unless tasks or perturbations are given.
    tasks
        Instead of a suite; without any, every task.
    perturbations
        Instead of a suite; without any, ``"none"``. Robustness is relative to that one.

    Raises
    ------
    UnknownIdError
        If there is no such suite, task or perturbation.
    ValueError
        If a suite is named, and tasks or perturbations are given as well.

    Examples
    --------
    >>> find_suite(tasks=["ordering"], perturbations=["none", "int8"]).name
    'custom'
    """
    if name is None and (tasks or perturbations):
        asked = tuple(dict.fromkeys(tasks)) or tuple(TASKS)
        return Suite("custom", 1, asked, tuple(dict.fromkeys(perturbations)) or ("none",))
    if tasks or perturbations:
        raise ValueError(
            f"suite {name!r} has its own tasks and perturbations: give one or the other"
        )
    name = name or "smoke"
    if name not in SUITES:
        raise unknown_name_error("suite", name, SUITES)
    return SUITES[name]
