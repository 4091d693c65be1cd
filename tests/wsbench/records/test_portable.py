"""A record says nothing about the folders of whoever made it."""

import os
from pathlib import Path

import pytest

import wsbench
from wsbench.records.portable import portable_spec, portable_traceback

METHODS = """
from pathlib import Path
import numpy as np

class Raises:
    def transform(self, checkpoints):
        return self._read(Path(__file__).with_name("data.npy"))

    def _read(self, file):
        return np.load(file)

class Shape:
    def transform(self, checkpoints):
        return checkpoints.weights[0]

class Works:
    def transform(self, checkpoints):
        return checkpoints.weights[:, :2]

class Prints(Raises):
    def transform(self, checkpoints):
        print("reading", __file__)
        return super().transform(checkpoints)

class Imports:
    def __init__(self):
        raise OSError(f"no licence in {__file__}")
"""


@pytest.fixture
def record_text(made_up_zoo, tmp_path):
    (tmp_path / "deep" / "methods").mkdir(parents=True)
    file = tmp_path / "deep" / "methods" / "mine.py"
    file.write_text(METHODS)

    def text(name):
        result = wsbench.evaluate(f"{file}:{name}", made_up_zoo)
        return wsbench.save_record(result).path.read_text()

    return text


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Raises", "FileNotFoundError"),
        ("Shape", "transform returned shape (12,)"),
        ("Prints", "FileNotFoundError"),
        ("Works", ""),
        ("Imports", "no licence in"),
    ],
)
def test_save_record__of_a_method_from_an_absolute_path_names_no_folder(record_text, name, reason):
    text = record_text(name)
    assert reason in text
    assert f'"spec": "mine.py:{name}"' in text
    for folder in (os.sep + "tmp", "pytest-", str(Path(wsbench.__file__).parents[1]), "deep"):
        assert folder not in text
    assert str(Path.home()) + os.sep not in text


def test_save_record__keeps_the_lines_of_the_method_and_of_wsbench(record_text):
    text = record_text("Raises")
    assert r"File \"mine.py\", line 10, in _read" in text
    assert r"File \"wsbench/methods/" in text
    assert r"File \"numpy/" in text


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        ("svd", "svd"),
        ("package.module:Name", "package.module:Name"),
        ("mine.py:Mine", "mine.py:Mine"),
        ("methods/mine.py:Mine", "methods/mine.py:Mine"),
        ("/home/ada/mine.py:Mine", "mine.py:Mine"),
        ("../ada/mine.py:Mine", "mine.py:Mine"),
        ("~/mine.py:Mine", "mine.py:Mine"),
    ],
)
def test_portable_spec__keeps_relative_paths_only(spec, kept):
    assert portable_spec(spec) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("no file '/home/ada/x y.npy'", "no file '…/x y.npy'"),
        ('open("/data/secret/w.npz")', 'open("…/w.npz")'),
        ("no file /data/w.npz.", "no file …/w.npz."),
        ("at C:\\Users\\ada\\w.npz", "at …/w.npz"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("a/b/c, 1 / 2, n//m, and/or", "a/b/c, 1 / 2, n//m, and/or"),
        ("methods/mine.py", "methods/mine.py"),
        ('File "/usr/lib/python3/site-packages/numpy/a.py"', 'File "numpy/a.py"'),
    ],
)
def test_portable_traceback__shortens_absolute_paths_and_nothing_else(text, kept):
    assert portable_traceback(text) == kept
