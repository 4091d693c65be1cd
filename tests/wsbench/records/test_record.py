import json
import os
import re
import stat

import numpy as np
import pytest

import wsbench
from support.methods import Failing, FirstThree, loaded
from wsbench.records import record as records
from wsbench.storage.npz import pack, unpack


def evaluated(zoo, method, seed=0, **info):
    return wsbench.evaluate(loaded(method, **info), zoo, seed=seed)


@pytest.fixture
def evaluation(made_up_zoo):
    return evaluated(made_up_zoo, FirstThree())


@pytest.fixture
def record(evaluation):
    return wsbench.save_record(evaluation)


def rewrite(record, change, *, rename=False) -> wsbench.Record:
    """Change a record's JSON; with `rename`, give it the name of its new content, as a cheat."""
    content = json.loads(record.path.read_text())
    change(content)
    path = record.path
    if rename:
        path = path.with_name(f"mine-{records._digest(content)[:12]}.json")
    path.write_text(json.dumps(content))
    return wsbench.Record(path, content)


# --- writing -------------------------------------------------------------------------------------


def test_save_record__writes_json_and_answers_named_after_their_content(record):
    assert record.path.parent == wsbench.home() / "records" / "made-up-v1"
    names = sorted(path.name for path in record.path.parent.iterdir())
    assert len(names) == 2
    assert all(re.fullmatch(r"mine-[0-9a-f]{12}\.(json|npz)", name) for name in names)
    assert (record.method, record.zoo) == ("mine", "made-up-v1")


def test_save_record__survives_the_disk(evaluation, record):
    loaded = wsbench.load_record(record.path)
    assert loaded.content == record.content
    assert loaded.scores == record.scores == evaluation.scores
    answers, truths = records.load_answers(loaded)
    assert set(answers) == set(evaluation.answers)
    for task, arrays in evaluation.answers.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(answers[task][name], array, strict=True)
    expected = evaluation.truths["standard"]
    for name in ("model", "epoch", "gallery"):
        np.testing.assert_array_equal(getattr(truths["standard"], name), getattr(expected, name))


def test_save_record__is_strict_json_of_the_documented_keys(evaluation, record, made_up_zoo):
    def refuse(constant):
        raise AssertionError(constant)

    content = json.loads(record.path.read_text(), parse_constant=refuse)
    assert set(content) == {
        "format", "method", "zoo", "suite", "seed", "evaluator", "tasks", "robustness", "accuracy",
        "error", "seconds", "cost", "environment", "answers",
    }  # fmt: skip
    assert content["zoo"] == {
        "id": "made-up-v1", "content_digest": made_up_zoo.content_digest,
    }  # fmt: skip
    assert content["evaluator"] == wsbench.evaluator_digest()
    assert set(content["environment"]["packages"]) >= {"wsbench", "numpy", "numba", "torch"}
    assert set(content["tasks"]) == {
        "identification/none", "identification/permute", "ordering/none", "ordering/permute",
    }  # fmt: skip
    assert content["suite"] == {
        "name": "smoke", "version": 1, "questions": ["identification", "ordering"],
        "transforms": ["none", "permute"],
    }  # fmt: skip
    assert set(content["robustness"]["ordering"]) == {"compression", "symmetry"}
    assert content["tasks"]["identification/none"]["map_at_r"]["interval"] is not None


def test_save_record__the_same_evaluation_again_has_the_same_name(made_up_zoo):
    folder = wsbench.home() / "records" / "made-up-v1"
    for _ in range(2):
        wsbench.save_record(evaluated(made_up_zoo, FirstThree()))
    assert len(list(folder.iterdir())) == 2
    wsbench.save_record(evaluated(made_up_zoo, FirstThree(), seed=1))
    wsbench.save_record(evaluated(made_up_zoo, FirstThree(), version="2"))
    assert len(list(folder.glob("*.json"))) == 3


def test_save_record__keeps_the_traceback_of_a_method_that_failed(made_up_zoo, tmp_path):
    record = wsbench.save_record(evaluated(made_up_zoo, Failing()), tmp_path / "here")
    assert record.path.parent == tmp_path / "here" / "made-up-v1"
    loaded = wsbench.load_record(record.path)
    assert "RuntimeError: no luck" in loaded.content["error"]
    assert loaded.content["answers"] is None
    assert loaded.scores == wsbench.rescore(loaded) == {}


def test_save_record__holds_an_infinite_margin_as_null(make_zoo):
    zoo = wsbench.load_zoo(make_zoo(models=5))  # one test model
    record = wsbench.save_record(evaluated(zoo, FirstThree()))
    assert record.content["tasks"]["identification/none"]["margin"]["value"] is None
    assert wsbench.rescore(record.path) == record.scores


def test_save_record__explains_a_folder_that_cannot_be_written(evaluation, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(wsbench.StorageError, match="cannot write: Not a directory"):
        wsbench.save_record(evaluation, tmp_path / "file")


def test_save_record__can_be_read_by_others(record):
    assert stat.S_IMODE(record.path.stat().st_mode) & 0o444


@pytest.mark.parametrize(
    ("variables", "prefix"),
    [
        ({"OPENBLAS_NUM_THREADS": "1"}, "OPENBLAS_NUM_THREADS=1 "),
        ({"OPENBLAS_NUM_THREADS": "1; rm -r ."}, ""),
        ({"OTHER": "1"}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_command__evaluates_the_same_with_as_many_threads(record, variables, prefix):
    same = rewrite(record, lambda content: content.update(environment={"variables": variables}))
    assert (
        same.command == f"{prefix}wsbench evaluate 'a test' --zoo made-up-v1 --suite smoke --seed 0"
    )


# --- finding -------------------------------------------------------------------------------------


def test_find_record__by_path_and_the_newest_by_name(made_up_zoo):
    folder = wsbench.home() / "records" / "made-up-v1"
    older = wsbench.save_record(evaluated(made_up_zoo, FirstThree()))
    newer = wsbench.save_record(evaluated(made_up_zoo, FirstThree(), seed=1))
    os.utime(older.path, (1, 1))
    assert wsbench.find_record("mine", folder).path == newer.path
    os.utime(newer.path, (0, 0))
    assert wsbench.find_record("mine", folder).path == older.path
    assert wsbench.find_record(str(newer.path), folder).path == newer.path


def test_find_record__by_name_and_parameters(made_up_zoo):
    folder = wsbench.home() / "records" / "made-up-v1"
    found = {}
    for k in (3, 5):
        method = wsbench.load_method("svd", {"k": k})
        found[k] = wsbench.save_record(wsbench.evaluate(method, made_up_zoo)).path
    assert {k: wsbench.find_record(f"svd k={k}", folder).path for k in (3, 5)} == found


def test_find_record__a_name_alone_is_the_method_with_its_defaults(made_up_zoo):
    folder = wsbench.home() / "records" / "made-up-v1"
    plain = wsbench.save_record(wsbench.evaluate("svd", made_up_zoo)).path
    other = wsbench.save_record(
        wsbench.evaluate(wsbench.load_method("svd", {"k": 3}), made_up_zoo)
    ).path
    assert wsbench.find_record("svd", folder).path == plain
    plain.unlink()
    assert wsbench.find_record("svd", folder).path == other


def test_find_record__names_the_nearest(record):
    with pytest.raises(wsbench.UnknownIdError, match="unknown method 'mein'; did you mean 'mine'"):
        wsbench.find_record("mein", record.path.parent)


# --- computing scores again ----------------------------------------------------------------------


def test_rescore__gives_the_recorded_scores_to_the_last_digit(record):
    assert wsbench.rescore(record.path) == record.scores
    assert wsbench.rescore(str(record.path)) == record.scores
    assert wsbench.rescore(wsbench.load_record(record.path)) == record.scores


def test_rescore__of_real_models_gives_the_recorded_scores(digits_zoo):
    record = wsbench.save_record(wsbench.evaluate("random", digits_zoo, seed=2))
    assert wsbench.rescore(record.path) == record.scores
    size = record.path.with_suffix(".json").stat().st_size + record.content["answers"]["bytes"]
    assert size < 200_000


def test_rescore__believes_the_answers_and_not_the_numbers(record):
    def boast(content):
        content["tasks"]["identification/none"]["map_at_r"]["value"] = 0.999

    forged = rewrite(record, boast, rename=True)
    loaded = wsbench.load_record(forged.path)
    assert loaded.scores["identification/none"]["map_at_r"].value == 0.999
    assert wsbench.rescore(loaded) == record.scores


# --- damage --------------------------------------------------------------------------------------


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
        record.path.write_text(text[:place] + digit + text[place + 1 :])
        refused(record.path, (wsbench.IntegrityError, wsbench.FormatError))
    record.path.write_text(text)
    wsbench.load_record(record.path)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(seed=1),
        lambda c: c["suite"].update(version=2),
        lambda c: c.update(evaluator="sha256:"),
        lambda c: c.update(error="none"),
        lambda c: c["zoo"].update(content_digest="sha256:"),
        lambda c: c["method"].update(version="2"),
        lambda c: c["answers"].update(bytes=1),
        lambda c: c["tasks"].pop("ordering/none"),
    ],
)
def test_load_record__holds_every_claim_against_the_name(record, change):
    changed = rewrite(record, change)
    assert "changed since it was written" in refused(changed.path, wsbench.IntegrityError)


COST = {"fit_s": 1.0, "embed_s": 1.0, "order_s": 1.0, "peak_bytes": 1}


@pytest.mark.parametrize("change", [{"seconds": {}}, {"environment": {}}, {"cost": COST}])
def test_load_record__does_not_hold_time_and_machine_against_a_record(record, change):
    same = rewrite(record, lambda content: content.update(change))
    assert wsbench.rescore(same.path) == record.scores


def test_load_record__refuses_a_renamed_record(record):
    renamed = record.path.with_name("mine-0123456789ab.json")
    record.path.rename(renamed)
    message = refused(renamed, wsbench.IntegrityError)
    assert "changed since it was written" in message


def answers_of(record):
    return record.path.with_name(record.content["answers"]["file"])


def test_rescore__refuses_the_answers_of_another_method(record, made_up_zoo):
    class Constant:
        def transform(self, checkpoints):
            return checkpoints.weights[:, :1]

    other = wsbench.save_record(evaluated(made_up_zoo, Constant(), name="other"))
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


def with_answers(record, change) -> wsbench.Record:
    """Forge answers, and a record that points to them and is named rightly."""
    answers = unpack(answers_of(record).read_bytes())
    change(answers)
    data = pack(answers)
    path = record.path.with_name("mine-forged.npz")
    path.write_bytes(data)
    pointer = {"file": path.name, "sha256": records.hashlib.sha256(data).hexdigest(), "bytes": 1}
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
    message = refused(forged.path, wsbench.FormatError)
    assert "mine-forged.npz: not a method's answers: " in message


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 and so on", b"\x93NUMPY"])
def test_rescore__refuses_forged_answers_that_are_no_npz(record, data):
    forged = with_answers(record, lambda answers: None)
    path = answers_of(forged)
    path.write_bytes(data)
    sha256 = records.hashlib.sha256(data).hexdigest()
    forged = rewrite(forged, lambda content: content["answers"].update(sha256=sha256), rename=True)
    refused(forged.path, wsbench.FormatError)


@pytest.mark.parametrize("name", ["", ".", "..", "../../secret.npz", "/etc/passwd"])
def test_rescore__reads_no_answers_outside_the_records_folder(record, name):
    forged = rewrite(record, lambda c: c["answers"].update(file=name), rename=True)
    refused(forged.path, wsbench.IntegrityError)


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


@pytest.mark.parametrize("version", [0, 2, 99])
def test_load_record__refuses_another_format_by_its_number(record, version):
    rewrite(record, lambda content: content.update(format=version))
    message = refused(record.path, wsbench.FormatError)
    assert f"format {version}, and this version of wsbench reads 1" in message


def score_of(**values):
    return lambda content: content["tasks"]["identification/none"]["map_at_r"].update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("seed"), "missing or unknown: seed"),
        (lambda c: c.update(more=1, also=2), "missing or unknown: also, more"),
        (lambda c: c["zoo"].pop("id"), "missing or unknown: zoo.id"),
        (lambda c: c["method"].update(rank=1), "missing or unknown: method.rank"),
        (lambda c: c["answers"].pop("sha256"), "missing or unknown: answers.sha256"),
        (lambda c: c.update(seed="0"), "seed: got '0', expected int"),
        (lambda c: c.update(zoo=[]), "zoo: got [], expected an object"),
        (lambda c: c["zoo"].update(id=3), "zoo.id: got 3, expected str"),
        (lambda c: c.update(tasks={"ordering": 3}), "tasks.ordering: got 3, expected an object"),
        (lambda c: c.update(answers=3), "answers: got 3"),
        (score_of(value="1"), "tasks.identification/none.map_at_r.value: got '1'"),
        (score_of(more=1), "missing or unknown: tasks.identification/none.map_at_r.more"),
        (score_of(interval=3), "tasks.identification/none.map_at_r.interval: got 3"),
        (score_of(interval=[1]), "tasks.identification/none.map_at_r.interval: got [1]"),
        (score_of(interval=[1, "2"]), "tasks.identification/none.map_at_r.interval: got [1, '2']"),
    ],
)
def test_load_record__names_the_key_that_is_wrong(record, change, message):
    forged = rewrite(record, change)
    assert message in refused(forged.path, wsbench.FormatError)


def test_load_record__names_every_key_that_is_wrong(record):
    forged = rewrite(record, lambda c: c.update(seed=None, suite=1, tasks=2))
    with pytest.raises(wsbench.FormatError) as error:
        wsbench.load_record(forged.path)
    assert len(error.value.faults) == 3
