"""Suites: named and versioned sets of tasks and conditions.

The content of a version never changes, so its scores keep their meaning.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from wsbench.networks.layout import Layout
from wsbench.networks.perturbations import PERTURBATIONS, applicable
from wsbench.suggestions import unknown_name_error
from wsbench.tasks.catalogue import TASKS, asked_under, find_task
from wsbench.tasks.condition import PROTOCOLS, Condition


@dataclass(frozen=True)
class Suite:
    """Tasks, perturbations, protocols and repeats.

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
            if applicable(perturbation, layout) and asked_under(perturbation, self.tasks)
        ]

    def entries(self, layout: Layout) -> list[str]:
        """Return the entries for networks of this layout: each task under each condition."""
        return [
            condition.entry(task)
            for condition in self.conditions(layout)
            for task in asked_under(condition.perturbation, self.tasks)
        ]

    def describe(self) -> str:
        """Return the name and version, for tables: ``"standard 1"``."""
        return f"{self.name} {self.version}"


_THREE = ("identification", "ordering", "retrieval")
_EIGHTEEN = (
    "none",
    *("svd-500", "svd-100", "svd-50", "svd-25", "svd-10", "svd-5"),
    *("float16", "bfloat16", "int8", "int4"),
    *("prune-50", "prune-80", "prune-90", "prune-95"),
    *("permute", "permute+int8", "rescale"),
)

SUITES = {
    suite.name: suite
    for suite in (
        Suite("smoke", 1, ("identification", "ordering"), ("none", "permute")),
        Suite("standard", 1, _THREE, _EIGHTEEN, measures_cost=True),
        Suite("full", 1, _THREE, _EIGHTEEN, PROTOCOLS, repeats=3, measures_cost=True),
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
