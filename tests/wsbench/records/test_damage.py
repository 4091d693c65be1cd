"""Records that were damaged or forged after they were written."""

import hashlib
import json
import re
from pathlib import Path

import pytest

import wsbench
from support.methods import FirstThree, loaded
from support.records import rewrite
from wsbench.storage.npz import pack, unpack


@pytest.fixture
def record(made_up_zoo):
    return wsbench.save_record(wsbench.evaluate(loaded(FirstThree()), made_up_zoo))


def refused(path, kind) -> str:
    with pytest.raises(kind) as error:
        wsbench.rescore(path)
    assert "\n" not in str(error.value)
    assert str(path.parent) in str(error.value)
    return str(error.value)


def test_load_record__refuses_a_record_of_which_one_digit_was_changed(record):
    text = record.path.read_text()
    digits = [match.start() for match in re.finditer(r"\d", text)]
    for place in digits[:: len(digits) // 25]:
        if any(text.rfind(f'"{key}"', 0, place) > text.rfind("\n }", 0, place)
               for key in ("seconds", "cost", "environment")):  # fmt: skip
            continue  # these nobody can check
        digit = str((int(text[place]) + 1) % 10)
        changed = text[:place] + digit + text[place + 1 :]
        if json.loads(changed) == json.loads(text):
            continue  # the seventeenth digit of a number that stays the same float
        record.path.write_text(changed)
        refused(record.path, (wsbench.IntegrityError, wsbench.FormatError))
    record.path.write_text(text)
    wsbench.load_record(record.path)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(seed=1),
        lambda c: c["suite"].update(version=9),
        lambda c: c["versions"].update(ordering=9),
        lambda c: c.update(error="none"),
        lambda c: c["zoo"].update(content_digest="sha256:"),
        lambda c: c["method"].update(version="2"),
        lambda c: c["answers"].update(bytes=1),
        lambda c: c["scores"].pop("ordering/none"),
    ],
)
def test_load_record__holds_every_claim_against_the_name(record, change):
    changed = rewrite(record, change)
    assert "changed since it was written" in refused(changed, wsbench.IntegrityError)


COST = {"fit_s": 1.0, "embed_s": 1.0, "order_s": 1.0, "peak_bytes": 1}


ELSEWHERE = {
    "python": "3.99", "platform": "another", "cpu": "another", "n_cpus": 1, "packages": {},
    "variables": {},
}  # fmt: skip


@pytest.mark.parametrize("change", [{"seconds": {}}, {"environment": ELSEWHERE}, {"cost": COST}])
def test_load_record__does_not_hold_time_and_machine_against_a_record(record, change):
    same = rewrite(record, lambda content: content.update(change))
    assert wsbench.rescore(same) == record.scores


def test_load_record__refuses_a_renamed_record(record):
    renamed = record.path.with_name("mine-0123456789ab.json")
    record.path.rename(renamed)
    message = refused(renamed, wsbench.IntegrityError)
    assert "changed since it was written" in message


def answers_of(record):
    return record.path.with_name(record.content.answers.file)


def test_rescore__refuses_the_answers_of_another_method(record, made_up_zoo):
    class Constant:
        def transform(self, checkpoints):
            return checkpoints.weights[:, :1]

    other = wsbench.save_record(wsbench.evaluate(loaded(Constant(), "other"), made_up_zoo))
    answers_of(record).write_bytes(answers_of(other).read_bytes())
    assert "not the answers that" in refused(record.path, wsbench.IntegrityError)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_rescore__refuses_truncated_answers(record, share):
    data = answers_of(record).read_bytes()
    answers_of(record).write_bytes(data[: int(share * len(data))])
    assert "not the answers that" in refused(record.path, wsbench.IntegrityError)


def test_rescore__refuses_missing_answers(record):
    answers_of(record).unlink()
    assert "No such file" in refused(record.path, wsbench.IntegrityError)


def with_answers(record, change) -> Path:
    """Forge answers, and a record that points to them and is named rightly."""
    answers = unpack(answers_of(record).read_bytes())
    change(answers)
    data = pack(answers)
    path = record.path.with_name("mine-forged.npz")
    path.write_bytes(data)
    pointer = {"file": path.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": 1}
    return rewrite(record, lambda content: content.update(answers=pointer), rename=True)


NEIGHBOURS = "identification/none/neighbours"


@pytest.mark.parametrize(
    "change",
    [
        lambda answers: answers.pop("identification/none/margin"),
        lambda answers: answers.update({NEIGHBOURS: answers[NEIGHBOURS][:3]}),
        lambda answers: answers.update({NEIGHBOURS: answers[NEIGHBOURS].astype(float)}),
        lambda answers: answers[NEIGHBOURS].__setitem__(slice(None), 200),
        lambda answers: answers.pop("labels/standard/gallery"),
        lambda answers: answers.update({"elsewhere/none/order": answers["ordering/none/order"]}),
    ],
)
def test_rescore__refuses_forged_answers_that_no_method_can_give(record, change):
    forged = with_answers(record, change)
    message = refused(forged, wsbench.FormatError)
    assert "mine-forged.npz: not a method's answers: " in message


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and so on", b"\x93NUMPY"])
def test_rescore__refuses_forged_answers_that_are_no_npz(record, data):
    forged = wsbench.load_record(with_answers(record, lambda answers: None))
    answers_of(forged).write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    forged = rewrite(forged, lambda content: content["answers"].update(sha256=sha256), rename=True)
    refused(forged, wsbench.FormatError)


@pytest.mark.parametrize("name", ["", ".", "..", "../../secret.npz", "/etc/passwd"])
def test_rescore__reads_no_answers_outside_the_records_folder(record, name):
    forged = rewrite(record, lambda c: c["answers"].update(file=name))
    assert f"answers.file: got {name!r}, expected" in refused(forged, wsbench.FormatError)


def test_load_record__says_that_there_is_none(tmp_path):
    with pytest.raises(wsbench.UnknownIdError, match=r"no record .*gone\.json"):
        wsbench.load_record(tmp_path / "gone.json")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"text"', "{}", '{"format": "1"}', "[" * 100_000, "\x00",
     '{"format": NaN}', '{"format": Infinity}', '{"format": 1e999}'],
)  # fmt: skip
def test_load_record__refuses_what_is_no_record(record, text):
    record.path.write_text(text)
    assert "not a record" in refused(record.path, wsbench.FormatError)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
def test_load_record__refuses_numbers_that_are_not_strict_json(record, constant):
    text = record.path.read_text()
    record.path.write_text(re.sub(r'("purity": \{[^}]*"value": )[^\n]*', rf"\g<1>{constant}", text))
    assert constant in record.path.read_text()
    assert "not a record: " in refused(record.path, wsbench.FormatError)


def test_load_record__refuses_bytes_that_are_not_text(record):
    record.path.write_bytes(b"\xff\xfe{}")
    assert "not a record" in refused(record.path, wsbench.FormatError)


@pytest.mark.parametrize("version", [0, 3, 99])
def test_load_record__refuses_another_format_by_its_number(record, version):
    rewrite(record, lambda content: content.update(format=version))
    message = refused(record.path, wsbench.FormatError)
    assert f"format {version}, and this version of wsbench reads 1 and 2" in message
