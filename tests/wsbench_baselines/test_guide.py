"""The guide in baselines/README.md, followed to the letter."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "baselines" / "README.md").read_text()
FILE = re.compile(r"```\w+\n# (?P<name>\S+)\n(?P<text>.*?)```", re.DOTALL)
STEP = re.compile(r"(?P<file>```.*?```)|^    (?P<command>\S[^\n]*)$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def follow(tmp_path):
    """Write a file, or run a command in a shell, as a reader of the guide does.

    They work in a clone, in an environment with wsbench. `pip install` goes to a folder beside it,
    which every later step can import from, and takes nothing from the network.
    """
    site, place = tmp_path / "site", tmp_path / "clone"
    site.mkdir()
    place.mkdir()
    (place / "baselines").symlink_to(ROOT / "baselines")
    (place / "leaderboard").mkdir()
    package = Path("leaderboard", "wsbench_leaderboard")
    (place / package).symlink_to(ROOT / package)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(site),
        "PIP_TARGET": str(site),
        "PIP_NO_BUILD_ISOLATION": "false",  # which is pip's word for yes
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }

    def step(found: re.Match[str]) -> tuple[str, str]:
        if found["file"]:
            file = FILE.fullmatch(found["file"])
            assert file, "a file in the guide begins with its name"
            (place / file["name"]).write_text(file["text"])
            return file["name"], ""
        done = subprocess.run(
            ["bash", "-ec", found["command"]], cwd=place, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{found['command']}\n{done.stdout}{done.stderr}"
        return found["command"], done.stdout

    return step


@pytest.mark.slow
def test_guide__works_step_by_step(follow):
    done = dict(map(follow, STEP.finditer(GUIDE)))
    assert [name for name, printed in done.items() if not printed] == [
        "cp baselines/wsbench_baselines/euclidean.py my_method.py",
        "my_method.py",
        "pyproject.toml",
        "test_my_method.py",
    ]
    assert (
        "passed   invariant under hidden-permutation"
        in done["wsbench check my_method.py:SortedUnits"]
    )
    assert (
        "sorted-units power=1 " in done["wsbench evaluate my_method.py:SortedUnits --set power=1"]
    )
    assert "is better" in done["wsbench compare sorted-units euclidean"]
    assert "git commit" in done["wsbench submit sorted-units"]
    assert "13 passed" in done["pytest test_my_method.py"]
