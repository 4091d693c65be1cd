"""What may not stand on the leaderboard, each shown by doing it."""

import dataclasses
import json

import msgspec
import numpy as np
import pytest

import wsbench
from support.refusal import refusal
from wsbench.evaluation.suite import SUITES
from wsbench_leaderboard.board.check import check_record, expected_entries


def of(part, **values):
    return lambda content: content[part].update(values)


# --- what is right -------------------------------------------------------------------------------


def test_check_record__returns_a_right_record_rescored(victim):
    found = msgspec.json.encode(check_record(victim).record.content)
    assert json.loads(found) == json.loads(victim.read_text())


def test_expected_entries__are_those_that_the_activation_allows():
    (sigmoid,) = expected_entries("digits-mlp-v1", SUITES["standard"])
    (leaky,) = expected_entries("digits-cnn-v1", SUITES["standard"])
    assert (len(sigmoid), len(leaky)) == (68, 76)
    tasks = SUITES["standard"].tasks
    on_curve = SUITES["standard"].on_curves
    assert leaky - sigmoid == {
        *(f"{task}/rescale" for task in tasks),
        *(f"{task}/permute+rescale+int8" for task in tasks),
        *(f"{task}/permute+rescale" for task in on_curve),
    }
    assert sigmoid - leaky == {f"{task}/permute+int8" for task in tasks}


def test_expected_entries__are_either_if_the_recipe_does_not_tell(published, publisher):
    publisher.recipe = published.recipe_text
    assert [len(t) for t in expected_entries("made-up-v1", SUITES["standard"])] == [76, 68]
    assert [len(t) for t in expected_entries("made-up-v1", SUITES["smoke"])] == [16]


# --- scores that were typed in -------------------------------------------------------------------


def boast(content):
    content["scores"]["ordering/none"]["ordered_pairs"]["value"] = 0.987


def test_check_record__refuses_a_changed_digit(victim):
    text = victim.read_text()
    content = json.loads(text)
    boast(content)
    victim.write_text(json.dumps(content))
    assert "changed since it was written: its content has the digest" in refusal(victim)


def test_check_record__refuses_a_changed_digit_under_the_right_name(victim, rewrite):
    message = refusal(rewrite(victim, boast))
    assert (
        "the scores do not follow from the answers: scores.ordering/none.ordered_pairs" in message
    )
    assert " is 0.987, the answers give 0." in message


@pytest.mark.parametrize(
    ("task", "track", "name"),
    [
        ("overall", "overall", "overall.overall"),
        ("overall", "symmetry", "overall.symmetry"),
        ("precedence", "both", "precedence.both"),
    ],
)
def test_check_record__refuses_a_track_that_does_not_follow(victim, rewrite, task, track, name):
    def boast(content):
        content["tracks"][task][track] = {"value": 0.987, "interval": [0.98, 0.99]}

    message = refusal(rewrite(victim, boast))
    assert f"the scores do not follow from the answers: tracks.{name} is 0.987" in message


@pytest.mark.parametrize(
    "edit",
    [
        lambda tracks: [tracks.pop(task) for task in list(tracks)[1:]],
        lambda tracks: tracks.pop("overall"),
        lambda tracks: tracks["overall"].pop("symmetry"),
        lambda tracks: tracks["overall"].update(luck={"value": 1.0, "interval": None}),
        lambda tracks: tracks["overall"]["overall"].update(interval=[0.0, 1.0]),
    ],
)
def test_check_record__refuses_more_or_fewer_tracks(victim, rewrite, edit):
    message = refusal(rewrite(victim, lambda content: edit(content["tracks"])))
    assert "the scores do not follow from the answers: tracks." in message


# --- answers -------------------------------------------------------------------------------------


def test_check_record__refuses_the_answers_of_another_method(victim, rewrite):
    (others,) = victim.parent.glob("euclidean-*.npz")
    (own,) = victim.parent.glob("random-*.npz")
    size = own.stat().st_size
    own.write_bytes(others.read_bytes())
    assert f"got {own.stat().st_size:,} bytes, {victim.name} expects {size:,}" in refusal(victim)
    message = refusal(rewrite(victim, of("answers", bytes=own.stat().st_size)))
    assert f"{own.name}: " in message
    assert "was written with" in message


def test_check_record__refuses_answers_under_the_name_of_another_method(victim, rewrite):
    other = json.loads(next(victim.parent.glob("euclidean-*.json")).read_text())
    path = rewrite(victim, lambda content: content.update(answers=other["answers"]))
    assert "answers.file: got 'euclidean-" in refusal(path)


def test_check_record__refuses_missing_answers(victim):
    next(victim.parent.glob("random-*.npz")).unlink()
    assert "answers.file: random-" in refusal(victim)


@pytest.mark.parametrize(
    "edit",
    [
        lambda a: a.update({"labels/standard/model": a["labels/standard/model"] + 1}),
        lambda a: a.update({"labels/standard/epoch": a["labels/standard/epoch"] - 1}),
        lambda a: a.update({"labels/standard/gallery": a["labels/standard/gallery"][::2]}),
        lambda a: a.update({"labels/standard/model": np.zeros(8, np.int32)}),
        lambda a: a.update({"labels/standard/model": np.zeros((), "S0")}),
        lambda a: a.update({"labels/easy/model": a["labels/standard/model"]}),
        lambda a: a.pop("labels/standard/gallery"),
    ],
)
def test_check_record__refuses_easier_labels(victim, forge, edit):
    message = refusal(forge(victim, edit))
    assert "labels/standard/" in message
    assert "evaluate" in message


def test_check_record__refuses_answers_about_fewer_models(victim, forge, make_zoo):
    """Rightly computed, but of a zoo of which half is missing."""
    zoo = wsbench.load_zoo(make_zoo("half", models=5))
    half = wsbench.save_record(wsbench.evaluate("random", zoo), victim.parents[3])
    path = victim.parent / half.path.name
    half.path.replace(path)
    half.path.with_name(half.content.answers.file).replace(
        path.with_name(half.content.answers.file)
    )
    assert "zoo.content_digest: got " in refusal(path)


def test_check_record__refuses_answers_about_fewer_models_under_the_published_digest(
    victim, rewrite, make_zoo
):
    digest = json.loads(victim.read_text())["zoo"]["content_digest"]
    zoo = wsbench.load_zoo(make_zoo("half", models=5))
    half = wsbench.save_record(wsbench.evaluate("random", zoo), victim.parents[3])
    path = rewrite(half.path, of("zoo", content_digest=digest))
    assert "differ from the test models of made-up-v1, epochs 1 to 4" in refusal(path)


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda a: a.pop("ordering/permute/order"), "ordering/permute"),
        (lambda a: a.update({"ordering/int4/order": a["ordering/none/order"]}), "ordering/int4"),
        (lambda a: a.update({"luck/none/order": a["ordering/none/order"]}), "luck/none"),
        (lambda a: a.update({"order": a["ordering/none/order"]}), "17 entries"),
    ],
)
def test_check_record__refuses_other_entries_than_the_suite_asks(victim, forge, edit, named):
    message = refusal(forge(victim, edit))
    assert "entries, suite smoke 2 has 16 on made-up-v1: missing or unknown are" in message
    assert named in message


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("identification/none/neighbours", lambda a: a.astype(np.uint64) + np.uint64(2**64 - 1)),
        ("identification/none/margin", lambda a: a * np.nan),
        ("identification/none/margin", lambda a: np.array([9.0, 1.0])),
        ("ordering/none/order", lambda a: a[::-1]),
    ],
)
def test_check_record__refuses_answers_that_no_method_can_give(victim, forge, name, array):
    path = forge(victim, lambda arrays: arrays.update({name: array(arrays[name])}))
    assert "not a method's answers: " in refusal(path)


# --- claims --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (of("zoo", content_digest="sha256:" + "0" * 64), "zoo.content_digest: got 'sha256:000"),
        (of("zoo", id="my-v1"), "zoo.id: got 'my-v1', published are digits-cnn-v1, "),
        (of("suite", name="easy"), "suite: got 'easy 2' with its own tasks"),
        (of("suite", version=1), "known are smoke 2, standard 2, full 2; evaluate with --suite"),
        (of("suite", perturbations=["none"]), "suite: got 'smoke 2' with its own"),
        (of("suite", overall=["ordering"]), "suite: got 'smoke 2' with its own"),
        (of("suite", tracks={"as-written": [["none"]]}), "suite: got 'smoke 2' with its own"),
        (
            lambda c: [c["suite"].pop(key) for key in ("tracks", "overall")],
            "suite: got 'smoke 2' with its own",
        ),
        (of("method", name="<script>alert(1)</script>"), "expected lower-case words"),
        (of("method", name="other"), "the file name must begin with the method's name, other-"),
        (of("method", description="<script>alert(1)</script>"), "a text without < and >"),
        (
            of("method", parameters={"k": "<img onerror=alert(1)>"}, settings=["k"]),
            "a text without < and >",
        ),
        (of("method", parameters={"<b>": 1}), "got the name '<b>', expected a Python identifier"),
        (of("method", version="1\x1b[2J"), "expected one line without control characters"),
        (of("method", description="one\ntwo"), "expected one line without control characters"),
        (of("method", description="\u202etxet"), "expected one line without control characters"),
        (of("method", description="x" * 201), "expected `str` of length <= 200"),
        (of("method", version="1" * 51), "expected `str` of length <= 50"),
        (of("method", parameters={"k": [1] * 2000}), "characters, at most 4000 are allowed"),
        (of("method", spec="x" * 1001), "expected `str` of length <= 1000"),
        (of("method", invariances=["luck"]), "invariances: got ['luck'], allowed are hidden-"),
        (of("method", needs=["answers"]), "method.needs: got ['answers'], allowed are"),
        (of("method", code_url="http://a.example"), "method.code_url: got 'http://a.example', exp"),
        (of("method", paper_url="javascript:alert(1)"), "expected https://… of at most 200 char"),
        (of("method", paper_url="https://a.example/<b>"), "expected https://… of at most 200"),
        (of("method", code_sha256="0"), "method.code_sha256: got '0', expected `str` match"),
        (of("versions", ordering="none"), "versions.ordering: got 'none', expected `int`"),
        (of("versions", ordering=-1), "versions.ordering: got -1, expected `int` >= 0"),
        (lambda c: c.update(evaluator="none"), "object contains unknown field `evaluator`"),
        (lambda c: c.update(error="it failed"), "the method failed or has no answers"),
        (lambda c: c.update(answers=None), "the method failed or has no answers"),
        (lambda c: c.update(seed=2**64), "expected `int` <= 9223372036854775807"),
        (lambda c: c.update(accuracy={"none": 0.9}), "accuracy: expected a number in [0, 1]"),
        (of("answers", sha256="0"), "answers.sha256: got '0', expected `str` matching"),
        (of("answers", bytes=1), "expects 1; copy both again"),
    ],
)
def test_check_record__says_what_is_wrong_and_what_is_allowed(victim, rewrite, edit, message):
    assert message in refusal(rewrite(victim, edit))


def test_check_record__takes_accuracy_of_all_perturbations_or_none(published, board, rewrite):
    suite = dataclasses.replace(SUITES["standard"], measures_cost=False)
    record = wsbench.save_record(wsbench.evaluate("euclidean", published, suite=suite), board)
    check_record(record.path)
    accuracy = {entry.split("/")[1]: 0.9 for entry in record.scores}
    assert len(accuracy) == 18
    path = rewrite(record.path, lambda content: content.update(accuracy=accuracy))
    check_record(path)
    each = "accuracy: expected a number in [0, 1] for each of bfloat16, "
    for wrong, message in (
        (accuracy | {"rescale": 0.9}, each),
        ({"none": 0.9}, each),
        (accuracy | {"none": 1.5}, "accuracy.none: got 1.5, expected `float` <= 1.0"),
    ):
        path = rewrite(path, lambda content, wrong=wrong: content.update(accuracy=wrong))
        assert message in refusal(path)


def test_check_record__takes_a_stale_record_and_its_own_scores(victim, rewrite):
    def age(content):
        content["versions"]["ordering"] = 0
        boast(content)

    found = check_record(rewrite(victim, age))
    assert found.is_stale
    assert found.scores["ordering/none"]["ordered_pairs"].value != 0.987
