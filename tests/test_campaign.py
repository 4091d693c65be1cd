"""The campaign of faults, with counts of a minute."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_campaign__nothing_crashes_and_nothing_is_wrong_in_silence():
    command = [
        sys.executable, "-m", "tests.campaign",
        "--kills", "2", "--damages", "60", "--plugins", "3", "--entry-points", "2",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {line.split("  ")[0]: re.findall(r"\d+", line) for line in done.stdout.splitlines()}
    assert {"zoo.h5", "record", "killed build", "hostile method"} <= set(counts)
    assert counts["in all"][-2:] == ["0", "0"]


def test_campaign__counts_a_crash_and_fails(capsys):
    from tests.campaign.outcomes import CRASH, RIGHT, Table

    table = Table()
    table.add("file", RIGHT)
    assert table.is_clean
    table.add("file", CRASH, "detail")
    assert not table.is_clean
    assert str(table).splitlines()[1].split() == ["file", "2", "1", "0", "0", "1", "0"]
    assert capsys.readouterr().err == "crash: file: detail\n"
