"""Folders of records: of made-up zoos, of a published one, and what a cheat makes of them."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

import wsbench
from support.zoos import write_made_up_zoo
from wsbench.evaluation.suite import SUITES
from wsbench.records import format_1
from wsbench.records import record as records
from wsbench.storage.npz import pack, unpack

SUITE = dataclasses.replace(
    SUITES["smoke"],
    name="custom",
    tasks=tuple(SUITES["standard"].tasks),
)


@pytest.fixture(scope="session")
def five_evaluations(tmp_path_factory) -> list[wsbench.Evaluation]:
    """Three methods on one zoo, one of these on another, and a method that fails."""
    folder = tmp_path_factory.mktemp("five")
    (folder / "bad.py").write_text("class Bad:\n    def transform(self, c): return None\n")
    zoo = wsbench.load_zoo(write_made_up_zoo(folder / "zoo", models=30))
    other = wsbench.load_zoo(write_made_up_zoo(folder / "other", id="other-v1", recipe=""))
    return [
        wsbench.evaluate(spec, zoo, suite=SUITE)
        for spec, zoo in [
            ("random", zoo), ("euclidean", zoo), ("svd", zoo), ("euclidean", other),
            (f"{folder}/bad.py:Bad", zoo),
        ]
    ]  # fmt: skip


@pytest.fixture
def folder(five_evaluations, tmp_path) -> Path:
    """The records of five evaluations; a test may change them."""
    for evaluation in five_evaluations:
        wsbench.save_record(evaluation, tmp_path / "records")
    return tmp_path / "records"


@pytest.fixture
def published(publisher, made_up_zoo) -> wsbench.Zoo:
    """A published zoo of 10 models, epochs 0 to 4."""
    publisher.recipe = made_up_zoo.recipe_text + '[architecture]\nactivation = "sigmoid"\n'
    publisher.publish(made_up_zoo.content_digest, embedded=False)
    return made_up_zoo


@pytest.fixture(scope="session")
def two_evaluations(tmp_path_factory) -> list[wsbench.Evaluation]:
    """Two methods on a zoo like the published one."""
    zoo = wsbench.load_zoo(write_made_up_zoo(tmp_path_factory.mktemp("two") / "zoo"))
    return [wsbench.evaluate(spec, zoo, suite=SUITES["smoke"]) for spec in ("euclidean", "random")]


@pytest.fixture
def board(published, two_evaluations, tmp_path) -> Path:
    """A leaderboard's records, all as they should be: two methods on the published zoo."""
    folder = tmp_path / "clone" / "leaderboard" / "records"
    for evaluation in two_evaluations:
        assert evaluation.zoo_digest == published.content_digest
        wsbench.save_record(evaluation, folder)
    return folder


@pytest.fixture
def victim(board) -> Path:
    """The record on the board that a test changes."""
    return next(board.glob("*/random-*.json"))


@pytest.fixture(scope="session")
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
def as_format_1() -> Callable[..., Path]:
    """Put a record of format 1 in the place of one of format 2, as an earlier wsbench wrote it."""

    def downgrade(path: Path, edit=lambda content: None) -> Path:
        content = json.loads(path.read_text())
        path.unlink()
        settings = content["method"].pop("settings")
        content["method"]["parameters"] = {
            name: content["method"]["parameters"][name] for name in settings
        }
        suite = content["suite"]
        suite["questions"], suite["transforms"] = suite.pop("tasks"), suite.pop("perturbations")
        for part, key in ((suite, "tracks"), (suite, "overall"), (content, "tracks")):
            part.pop(key, None)
        content.pop("is_transductive", None)
        content["tasks"], content["evaluator"] = content.pop("scores"), format_1._VERSION_1
        del content["versions"]
        content["format"] = 1
        edit(content)
        method, digest = path.stem.rpartition("-")[0], format_1.digest(content)
        older = path.with_name(f"{method}-{digest[:12]}.json")
        older.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
        return older

    return downgrade


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


class Parsed(HTMLParser):
    """Elements of a page with their attributes, and the text in them."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), attrs
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def parse() -> Callable[[bytes], Parsed]:
    """Parse a page."""
    return Parsed
