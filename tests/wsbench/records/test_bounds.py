"""A record's JSON from anybody: every key, type and bound is held, in one line that names it."""

import json
import re

import pytest

import wsbench
from support.methods import FirstThree, loaded
from support.records import rewrite
from support.zoos import write_made_up_zoo

HUGE = 10**400


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A record; read only."""
    folder = tmp_path_factory.mktemp("schema")
    zoo = wsbench.load_zoo(write_made_up_zoo(folder / "zoo", models=30))
    suite = wsbench.find_suite(None, ["identification", "ordering"], ["none", "int8"])
    return wsbench.save_record(wsbench.evaluate(loaded(FirstThree()), zoo, suite=suite), folder)


@pytest.fixture
def record(written, tmp_path):
    """A copy of the record, to be changed."""
    path = tmp_path / written.path.name
    path.write_bytes(written.path.read_bytes())
    return wsbench.Record(path, written.content)


def refused(path) -> str:
    with pytest.raises(wsbench.FormatError) as error:
        wsbench.load_record(path)
    message = str(error.value)
    assert message.isprintable()  # of one line
    assert len(message) < len(str(path)) + 400
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def score_of(**values):
    return lambda content: content["scores"]["identification/none"]["map_at_r"].update(values)


def part(key, **values):
    return lambda content: content[key].update(values)


COST = {"fit_s": 1.0, "embed_s": 1.0, "order_s": 1.0, "peak_bytes": 1}
SCORE = "scores.identification/none.map_at_r"

WRONG_TYPES = [
    (lambda c: c.pop("seed"), "missing required field `seed`"),
    (lambda c: c.update(more=1, also=2), "unknown field `more`"),
    (lambda c: c["zoo"].pop("id"), "zoo: object missing required field `id`"),
    (part("method", rank=1), "method: object contains unknown field `rank`"),
    (lambda c: c["answers"].pop("sha256"), "answers: object missing required field `sha256`"),
    (lambda c: c.update(seed="0"), "seed: got '0', expected `int`"),
    (lambda c: c.update(seed=True), "seed: got True, expected `int`"),
    (lambda c: c.update(seed=1.0), "seed: got 1.0, expected `int`"),
    (lambda c: c.update(zoo=[]), "zoo: got [], expected `object`"),
    (part("zoo", id=3), "zoo.id: got 3, expected `str`"),
    (lambda c: c.update(scores={"ordering": 3}), "scores.ordering: got 3, expected `object`"),
    (lambda c: c.update(answers=3), "answers: got 3"),
    (part("environment", variables=[]), "environment.variables: got [], expected `object`"),
    (part("environment", variables=None), "environment.variables: expected `object`, got `null`"),
    (part("versions", ordering=True), "versions.ordering: got True, expected `int`"),
    (part("suite", tasks=[1]), "suite.tasks.0: got 1, expected `str`"),
    (part("accuracy", none="x"), "accuracy.none: got 'x', expected `float`"),
    (lambda c: c.update(scores={"a\nb": 1}), "scores.a\\nb: got 1, expected `object`"),
    (lambda c: c.update({"a\nb": 1}), "object contains unknown field"),
    (part("suite", tasks="ordering"), "suite.tasks: got 'ordering', expected `array`"),
    (score_of(value="1"), f"{SCORE}.value: got '1', expected `float | null`"),
    (score_of(value=True), f"{SCORE}.value: got True, expected `float | null`"),
    (score_of(more=1), f"{SCORE}: object contains unknown field `more`"),
    (score_of(interval=3), f"{SCORE}.interval: got 3, expected `array | null`"),
    (score_of(interval=[1]), f"{SCORE}.interval: got [1], expected `array` of length 2"),
    (score_of(interval=[1, "2"]), f"{SCORE}.interval.1: got '2', expected `float`"),
]

OUT_OF_BOUNDS = [
    (lambda c: c.update(seed=HUGE), "seed: got 1000000"),
    (lambda c: c.update(seed=-(2**63)), "seed: got -9223372036854775808, expected `int` >="),
    (lambda c: c.update(cost=COST | {"peak_bytes": HUGE}), "cost.peak_bytes: got 1000000"),
    (lambda c: c.update(cost=COST | {"peak_bytes": -1}), "cost.peak_bytes: got -1, expected"),
    (lambda c: c.update(cost=COST | {"fit_s": HUGE}), "cost.fit_s: got 1000000"),
    (lambda c: c.update(cost=COST | {"order_s": 1e10}), "cost.order_s: got 10000000000.0, expect"),
    (part("answers", bytes=HUGE), "answers.bytes: got 1000000"),
    (part("answers", bytes=0), "answers.bytes: got 0, expected `int` >= 1"),
    (part("answers", sha256="0" * 63), "answers.sha256: got '0000"),
    (part("seconds", fit=HUGE), "seconds.fit: got 1000000"),
    (part("seconds", fit=-1.0), "seconds.fit: got -1.0, expected `float` >= 0.0"),
    (part("accuracy", none=1.5), "accuracy.none: got 1.5, expected `float` <= 1.0"),
    (part("accuracy", none=HUGE), "accuracy.none: got 1000000"),
    (part("versions", ordering=10**9), "versions.ordering: got 1000000000, expected `int` <="),
    (part("suite", version=10**9), "suite.version: got 1000000000, expected `int` <= 1000000"),
    (part("environment", n_cpus=0), "environment.n_cpus: got 0, expected `int` >= 1"),
    (part("environment", n_cpus=HUGE), "environment.n_cpus: got 1000000"),
    (part("method", version="1" * 51), "method.version: got '1111"),
    (part("method", description="a" * 201), "method.description: got 'aaaa"),
    (part("method", name="a" * 101), "method.name: got 'aaaa"),
    (part("method", spec="a" * 1001), "method.spec: got 'aaaa"),
    (part("zoo", id="a" * 101), "zoo.id: got 'aaaa"),
    (score_of(value=HUGE), f"{SCORE}.value: got 1000000"),
    (score_of(value=1e13), f"{SCORE}.value: got 10000000000000.0, expected `float` <="),
    (score_of(value=1.5), f"{SCORE}: got 1.5, allowed is [0, 1]"),
    (score_of(value=-0.5), f"{SCORE}: got -0.5, allowed is [0, 1]"),
    (score_of(interval=[0.0, 1.5]), f"{SCORE}: got 1.5, allowed is [0, 1]"),
    (score_of(interval=[-HUGE, 1.0]), f"{SCORE}.interval.0: got -1000000"),
    (
        lambda c: c["scores"]["ordering/none"]["kendall_tau"].update(value=-1.5),
        "scores.ordering/none.kendall_tau: got -1.5, allowed is [-1, 1]",
    ),
    (
        lambda c: c["robustness"]["ordering"]["symmetry"].update(value=HUGE),
        "robustness.ordering.symmetry.value: got 1000000",
    ),
]

WITHOUT_MEANING = [
    (lambda c: c["scores"].update({"ordering": {}}), "scores: got the entry 'ordering', known"),
    (lambda c: c["scores"].update({"guess/none": {}}), "scores: got the entry 'guess/none', kno"),
    (
        lambda c: c["scores"]["ordering/none"].update(best={"value": 1.0}),
        "scores.ordering/none: got the score 'best', known are abs_tau",
    ),
    (part("method", name="My Method"), "method.name: got 'My Method', expected lower-case words"),
    (part("method", settings=["k"]), "method.settings: got 'k', expected one of the parameters"),
    (part("method", parameters={"a b": 1}), "method.parameters: got the name 'a b'"),
    (part("method", parameters={"k": "a" * 4000}), "characters, at most 4000 are allowed"),
    (part("method", description="\x1b[31m"), "method.description: got '\\x1b[31m', expected one"),
    (part("method", needs=["a\nb"]), "method.needs: got 'a\\nb', expected one line"),
    (part("suite", name="a" * 1001), "suite.name: 1001 characters, at most 1000 are allowed"),
    (lambda c: c.update(scores={"a\nb": {}}), "scores: got the entry 'a\\nb', known tasks are"),
    (
        lambda c: c["environment"]["packages"].update({"\x1b": "1"}),
        "environment.packages, a key: got '\\x1b', expected",
    ),
    (part("environment", cpu="x" * 1001), "environment.cpu: 1001 characters"),
    (part("environment", cpu="\u202e"), "environment.cpu: got '\\u202e', expected one line"),
    (part("answers", file="../../a.npz"), "answers.file: got '../../a.npz', expected `str` match"),
]


@pytest.mark.parametrize(("change", "message"), WRONG_TYPES)
def test_load_record__names_the_key_of_another_type(record, change, message):
    assert message in refused(rewrite(record, change))


@pytest.mark.parametrize(("change", "message"), OUT_OF_BOUNDS)
def test_load_record__names_the_number_or_text_beyond_its_bounds(record, change, message):
    assert message in refused(rewrite(record, change))


@pytest.mark.parametrize(("change", "message"), WITHOUT_MEANING)
def test_load_record__names_the_word_that_means_nothing(record, change, message):
    assert message in refused(rewrite(record, change))


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
@pytest.mark.parametrize("place", ['"seed": ', '"bytes": ', '"n_cpus": ', '"fit": ', '"value": '])
def test_load_record__refuses_numbers_that_are_not_strict_json_anywhere(record, constant, place):
    text = record.path.read_text()
    changed = re.sub(re.escape(place) + r"[^,\n]*", place + constant, text, count=1)
    assert changed != text
    record.path.write_text(changed)
    assert refused(record.path).startswith("not a record: ")


@pytest.mark.parametrize("key", ["seed", "value", "name", "order_s"])
def test_load_record__refuses_a_key_that_stands_twice(record, key):
    rewrite(record, lambda content: content.update(cost=COST))
    text = record.path.read_text()
    record.path.write_text(text.replace(f'"{key}": ', f'"{key}": 1, "{key}": ', 1))
    message = refused(record.path)
    assert message == f"not a record: the key '{key}' stands twice in an object"


def test_load_record__names_every_word_that_means_nothing(record):
    def change(content):
        content["method"].update(name="My Method", settings=["k"])
        content["scores"]["ordering"] = {}

    with pytest.raises(wsbench.FormatError) as error:
        wsbench.load_record(rewrite(record, change))
    assert len(error.value.faults) == 3


def test_load_record__names_three_faults_and_the_number_of_the_rest(record):
    wrong = [f"k{i}" for i in range(25)]
    message = refused(rewrite(record, part("method", settings=wrong)))
    assert "'k2'" in message
    assert message.endswith("; and 22 more")


def test_load_record__every_number_has_both_bounds(record):
    """Each number of a record in turn becomes one of 400 digits, of either sign."""

    def places(value, *steps):
        if isinstance(value, dict | list):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                yield from places(item, *steps, key)
        elif isinstance(value, int | float):
            yield steps

    content = json.loads(record.path.read_text()) | {"cost": COST}
    found = list(places(content))
    assert len(found) > 40
    for *steps, last in found:
        for number in (HUGE, -HUGE):
            changed = json.loads(json.dumps(content))
            inner = changed
            for step in steps:
                inner = inner[step]
            inner[last] = number
            record.path.write_text(json.dumps(changed))
            assert "000000" in refused(record.path), (*steps, last)
