"""How far an evaluation is, on stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wsbench.evaluation.evaluate import EvaluationState

_EVERY_S = 5.0


@contextmanager
def evaluation_progress(method: str) -> Iterator[Callable[[EvaluationState], None]]:
    """Show how far an evaluation is: a line every five seconds, on a terminal always the same."""
    on_terminal = sys.stderr.isatty()
    last = time.monotonic()

    def report(state: EvaluationState) -> None:
        nonlocal last
        now = time.monotonic()
        resumed = f", {state.n_resumed} done before" if state.n_resumed else ""
        line = f"{method}: {state.n_done}/{state.n_parts} perturbations{resumed}"
        if on_terminal:
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()
        elif now - last >= _EVERY_S or (resumed and state.n_done == 0):
            last = now
            sys.stderr.write(line + "\n")

    try:
        yield report
    finally:
        if on_terminal:
            sys.stderr.write("\r\x1b[K")
