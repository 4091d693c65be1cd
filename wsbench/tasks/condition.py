"""Conditions of tasks: a perturbation, a protocol and a repeat."""

from dataclasses import dataclass

PROTOCOLS = ("standard", "all")


@dataclass(frozen=True)
class Condition:
    """One condition of a suite. A task under a condition is an entry.

    Attributes
    ----------
    perturbation
        The change made to the weights first.
    protocol
        ``"standard"``: fit on train models, ask about test models. ``"all"``: fit on all models and
        ask about all, as the literature does.
    repeat
        Added to the seed of the evaluation.
    """

    perturbation: str
    protocol: str = "standard"
    repeat: int = 0

    @property
    def name(self) -> str:
        """``"permute"``; with protocol and repeat where these are not the usual ones.

        Examples
        --------
        >>> Condition("permute").name, Condition("permute", "all", 2).name
        ('permute', 'permute/all/2')
        """
        is_usual = self.protocol == "standard" and not self.repeat
        more = () if is_usual else (self.protocol,)
        return "/".join((self.perturbation, *more, *((str(self.repeat),) * bool(self.repeat))))

    def entry(self, task: str) -> str:
        """Return the name of a task under this condition: ``"identification/permute"``."""
        return f"{task}/{self.name}"


def parse_entry(name: str) -> tuple[str, Condition]:
    """Return the task and the condition that an entry's name stands for.

    Raises
    ------
    ValueError
        If it is not the name of an entry.

    Examples
    --------
    >>> parse_entry("ordering/int8/all/1")
    ('ordering', Condition(perturbation='int8', protocol='all', repeat=1))
    """
    task, *rest = name.split("/")
    try:
        perturbation, protocol, repeat = [*rest, *("standard", "0")[len(rest) - 1 :]]
        condition = Condition(perturbation, protocol, int(repeat))
    except ValueError:
        condition = None
    if condition is None or protocol not in PROTOCOLS or condition.entry(task) != name:
        raise ValueError(f"got {name!r:.60}, expected an entry such as identification/permute")
    return task, condition
