"""The content that a record may have, whoever wrote it."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wsbench
from support.methods import FirstThree, loaded
from wsbench.records import record as records
from wsbench.records.schema import one_line


def evaluated(zoo, **description) -> wsbench.Evaluation:
    return wsbench.evaluate(loaded(FirstThree(), **description), zoo)


@pytest.fixture
def record(made_up_zoo) -> wsbench.Record:
    return wsbench.save_record(evaluated(made_up_zoo))


def plain(record):
    """Return what is in a record, to be changed."""
    return json.loads(record.path.read_text())


def places(value, path=()):
    """Yield the path of everything in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_schema__refuses_or_takes_whatever_stands_anywhere(record, data):
    """No other error, no message of two lines, and what is taken can be used."""
    content = plain(record)
    *path, last = data.draw(st.sampled_from([p for p in places(content) if p]))
    inside = content
    for key in path:
        inside = inside[key]
    inside[last] = data.draw(JSON)
    message = ""
    try:
        typed = records._typed(record.path, content)
    except wsbench.FormatError as error:
        message = str(error)
    if message:
        assert message.isprintable()
        assert len(message) < 3000
    else:
        taken = wsbench.Record(record.path, typed)
        assert taken.label.isprintable()
        assert taken.command.isprintable()
        assert taken.scores is not None
        assert taken.is_stale in (True, False)
        records._digest(typed)


@pytest.mark.parametrize("part", ["accuracy", "seconds", "environment", "robustness"])
def test_load_record__refuses_nesting_that_would_exhaust_the_stack(record, part):
    for depth in (63, 300, 900):
        text = json.dumps(plain(record) | {part: {"a": 0}})
        nested = text.replace('{"a": 0}', '{"a": ' + "[" * depth + "]" * depth + "}")
        record.path.write_text(nested)
        with pytest.raises(wsbench.FormatError, match="not a record: nested more than 64 deep"):
            wsbench.load_record(record.path)


def test_load_record__refuses_more_than_a_megabyte_unread(record):
    with record.path.open("ab") as file:
        file.truncate(1_000_001)
    with pytest.raises(wsbench.FormatError, match="1,000,001 bytes, and at most 1,000,000 are"):
        wsbench.load_record(record.path)


def test_rescore__refuses_more_than_32_megabytes_of_answers_unread(record):
    with record.path.with_name(record.content.answers.file).open("ab") as file:
        file.truncate(32_000_001)
    with pytest.raises(wsbench.FormatError, match="not a method's answers: 32,000,001 bytes"):
        wsbench.rescore(record)


def test_one_line__is_printable_and_not_too_long():
    assert one_line("description", "two\n lines \x1b[31m\u202e") == "two lines [31m"
    assert len(one_line("description", "x" * 1000)) == 200
    assert one_line("version", 2) == "2"


def test_save_record__makes_a_description_fit(made_up_zoo):
    record = wsbench.save_record(evaluated(made_up_zoo, description="one\ntwo" * 100, version=3))
    loaded = wsbench.load_record(record.path)
    assert loaded.content.method.description.startswith("one twoone two")
    assert len(loaded.content.method.description) == 200
    assert loaded.content.method.version == "3"


def test_save_record__writes_no_record_that_could_not_be_read(made_up_zoo, tmp_path):
    evaluation = evaluated(made_up_zoo, parameters={"values": np.arange(2000).tolist()})
    with pytest.raises(wsbench.FormatError, match="at most 4000 are allowed"):
        wsbench.save_record(evaluation, tmp_path / "records")
    assert list((tmp_path / "records").rglob("*.json")) == []


def test_save_record__keeps_the_end_of_a_long_traceback(made_up_zoo):
    class Verbose:
        def transform(self, checkpoints):
            raise RuntimeError("x" * 1_000_000 + " at last")

    record = wsbench.save_record(wsbench.evaluate(loaded(Verbose()), made_up_zoo))
    error = wsbench.load_record(record.path).content.error
    assert len(error) == 20_000
    assert error.endswith("x at last\n")


def test_save_record__keeps_addresses_and_leaves_out_missing_ones(made_up_zoo, record):
    """So that records from before there were addresses keep their digest."""
    assert not {"code_url", "paper_url"} & set(plain(record)["method"])
    assert wsbench.load_record(record.path).content.method.paper_url == ""
    given = {"code_url": "https://a.example/code", "paper_url": "https://a.example/paper"}
    linked = wsbench.save_record(evaluated(made_up_zoo, **given))
    assert {name: plain(linked)["method"][name] for name in given} == given
    method = wsbench.load_record(linked.path).content.method
    assert (method.code_url, method.paper_url) == tuple(given.values())
