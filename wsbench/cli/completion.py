"""Completion of names in a shell: methods, zoos, suites, tasks and perturbations."""

from collections.abc import Callable, Iterable

import wsbench
from wsbench.cli.listing import own_zoos


def _starting(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return a function of what is typed so far that gives the names that begin with it."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


complete_method = _starting(lambda: wsbench.list_methods())
complete_zoo = _starting(lambda: [*wsbench.published_zoos(), *own_zoos()])
complete_suite = _starting(lambda: wsbench.SUITES)
complete_task = _starting(lambda: wsbench.TASKS)
complete_perturbation = _starting(lambda: wsbench.PERTURBATIONS)
