import json

import pytest

import wsbench
from wsbench.networks.layout import Layout
from wsbench_zoos.architectures import CNN, MLP

LAYOUT = Layout.of(
    [("a", (10, 196), ("hidden-1", "input")), ("b", (10, 10), ("output", "hidden-1"))], "sigmoid"
)


def test_layout__places_tensors_without_gaps():
    assert [(t.start, t.stop) for t in LAYOUT.tensors] == [(0, 1960), (1960, 2060)]
    assert LAYOUT.n_parameters == 2060
    assert LAYOUT.names == ("a", "b")
    assert LAYOUT.tensor("b").axes == ("output", "hidden-1")


def test_hidden_units__are_counted_by_the_axes_in_order():
    assert MLP((196, 10, 7, 10)).layout().hidden_units == {"hidden-1": 10, "hidden-2": 7}
    assert list(CNN().layout().hidden_units.items()) == [("hidden-1", 16), ("hidden-2", 8)]
    assert Layout.of([("a", (3, 2), ("output", "input"))], "relu").hidden_units == {}


def test_layout__of_nothing_has_no_parameters():
    assert Layout.of([], "identity").n_parameters == 0


def test_tensor__names_those_there_are():
    with pytest.raises(wsbench.UnknownIdError, match=r"no tensor 'c'.*a, b"):
        LAYOUT.tensor("c")


def test_layout__survives_json():
    assert Layout.from_json(LAYOUT.to_json()) == LAYOUT


def without(key):
    def change(content):
        del content[key]

    return change


def tensor(**values):
    return lambda content: content["tensors"][1].update(values)


@pytest.mark.parametrize(
    "change",
    [
        without("tensors"),
        without("activation"),
        lambda content: content.update(more=1),
        lambda content: content["tensors"][0].pop("axes"),
        tensor(more=1),
        tensor(start=1961),
        tensor(start="1960"),
        tensor(shape=[10]),
        tensor(shape=[10, 10.0]),
        tensor(shape=[-10, -10]),
        tensor(shape=[10, 0]),
        tensor(shape="ab"),
        tensor(axes=["output"]),
        tensor(axes=[1, 2]),
        tensor(name="a"),
        tensor(name=None),
        lambda content: content.update(tensors=[1]),
        lambda content: content.update(tensors=None),
    ],
)
def test_from_json__refuses_what_is_not_a_layout(change):
    content = json.loads(LAYOUT.to_json())
    change(content)
    with pytest.raises(wsbench.FormatError, match=r"^layout: "):
        Layout.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"tensors"', "[" * 100_000])
def test_from_json__refuses_other_texts(text):
    with pytest.raises(wsbench.FormatError, match=r"^layout: "):
        Layout.from_json(text)
