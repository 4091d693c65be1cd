"""The command line: how to start it, and what a call leaves."""

import sys
from typing import NamedTuple

COMMAND = [sys.executable, "-c", "from wsbench.cli import main; main()"]


class Result(NamedTuple):
    """The exit status, standard output and standard error of one call."""

    status: int
    out: str
    err: str

    def complaint(self) -> str:
        """Return the one line that wrong input gets."""
        assert self.status == 2
        assert self.out == ""
        assert self.err.startswith("wsbench: ")
        assert self.err.endswith("\n")
        assert self.err.count("\n") == 1, self.err
        return self.err.removeprefix("wsbench: ").rstrip("\n")
