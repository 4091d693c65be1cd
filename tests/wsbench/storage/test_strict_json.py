from typing import Annotated

import msgspec
import pytest

from wsbench.storage.strict_json import parse, read, shown, typed, write


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class Outer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    parts: list[Inner]
    sizes: dict[str, int] = {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": NaN}', "NaN is not strict JSON"),
        ('{"a": -Infinity}', "-Infinity is not strict JSON"),
        ('{"a": 1e999}', "1e999 is beyond what a float holds"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ("[" * 100_000, "nested more than 64 deep"),
        ("[" * 65 + "]" * 65, "nested more than 64 deep"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
        (b'{"a": "\xff"}', "utf-8"),
        ("", "Expecting value"),
    ],
)
def test_parse__refuses_what_is_no_strict_json(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"name": "x", "parts": [{"size": True}]}, r"parts\.0\.size: got True, expected `int`"),
        ({"name": "x", "parts": [{"size": 10**400}]}, r"parts\.0\.size: got 1000.*<= 9007199254"),
        ({"name": "x", "parts": [{"size": 1, "share": 1.5}]}, r"share: got 1.5, .*<= 1"),
        ({"name": "x", "parts": [], "more": 1}, "unknown field `more`"),
        ({"name": "x"}, "missing required field `parts`"),
        ({"name": 5, "parts": []}, "name: got 5, expected `str`"),
        ({"name": "x", "parts": [], "sizes": {"a": "b"}}, r"sizes\.a: got 'b', expected `int`"),
        ([], r"value: got \[\], expected `object`"),
    ],
)
def test_typed__names_the_key_its_value_and_what_is_allowed(value, message):
    with pytest.raises(ValueError, match=message):
        typed(value, Outer)


@pytest.mark.parametrize("key", ["\x1b[31m\n", "\u202etxet", "\ud800", "x" * 10**6, " - at `$.\n"])
def test_typed__shows_an_unknown_key_on_one_short_line(key):
    with pytest.raises(ValueError, match=r"unknown field `|surrogates") as error:
        typed({"name": "x", "parts": [], key: 1}, Outer)
    assert str(error.value).isprintable()
    assert len(str(error.value)) <= 200


def test_write__read_gives_the_same():
    outer = Outer("a", [Inner(1, 0.25), Inner(2)], {"x": 3})
    assert read(write(outer), Outer) == outer
    with pytest.raises(ValueError, match="JSON compliant"):
        write({"a": float("nan")})


def test_shown__is_short_ascii_whatever_it_is():
    for value in ("\x1b[31m" * 50, 10**6000, ["\u202e"], {"k": object()}):
        text = shown(value)
        assert len(text) <= 60
        assert text.isprintable()
