"""Printing: JSON and tables on stdout, progress on stderr."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from wsbench.zoo.providers import BuildState

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def print_json(value: Any) -> None:
    """Print a value as strict JSON on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def print_line(text: str = "") -> None:
    """Print a line on stdout."""
    sys.stdout.write(text + "\n")


def human_bytes(n: int) -> str:
    """Return a size for people: 18.4 MB."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= size:
            return f"{n / size:.1f} {unit}"
    return f"{n} B"


def human_seconds(seconds: float) -> str:
    """Return a duration for people: 45 s, 3 min 05 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


@contextmanager
def build_progress(
    zoo: str, doing: str = "building", then: str = "writing"
) -> "Iterator[_Bar | _Lines]":
    """Show how far a build is, if there is one: a bar on a terminal, else lines, on stderr."""
    show = _Bar if sys.stderr.isatty() else _Lines
    shown = show(f"{doing} {zoo}", _Pace(then))
    try:
        yield shown
    finally:
        shown.stop()


class _Pace:
    """Speed and time left, by what this run has trained: what it took over cost it no time.

    A build reports the last model twice, when it is trained and when the zoo is written.
    """

    def __init__(self, then: str) -> None:
        self._then = then
        self._start = time.monotonic()
        self._trained = ""

    def describe(self, state: BuildState) -> str:
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


def _resumed(state: BuildState) -> str:
    return f", {state.n_resumed} done before" if state.n_resumed else ""


class _Bar:
    """A bar with models done, steps a second and time left, from the first report on."""

    def __init__(self, task: str, pace: _Pace) -> None:
        self._task = task
        self._pace = pace
        self._bar: Any = None

    @property
    def is_used(self) -> bool:
        """Whether there was anything to report."""
        return self._bar is not None

    def __call__(self, state: BuildState) -> None:
        if self._bar is None:
            self._bar = _started_bar()
            self._bar.add_task(self._task, resumed=_resumed(state), pace="")
        self._bar.update(
            self._bar.task_ids[0],
            total=state.n_models,
            completed=state.n_done,
            pace=self._pace.describe(state),
        )

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _started_bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("models{task.fields[resumed]}, {task.fields[pace]}"),
        console=Console(stderr=True),
    )
    bar.start()
    return bar


class _Lines:
    """Plain progress: the first and last report, and one every five seconds between."""

    def __init__(self, task: str, pace: _Pace) -> None:
        self._task = task
        self._pace = pace
        self._last: float | None = None

    @property
    def is_used(self) -> bool:
        """Whether there was anything to report."""
        return self._last is not None

    def __call__(self, state: BuildState) -> None:
        pace = self._pace.describe(state)
        now = time.monotonic()
        if self._last is None:
            line = f"{self._task}: {state.n_models} models{_resumed(state)}"
        elif now - self._last >= 5.0 or state.n_done == state.n_models:
            line = f"{self._task}: {state.n_done}/{state.n_models} models, {pace}"
        else:
            return
        self._last = now
        sys.stderr.write(line + "\n")

    def stop(self) -> None:
        pass  # every line is complete when it is written
