"""Parameters of methods, held against the annotations of their constructors."""

import pytest

import wsbench

ANNOTATED = """
from pathlib import Path
from typing import Literal
class Annotated:
    def __init__(
        self, k: int = 5, share: float = 0.5, layers: tuple[int, ...] = (1,), word: str = "a",
        some: "list[float] | None" = None, free=1, where: Path = "here",
        kind: Literal["cosine", "angle"] = "cosine",
    ):
        self.__dict__.update(vars())

    def transform(self, checkpoints):
        return checkpoints.weights
"""


@pytest.fixture
def method_file(tmp_path):
    def write(text: str) -> str:
        (tmp_path / "my_method.py").write_text(text)
        return f"{tmp_path}/my_method.py:Annotated"

    return write


@pytest.fixture
def annotated(method_file):
    return method_file(ANNOTATED)


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"share": 1}, 1.0),
        ({"layers": [2, 3]}, (2, 3)),
        ({"some": [1, 2.5]}, [1.0, 2.5]),
        ({"some": None}, None),
        ({"free": {"any": [1]}}, {"any": [1]}),
        ({"where": "there"}, "there"),  # a type that JSON does not have
        ({"kind": "angle"}, "angle"),
    ],
)
def test_load_method__converts_parameters_as_the_constructor_is_annotated(annotated, given, made):
    (name,) = given
    loaded = wsbench.load_method(annotated, given)
    found = getattr(loaded.method, name)
    assert (found, type(found)) == (made, type(made))
    assert loaded.parameters[name] == given[name]


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"k": "abc"}, "k: got 'abc', expected `int`"),
        ({"k": True}, "k: got True, expected `int`"),
        ({"k": 2.5}, "k: got 2.5, expected `int`"),
        ({"k": None}, "k: expected `int`, got `null`"),
        ({"word": 5}, "word: got 5, expected `str`"),
        ({"layers": 3}, "layers: got 3, expected `array`"),
        ({"layers": [1, "b"]}, "layers.1: got 'b', expected `int`"),
        ({"kind": "sine"}, "got 'sine', not an allowed value; allowed are ['cosine', 'angle']"),
        ({"some": ["a"]}, "some.0: got 'a', expected `float`"),
    ],
)
def test_load_method__names_the_parameter_that_is_not_as_annotated(annotated, parameters, why):
    with pytest.raises(wsbench.MethodError) as error:
        wsbench.load_method(annotated, parameters)
    assert str(error.value).endswith(f": {why}")
    assert "\n" not in str(error.value)


def test_load_method__takes_parameters_as_they_are_where_annotations_cannot_be_read(method_file):
    spec = method_file(ANNOTATED.replace('"list[float] | None"', '"Undefined"'))
    assert wsbench.load_method(spec, {"k": "abc"}).method.k == "abc"


def test_load_method__keeps_all_parameters_and_which_were_set(annotated):
    """A default that changes later must not change what a record says."""
    defaults = {"k": 5, "share": 0.5, "layers": [1], "word": "a", "some": None, "free": 1}
    defaults |= {"where": "here", "kind": "cosine"}
    loaded = wsbench.load_method(annotated, {"k": 7, "word": "a"})
    assert loaded.parameters == defaults | {"k": 7}
    assert loaded.settings == ("k",)
    assert loaded.label == "annotated k=7"
