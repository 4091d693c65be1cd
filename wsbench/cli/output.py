"""Printing: JSON and tables on stdout, progress on stderr."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from wsbench.providers import BuildState

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


@contextmanager
def build_progress(zoo: str) -> Iterator[Callable[[BuildState], None]]:
    """Show how far a build is, if there is one: a bar on a terminal, else lines, on stderr."""
    shown = _Bar(zoo) if sys.stderr.isatty() else _Lines(zoo)
    try:
        yield shown
    finally:
        shown.stop()


def _speed(state: BuildState, seconds: float) -> str:
    trained = state.n_done - state.n_resumed
    return f"{trained * state.steps_per_model / max(seconds, 1e-9):,.0f} steps/s"


class _Bar:
    """A bar with models done, steps a second and time left, from the first report on."""

    def __init__(self, zoo: str) -> None:
        self._zoo = zoo
        self._bar: Any = None
        self._start = time.monotonic()

    def __call__(self, state: BuildState) -> None:
        if self._bar is None:
            self._bar = _started_bar()
            resumed = f" ({state.n_resumed} done before)" if state.n_resumed else ""
            self._bar.add_task(self._zoo + resumed, total=state.n_models, speed="")
        speed = _speed(state, time.monotonic() - self._start)
        self._bar.update(self._bar.task_ids[0], completed=state.n_done, speed=speed)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


def _started_bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("building {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("models, {task.fields[speed]},"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
    )
    bar.start()
    return bar


class _Lines:
    """Plain progress: the first and last report, and one every five seconds between."""

    def __init__(self, zoo: str) -> None:
        self._zoo = zoo
        self._start = time.monotonic()
        self._last = -5.0

    def __call__(self, state: BuildState) -> None:
        seconds = time.monotonic() - self._start
        if seconds - self._last < 5.0 and state.n_done < state.n_models:
            return
        self._last = seconds
        if state.n_done == state.n_resumed:
            resumed = f", {state.n_resumed} done before" if state.n_resumed else ""
            line = f"building {self._zoo}: {state.n_models} models{resumed}"
        else:
            trained = state.n_done - state.n_resumed
            left = seconds / trained * (state.n_models - state.n_done)
            line = (
                f"building {self._zoo}: {state.n_done}/{state.n_models} models,"
                f" {_speed(state, seconds)}, {left:.0f} s left"
            )
        sys.stderr.write(line + "\n")

    def stop(self) -> None:
        pass  # every line is complete when it is written
