import json

import pytest

import wsbench
from wsbench.networks.layout import Convolution, Layout
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


VECTORS = [
    ("a", (4, 3), ("hidden-1", "input")),
    ("a.bias", (4,), ("hidden-1",), "bias"),
    ("bn.weight", (4,), ("hidden-1",), "scale"),
    ("bn.bias", (4,), ("hidden-1",), "shift"),
    ("bn.running_mean", (4,), ("hidden-1",), "mean"),
    ("bn.running_var", (4,), ("hidden-1",), "variance"),
    ("b", (2, 4), ("output", "hidden-1")),
]


def test_layout__keeps_roles_through_json_and_writes_none_for_weights():
    layout = Layout.of(VECTORS, "relu")
    assert [t.role for t in layout.tensors] == [
        "weight", "bias", "scale", "shift", "mean", "variance", "weight",
    ]  # fmt: skip
    assert Layout.from_json(layout.to_json()) == layout
    entries = json.loads(layout.to_json())["tensors"]
    assert ["role" in entry for entry in entries] == [False, *[True] * 5, False]


def test_layout__of_a_zoo_is_written_with_these_bytes():
    assert MLP((196, 10, 10, 10)).layout().to_json() == (
        '{"activation": "sigmoid", "tensors": ['
        '{"name": "fc1.weight", "shape": [10, 196], "axes": ["hidden-1", "input"], "start": 0}, '
        '{"name": "fc2.weight", "shape": [10, 10], "axes": ["hidden-2", "hidden-1"],'
        ' "start": 1960}, '
        '{"name": "fc3.weight", "shape": [10, 10], "axes": ["output", "hidden-2"],'
        ' "start": 2060}], "convolutions": {}}'
    )
    assert CNN().layout().to_json() == (
        '{"activation": "leaky-relu", "tensors": [{"name": "conv1.weight", "shape": [16, 1, 3, 3],'
        ' "axes": ["hidden-1", "input", "row", "column"], "start": 0}, {"name": "conv2.weight",'
        ' "shape": [8, 16, 3, 3], "axes": ["hidden-2", "hidden-1", "row", "column"],'
        ' "start": 144}, {"name": "fc.weight", "shape": [10, 8], "axes": ["output", "hidden-2"],'
        ' "start": 1296}], "convolutions": {"conv1.weight": {"stride": 2, "padding": 1,'
        ' "pool": 2}, "conv2.weight": {"stride": 2, "padding": 1, "pool": 2}}}'
    )


TAPS = ("row", "column")
CONV = ("c", (4, 1, 3, 2), ("hidden-1", "input", *TAPS))


@pytest.mark.parametrize(
    ("tensors", "convolutions", "message"),
    [
        (VECTORS[1:], {}, "tensor 'a.bias': a bias follows the weight of its layer"),
        ([*VECTORS, ("b.bias", (3,), ("output",), "bias")], {},
         r"tensor 'b.bias': the bias of 'b' has axes \('output',\) and shape \(2,\), not .*\(3,\)"),
        ([*VECTORS, ("late", (4,), ("hidden-1",), "bias")], {}, "'late': the bias of 'b' has axes"),
        ([*VECTORS[:2], ("again", (4,), ("hidden-1",), "bias")], {},
         "tensor 'again': 'a' has the bias 'a.bias' already"),
        ([VECTORS[0], ("x", (4,), ("hidden-1",), "gain")], {},
         "tensor 'x': role 'gain' is not one of weight, bias, scale, shift, mean, variance"),
        ([VECTORS[0], ("b", (2, 5), ("output", "hidden-1"))], {},
         "tensor 'b' has 5 units 'hidden-1', and 'a' has 4"),
        ([VECTORS[0], VECTORS[0]], {}, "two tensors have the name 'a'"),
        ([("a", (4,), ("output", "input"))], {}, r"'a': shape \(4,\) does not fit axes"),
        ([("a", (), ())], {}, r"'a': shape \(\) does not fit axes"),
        ([("a", (1,) * 9, ("output",) * 9)], {}, "'a': shape .* does not fit axes"),
        ([("a", (2**40, 2), ("output", "input"))], {}, r"2199023255552 parameters; allowed are"),
        ([("a\x1b[31m", (2,), ("output",))], {}, r"the name 'a\\x1b\[31m' is not 1 to 200 print"),
        ([("a" * 201, (2,), ("output",))], {}, r"the name 'aaa.* is not 1 to 200 printable"),
        ([("a", (2,), ("",))], {}, "the name '' is not 1 to 200 printable"),
        ([(str(i), (1,), ("o",)) for i in range(10_001)], {}, "10001 tensors; allowed are 10000"),
        ([CONV], {"d": Convolution()}, "convolutions of unknown tensors 'd'"),
        (VECTORS, {"a": Convolution()}, r"'a' with axes \('hidden-1', 'input'\) is not a convol"),
        (VECTORS, {"a.bias": Convolution()}, r"'a.bias' with axes .* is not a convolution"),
        ([CONV], {"c": Convolution(stride=0)}, "convolution 'c': stride and pool are at least 1"),
        ([CONV], {"c": Convolution(pool=0)}, "convolution 'c': stride and pool are at least 1"),
        ([CONV], {"c": Convolution(padding=-1)}, "convolution 'c': .* padding at least 0"),
        ([CONV], {"c": Convolution(padding=2)}, "padding 2 is not smaller than the filter, 3 × 2"),
    ],
)  # fmt: skip
def test_layout__names_the_tensor_that_does_not_fit(tensors, convolutions, message):
    with pytest.raises(wsbench.FormatError, match=rf"^layout: .*{message}") as error:
        Layout.of(tensors, "relu", convolutions)
    assert str(error.value).isprintable()


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
        tensor(role="gain"),
        tensor(role="bias"),
        tensor(role=None),
        tensor(shape=[True, 2060]),
        tensor(shape=[]),
        tensor(shape=[2**70, 10]),
        tensor(name="b\nc"),
        tensor(name="b" * 300),
        lambda content: content.update(tensors=content["tensors"] * 10_000),
        lambda content: content.update(activation=1),
        lambda content: content.update(convolutions=[]),
        lambda content: content.update(convolutions={"a": {"stride": 0}}),
        lambda content: content.update(convolutions={"a": {"dilation": 2}}),
        lambda content: content.update(tensors=[1]),
        lambda content: content.update(tensors=None),
    ],
)
def test_from_json__refuses_what_is_not_a_layout(change):
    content = json.loads(LAYOUT.to_json())
    change(content)
    with pytest.raises(wsbench.FormatError, match=r"^layout: "):
        Layout.from_json(json.dumps(content))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "null", '"tensors"', "[" * 100_000, '{"a": NaN}']
)
def test_from_json__refuses_other_texts(text):
    with pytest.raises(wsbench.FormatError, match=r"^layout: "):
        Layout.from_json(text)
