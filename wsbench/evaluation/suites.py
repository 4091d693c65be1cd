"""Suites: which questions are asked after which perturbations. Named and versioned.

A version's content is never changed: what was scored under it would mean something else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from wsbench.networks.layout import Layout
from wsbench.networks.perturbations import PERTURBATIONS, applicable
from wsbench.suggestions import unknown_name_error
from wsbench.tasks import QUESTIONS

PROTOCOLS = ("standard", "all")


@dataclass(frozen=True)
class Part:
    """What a method is fitted for and asked about at one go.

    Attributes
    ----------
    perturbation
        What is done to the weights first.
    protocol
        ``"standard"``: fitted on train models, asked about test models. ``"all"``: fitted on all
        models and asked about all, as the literature does.
    round
        Added to the seed of the evaluation.
    """

    perturbation: str
    protocol: str = "standard"
    round: int = 0

    def task(self, question: str) -> str:
        """Return the name of a task: ``"identification/permute"``, or with more if it is another.

        Examples
        --------
        >>> Part("permute").task("identification")
        'identification/permute'
        >>> Part("permute", "all", 2).task("identification")
        'identification/permute/all/2'
        """
        more = (self.protocol,) if self.protocol != "standard" or self.round else ()
        rounds = (str(self.round),) * bool(self.round)
        return "/".join((question, self.perturbation, *more, *rounds))


@dataclass(frozen=True)
class Suite:
    """Questions and perturbations.

    Attributes
    ----------
    name, version
        What it is called in records; one made on the command line is ``"custom"``.
    questions
        Among ``"identification"``, ``"ordering"`` and ``"retrieval"``.
    perturbations
        Names of perturbations; those that a zoo's networks do not allow are left out.
    protocols, rounds
        Each perturbation under each protocol, with this many seeds.
    measures_cost
        Whether time and memory are measured, in a process of its own.

    Raises
    ------
    UnknownIdError
        If there is no such question or perturbation.
    """

    name: str
    version: int
    questions: tuple[str, ...]
    perturbations: tuple[str, ...]
    protocols: tuple[str, ...] = ("standard",)
    rounds: int = 1
    measures_cost: bool = False

    def __post_init__(self) -> None:
        for question in self.questions:
            if question not in QUESTIONS:
                raise unknown_name_error("task", question, QUESTIONS)
        for perturbation in self.perturbations:
            if perturbation not in PERTURBATIONS:
                raise unknown_name_error("perturbation", perturbation, PERTURBATIONS)

    def parts(self, layout: Layout) -> list[Part]:
        """Return all that a method is asked about on networks of this layout."""
        return [
            Part(perturbation, protocol, round_)
            for round_ in range(self.rounds)
            for protocol in self.protocols
            for perturbation in self.perturbations
            if applicable(perturbation, layout)
        ]

    def describe(self) -> str:
        """Return the name and version, for tables: ``"standard 1"``."""
        return f"{self.name} {self.version}"


_ALL = tuple(QUESTIONS)

SUITES = {
    suite.name: suite
    for suite in (
        Suite("smoke", 1, ("identification", "ordering"), ("none", "permute")),
        Suite("standard", 1, _ALL, PERTURBATIONS, measures_cost=True),
        Suite("full", 1, _ALL, PERTURBATIONS, PROTOCOLS, rounds=3, measures_cost=True),
    )
}


def find_suite(
    name: str | None = None, questions: Sequence[str] = (), perturbations: Sequence[str] = ()
) -> Suite:
    """Return a suite by name, or one of these questions and perturbations.

    Parameters
    ----------
    name
        A key of `SUITES`; None for ``"smoke"``, unless the others say what is asked.
    questions
        Instead of a suite; without any, every question is asked.
    perturbations
        Instead of a suite; without any, ``"none"``. Robustness is relative to that one.

    Raises
    ------
    UnknownIdError
        If there is no such suite, question or perturbation.
    ValueError
        If a suite is named and questions or perturbations are given, too.

    Examples
    --------
    >>> find_suite(questions=["ordering"], perturbations=["none", "int8"]).name
    'custom'
    """
    if name is None and (questions or perturbations):
        asked = tuple(dict.fromkeys(questions)) or _ALL
        return Suite("custom", 1, asked, tuple(dict.fromkeys(perturbations)) or ("none",))
    if questions or perturbations:
        raise ValueError(
            f"suite {name!r} has its own tasks and perturbations: give one or the other"
        )
    name = name or "smoke"
    if name not in SUITES:
        raise unknown_name_error("suite", name, SUITES)
    return SUITES[name]
