import pytest
import typer

from wsbench.cli.settings import settings


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("5.5", 5.5),
        ("1e-3", 1e-3),
        ("true", True),
        ("True", True),
        ("null", None),
        ("None", None),
        ("[0.1, 0.2]", [0.1, 0.2]),
        ("[.1,.2]", [0.1, 0.2]),
        ("'5'", "5"),
        ('"5"', "5"),
        ("hidden-1", "hidden-1"),
        ("a=b", "a=b"),
        ("", ""),
        ("[" * 9999, "[" * 9999),
    ],
)
def test_settings__takes_json_python_literals_and_words(text, value):
    result = settings([f"name={text}"])["name"]
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize("assignments", [["k"], ["=3"], ["1k=3"], ["k=1", "k=2"]])
def test_settings__refuses_what_sets_nothing_or_twice(assignments):
    with pytest.raises(typer.BadParameter):
        settings(assignments)
