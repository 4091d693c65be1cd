"""A record that wsbench wrote in format 1: svd on three perturbations of made-up-v1, seed 4."""

import json
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

import wsbench
from wsbench.records import format_1
from wsbench.records.record import write_record

RECORD = Path(__file__).parent / "format_1" / "svd-6ca301330b38.json"


@pytest.fixture
def older(tmp_path) -> Path:
    """A copy of the record and its answers, to be changed."""
    folder = shutil.copytree(RECORD.parent, tmp_path / "records")
    return folder / RECORD.name


def change(path, edit, *, rename=True) -> Path:
    """Change the content of a record, and give it the name of its new content."""
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    if not rename:
        return path
    return path.rename(path.with_name(f"svd-{format_1.digest(content)[:12]}.json"))


def test_load_record__reads_format_1_in_the_words_of_format_2():
    record = wsbench.load_record(RECORD)
    assert record.is_upgraded
    content = record.content
    assert (content.format, content.seed, record.zoo, record.label) == (
        2,
        4,
        "made-up-v1",
        "svd k=3",
    )
    assert content.suite.tasks == ["identification", "ordering", "retrieval"]
    assert content.suite.perturbations == ["none", "int8", "permute"]
    assert content.method.parameters == {"k": 3}
    assert content.method.settings == ["k"]
    assert set(content.scores) == {
        f"{task}/{name}" for task in content.suite.tasks for name in content.suite.perturbations
    }
    assert record.command == (
        "wsbench evaluate svd --set k=3 --zoo made-up-v1"
        " --task identification --task ordering --task retrieval"
        " --perturb none --perturb int8 --perturb permute --seed 4"
    )


def test_load_record__scores_of_format_1_are_version_1_and_those_of_their_answers():
    record = wsbench.load_record(RECORD)
    assert record.content.versions == {
        "identification": 1, "ordering": 1, "retrieval": 1, "robustness": 1,
    }  # fmt: skip
    assert record.is_stale
    with pytest.raises(wsbench.FormatError, match="identification/none: expected the arrays"):
        wsbench.rescore(record)  # version 1 kept other answers


def test_load_record__robustness_beyond_the_bounds_of_format_2_is_undefined():
    """Kendall's tau without a perturbation has the mean 1e-17: every ratio to it is noise."""
    written = json.loads(RECORD.read_text())["robustness"]["ordering"]["symmetry"]
    assert written["interval"][0] < -1e30
    record = wsbench.load_record(RECORD)
    assert record.robustness["ordering"]["symmetry"] == wsbench.Score(None)
    assert record.robustness["identification"]["symmetry"].value is not None


def test_load_record__a_record_of_format_1_that_other_code_scored_is_stale(older):
    path = change(older, lambda content: content.update(evaluator="sha256:" + "0" * 64))
    record = wsbench.load_record(path)
    assert set(record.content.versions.values()) == {0}
    assert record.is_stale


def test_load_record__holds_a_record_of_format_1_to_its_name(older):
    with pytest.raises(wsbench.IntegrityError, match="changed since it was written"):
        wsbench.load_record(change(older, lambda content: content.update(seed=5), rename=False))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.pop("evaluator"), "missing or unknown: 'evaluator'"),
        (lambda c: c.update(versions={}), "missing or unknown: 'versions'"),
        (lambda c: c["suite"].pop("questions"), "suite or robustness: KeyError: 'questions'"),
        (lambda c: c["suite"].update(questions=3), "TypeError: 'int' object is not iterable"),
        (lambda c: c.update(suite=[]), "method, suite or robustness: KeyError"),
        (lambda c: c.update(method="svd"), "method, suite or robustness: TypeError"),
        (lambda c: c.update(robustness=[]), "method, suite or robustness: AttributeError"),
        (lambda c: c["robustness"].update(ordering=3), "suite or robustness: AttributeError"),
        (lambda c: c["method"].update(rank=1), "method: object contains unknown field `rank`"),
        (lambda c: c.update(seed=True), "seed: got True, expected `int`"),
        (lambda c: c["answers"].update(bytes=10**400), "answers.bytes: got 1000000"),
    ],
)  # fmt: skip
def test_load_record__names_what_is_wrong_with_a_record_of_format_1(older, edit, message):
    with pytest.raises(wsbench.FormatError) as error:
        wsbench.load_record(change(older, edit, rename=False))
    assert str(error.value).isprintable()
    assert message in str(error.value)


def test_load_record__reads_the_same_again_once_it_is_written_in_format_2(older):
    record = wsbench.load_record(older)
    written = write_record(record.content, older.parent)
    again = wsbench.load_record(written.path)
    assert not again.is_upgraded
    assert again.content == record.content
    other = write_record(replace(record.content, seed=5), older.parent)
    assert other.path != written.path
