"""Progress on stderr: a bar on a terminal, else plain lines, the later the rarer."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from wsbench.cli.output import human_bytes, human_seconds

if TYPE_CHECKING:
    from wsbench.evaluation.evaluate import EvaluationState
    from wsbench.exchange.download import DownloadState
    from wsbench.zoo.providers import BuildState

_EVERY_S = 5.0
_LONG_S = 120.0  # a run that takes longer says so


@contextmanager
def build_progress(
    zoo: str, doing: str = "building", then: str = "writing"
) -> Iterator["_BuildProgress"]:
    """Show the progress of a build, if there is one."""
    shown = _BuildProgress(f"{doing} {zoo}", then)
    try:
        yield shown
    finally:
        shown.display.stop()


@contextmanager
def download_progress(zoo: str) -> Iterator["_DownloadProgress"]:
    """Show the progress of a download, if there is one."""
    shown = _DownloadProgress(f"downloading {zoo}")
    try:
        yield shown
    finally:
        shown.display.stop()


@contextmanager
def evaluation_progress(n_methods: int) -> Iterator["_EvaluationProgress"]:
    """Show the progress of a run: all methods, all conditions, and the time left."""
    shown = _EvaluationProgress(n_methods)
    try:
        yield shown
    finally:
        shown.display.stop()


class _BuildProgress:
    """Models, speed and time left, by what this run has trained.

    A build reports the last model twice: when it is trained, and when the zoo is written.
    """

    def __init__(self, doing: str, then: str) -> None:
        self.display = _display()(doing, "models")
        self._then = then
        self._start = time.monotonic()
        self._trained = ""

    @property
    def is_used(self) -> bool:
        """Whether there was anything to report."""
        return self.display.is_started

    def __call__(self, state: "BuildState") -> None:
        resumed = f", {state.n_resumed} done before" if state.n_resumed else ""
        self.display.show(state.n_done, state.n_models, resumed, self._pace(state))

    def _pace(self, state: "BuildState") -> str:
        seconds = time.monotonic() - self._start
        if self._trained:
            return f"{self._trained}, done in {human_seconds(seconds)}"
        n_trained = state.n_done - state.n_resumed
        speed = f"{n_trained * state.steps_per_model / max(seconds, 1e-9):,.0f} steps/s"
        if state.n_done == state.n_models:
            self._trained = speed if n_trained else "nothing to train"
            return f"{self._trained}, {self._then}"
        if not n_trained:
            self._start = time.monotonic()  # workers have only now begun
            return "starting"
        left = seconds / n_trained * (state.n_models - state.n_done)
        return f"{speed}, {human_seconds(left)} left"


class _DownloadProgress:
    """Megabytes, speed and time left, by what this run has received."""

    def __init__(self, doing: str) -> None:
        self.display = _display()(doing, "MB")
        self._start = time.monotonic()
        self._n_before: int | None = None

    def __call__(self, state: "DownloadState") -> None:
        if self._n_before is None:
            self._n_before = state.n_done
        speed = (state.n_done - self._n_before) / max(time.monotonic() - self._start, 1e-9)
        pace = f"{human_bytes(int(speed))}/s"
        if speed and state.n_done < state.n_bytes:
            pace += f", {human_seconds((state.n_bytes - state.n_done) / speed)} left"
        megabytes = [round(n / 1e6) for n in (state.n_done, state.n_bytes)]
        self.display.show(megabytes[0], megabytes[1], "", pace)


class _EvaluationProgress:
    """Conditions of all methods, and the time left.

    A condition of the method at work takes as long as its conditions before, and one of a method to
    come as long as the mean of the methods measured so far. A method's time ends where the next one
    begins: what is measured after its conditions counts as well.
    """

    def __init__(self, n_methods: int) -> None:
        self.display = _display()("evaluating", "conditions")
        self._n_methods = n_methods
        self._n_begun = 0
        self._n_before = 0  # conditions of earlier methods
        self._n_resumed = 0
        self._paces: dict[int, float] = {}  # seconds for a condition of each method measured
        self._announced_s = 0.0

    def method(self, label: str) -> "Callable[[EvaluationState], None]":
        """Return what the evaluation of the next method reports to."""
        self._n_begun += 1
        number, start = self._n_begun, time.monotonic()
        resumed_before, n_before = self._n_resumed, self._n_before

        def report(state: "EvaluationState") -> None:
            self._n_resumed = resumed_before + state.n_resumed
            self._n_before = n_before + state.n_conditions
            if n_computed := state.n_done - state.n_resumed:
                self._paces[number] = (time.monotonic() - start) / n_computed
            n_to_come = state.n_conditions * (self._n_methods - number)
            n_done = n_before + state.n_done
            resumed = f", {self._n_resumed} done before" if self._n_resumed else ""
            pace = f"{label} ({number} of {self._n_methods})"
            if self._paces and (n_left := state.n_conditions - state.n_done) + n_to_come:
                usual = sum(self._paces.values()) / len(self._paces)
                left_s = n_left * self._paces.get(number, usual) + n_to_come * usual
                self._announce(left_s)
                pace += f", {human_seconds(left_s)} left"
            self.display.show(n_done, self._n_before + n_to_come, resumed, pace)

        return report

    def _announce(self, left_s: float) -> None:
        """Say once how long a long run takes, and again if it turns out to take twice as long."""
        if left_s < max(_LONG_S, 2 * self._announced_s):
            return
        self._announced_s = left_s
        measured = f"{len(self._paces)} of {self._n_methods} evaluations"
        if self._n_methods == 1:
            measured = "its first condition"
        self.display.say(
            f"{_about(left_s)} more, going by {measured};"
            " Ctrl-C stops, and the same command resumes"
        )


def _about(seconds: float) -> str:
    minutes = seconds / 60
    return f"about {minutes:.0f} min" if minutes < 90 else f"about {minutes / 60:.1f} h"


def _display() -> "type[_Bar | _Lines]":
    return _Bar if sys.stderr.isatty() else _Lines


class _Bar:
    """A bar, from the first report on."""

    def __init__(self, doing: str, unit: str) -> None:
        self._doing = doing
        self._unit = unit
        self._bar: Any = None

    @property
    def is_started(self) -> bool:
        return self._bar is not None

    def show(self, n_done: int, n_all: int, resumed: str, pace: str) -> None:
        if self._bar is None:
            self._bar = _started_bar(self._unit)
            self._bar.add_task(self._doing, total=n_all, resumed=resumed, pace=pace)
        self._bar.update(
            self._bar.task_ids[0], total=n_all, completed=n_done, resumed=resumed, pace=pace
        )

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._bar.console.print(line, highlight=False)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _started_bar(unit: str) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.table import Column

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20 if console.width >= 100 else 8),
        MofNCompleteColumn(),
        TextColumn(
            unit + "{task.fields[resumed]}, {task.fields[pace]}",
            table_column=Column(overflow="fold"),  # onto a second line: nothing is cut
        ),
        console=console,
    )
    bar.start()
    return bar


class _Lines:
    """Plain lines: the first report and the last, and some between.

    The next comes after five seconds, or a tenth of the time so far if that is more: an hour has
    about fifty.
    """

    def __init__(self, doing: str, unit: str) -> None:
        self._doing = doing
        self._unit = unit
        self._first = self._last = -math.inf

    @property
    def is_started(self) -> bool:
        return self._first > -math.inf

    def show(self, n_done: int, n_all: int, resumed: str, pace: str) -> None:
        now = time.monotonic()
        wait_s = max(_EVERY_S, 0.1 * (now - self._first))
        if not self.is_started:
            self._first = now
            line = f"{self._doing}: {n_all} {self._unit}{resumed}"
        elif now - self._last >= wait_s or n_done == n_all:
            line = f"{self._doing}: {n_done}/{n_all} {self._unit}, {pace}"
        else:
            return
        self._last = now
        sys.stderr.write(line + "\n")

    def say(self, line: str) -> None:
        """Print a line."""
        sys.stderr.write(f"{self._doing}: {line}\n")

    def stop(self) -> None:
        """Do nothing: every line is complete when it is written."""
