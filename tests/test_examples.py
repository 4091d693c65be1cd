"""Examples in docstrings: each ``>>>`` of the four packages gives what it shows."""

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import wsbench

ROOT = Path(wsbench.__file__).parents[1]
FOLDERS = [ROOT, ROOT / "zoos", ROOT / "baselines", ROOT / "leaderboard"]
SKIPPED = {"wsbench.papers.weight_space_investigation": "building MNIST's zoo takes minutes"}
FILES = {
    ".".join(file.relative_to(folder).with_suffix("").parts): file
    for folder in FOLDERS
    for file in sorted(folder.glob("wsbench*/**/*.py"))
    if ">>> " in file.read_text()
}


@pytest.fixture
def home_with_digits(digits_zoo_folder, tmp_path, monkeypatch) -> None:
    """Start each module in a home of its own, where digits-mlp-v1 is built already."""
    (tmp_path / "zoos").mkdir()
    (tmp_path / "zoos" / "digits-mlp-v1").symlink_to(digits_zoo_folder)
    monkeypatch.setenv("WSBENCH_HOME", str(tmp_path))


@pytest.mark.usefixtures("home_with_digits")
@pytest.mark.parametrize("name", FILES)
def test_examples__give_what_they_show(name):
    result = doctest.testmod(
        importlib.import_module(name), extraglobs={"np": np, "wsbench": wsbench}
    )
    assert result.failed == 0  # doctest prints the difference
    shown = len(re.findall(r"^ +>>> ", FILES[name].read_text(), re.MULTILINE))
    assert (result.attempted == shown) == (name not in SKIPPED)


def test_examples__are_in_every_package():
    assert {name.partition(".")[0] for name in FILES} == {
        "wsbench", "wsbench_baselines", "wsbench_leaderboard",
    }  # fmt: skip
    assert set(SKIPPED) <= set(FILES)
