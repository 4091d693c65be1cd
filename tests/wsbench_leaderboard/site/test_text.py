import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbench_leaderboard.site import text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (0.12345, "0.123"),
        (-0.5, "−0.500"),
        (-0.0001, "0.000"),
        (12345.0, "12,345.000"),
    ],
)
def test_number__is_as_people_write_it(value, shown):
    assert text.number(value) == shown


def test_interval__does_not_mix_dashes_and_minus_signs():
    assert text.interval((0.25, 0.5)) == "0.250–0.500"
    assert text.interval((-0.25, 0.5)) == "−0.250 to 0.500"
    assert text.interval(None) == ""


def test_units__say_when_there_is_next_to_nothing():
    assert [text.seconds(s) for s in (0.0, 0.004, 0.005, 61.234)] == [
        "<0.01",
        "<0.01",
        "0.01",
        "61.23",
    ]
    assert [text.megabytes(n) for n in (0, 499_999, 17_145_856)] == ["<1", "<1", "17"]


def test_visible__spells_out_what_hides_or_turns_a_text():
    assert text.visible("a\u202eb\u200bc\x00d\ud800") == "a\\u202eb\\u200bc\\u0000d\\ud800"
    assert text.visible("שלום\n<b>") == "שלום\n<b>"


@given(st.text(st.characters(), max_size=300), st.text(max_size=20))
def test_slug__is_a_safe_file_name_of_its_own(name, version):
    found = text.slug(name, version)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", found)
    assert len(found) <= 49
    assert text.slug(name, version + "x") != found
