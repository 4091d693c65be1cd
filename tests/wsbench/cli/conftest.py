"""The command line on a terminal of its own."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable

import pytest

from support.command_line import COMMAND, Result


@pytest.fixture
def on_terminal() -> Callable[..., Result]:
    """Run ``wsbench`` in a process whose stdout and stderr are a terminal of 80 columns."""

    def call(*arguments: object, columns: int = 80) -> Result:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=theirs,
            stderr=theirs, env=environment | {"TERM": "xterm"},
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
            if not part:
                break
            shown += part
        os.close(ours)
        text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).replace("\r\n", "\n")
        return Result(process.wait(), text, "")

    return call
