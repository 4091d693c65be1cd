"""Folders of records: of made-up zoos, of a published one, and what a cheat makes of them."""

import hashlib
import json
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import wsbench
from wsbench.evaluation.suites import SUITES
from wsbench.records import record as records
from wsbench.storage.npz import pack, unpack

SUITE = wsbench.find_suite(None, ["identification", "ordering", "retrieval"], ["none", "permute"])


@pytest.fixture
def folder(make_zoo, tmp_path) -> Path:
    """Three methods' records on one zoo, one of these on another, and one of a failure."""
    (tmp_path / "bad.py").write_text("class Bad:\n    def transform(self, c): return None\n")
    zoos = [
        wsbench.load_zoo(make_zoo(models=30)),
        wsbench.load_zoo(make_zoo(id="other-v1", recipe="")),
    ]
    for spec, zoo in [
        ("random", zoos[0]), ("euclidean", zoos[0]), ("svd", zoos[0]), ("euclidean", zoos[1]),
        (f"{tmp_path}/bad.py:Bad", zoos[0]),
    ]:  # fmt: skip
        evaluation = wsbench.evaluate(spec, zoo, suite=SUITE)
        wsbench.save_record(evaluation, tmp_path / "records")
    return tmp_path / "records"


class Publisher:
    """A zoo provider that publishes zoos of which it has only the recipe."""

    def __init__(self) -> None:
        self.published: dict[str, wsbench.PublishedZoo] = {}
        self.recipe = ""

    def zoos(self) -> dict[str, wsbench.PublishedZoo]:
        return self.published

    def recipe_text(self, zoo_id: str) -> str:
        return self.recipe

    def recipe_id(self, text: str, file: str) -> str:
        raise wsbench.RecipeError("nothing is built here")


@pytest.fixture
def publisher(tmp_path, monkeypatch) -> Publisher:
    """A publisher that is installed as any package can install one, by its entry point."""
    found = Publisher()
    module = types.ModuleType("made_up_publisher")
    module.PROVIDER = found
    monkeypatch.setitem(sys.modules, "made_up_publisher", module)
    metadata = tmp_path / "site" / "made_up-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[wsbench.zoos]\nmade-up = made_up_publisher:PROVIDER\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    return found


@pytest.fixture
def published(publisher, make_zoo) -> wsbench.Zoo:
    """A published zoo of 10 models, epochs 0 to 4."""
    zoo = wsbench.load_zoo(make_zoo())
    publisher.recipe = zoo.recipe_text + '[architecture]\nactivation = "sigmoid"\n'
    publisher.published[zoo.id] = wsbench.PublishedZoo(
        zoo.id, "random walks", 10, 50, 12, 20_000, zoo.content_digest, embedded=False
    )
    return zoo


@pytest.fixture
def board(published, tmp_path) -> Path:
    """A leaderboard's records, all as they should be: two methods on the published zoo."""
    for spec in ("euclidean", "random"):
        evaluation = wsbench.evaluate(spec, published, suite=SUITES["smoke"])
        wsbench.save_record(evaluation, tmp_path / "clone" / "leaderboard" / "records")
    return tmp_path / "clone" / "leaderboard" / "records"


@pytest.fixture
def victim(board) -> Path:
    """The record on the board that a test changes."""
    return next(board.glob("*/random-*.json"))


@pytest.fixture
def rewrite() -> Callable[..., Path]:
    """Change a record, and give it the name of its new content, as one who knows how could."""

    def change(path: Path, edit, *, keep: bool = False) -> Path:
        content = json.loads(path.read_text())
        edit(content)
        if not keep:
            path.unlink()
        method = path.stem.rpartition("-")[0]
        renamed = path.with_name(f"{method}-{records._digest(content)[:12]}.json")
        renamed.write_text(json.dumps(content))
        return renamed

    return change


@pytest.fixture
def with_answers(rewrite) -> Callable[..., Path]:
    """Put other bytes in the place of a record's answers, and name everything rightly."""

    def forge(path: Path, data: bytes) -> Path:
        pointer = json.loads(path.read_text())["answers"]
        path.with_name(pointer["file"]).unlink()
        sha256 = hashlib.sha256(data).hexdigest()
        file = f"{path.stem.rpartition('-')[0]}-{sha256[:12]}.npz"
        path.with_name(file).write_bytes(data)
        answers = {"file": file, "sha256": sha256, "bytes": len(data)}
        return rewrite(path, lambda content: content.update(answers=answers))

    return forge


@pytest.fixture
def forge(with_answers) -> Callable[..., Path]:
    """Change the arrays of a record's answers, and name everything rightly."""

    def change(path: Path, edit) -> Path:
        arrays = unpack(
            path.with_name(json.loads(path.read_text())["answers"]["file"]).read_bytes()
        )
        edit(arrays)
        return with_answers(path, pack(arrays))

    return change


@pytest.fixture
def run(capsys, monkeypatch) -> Callable[..., tuple[int, str, str]]:
    """Run ``wsbench`` with these arguments; return status, stdout and stderr."""
    from wsbench.cli import main

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["wsbench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    return call
