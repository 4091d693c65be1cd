import types

import numpy as np
import pytest

import wsbench
from wsbench.networks.checkpoints import Checkpoints, Labels
from wsbench.networks.layout import Layout

LAYOUT = Layout.of(
    [("a", (2, 3), ("hidden-1", "input")), ("b", (1, 2), ("output", "hidden-1"))], "sigmoid"
)
WEIGHTS = np.arange(24, dtype=np.float32).reshape(3, 8)
LABELS = Labels(np.array([5, 5, 6], np.int32), np.array([1, 2, 1], np.int16))


def test_checkpoints__are_read_only_copies():
    weights, inputs = WEIGHTS.copy(), np.ones((4, 3), np.float32)
    checkpoints = Checkpoints(weights, LAYOUT, probe_inputs=inputs, labels=LABELS)
    weights[:] = inputs[:] = 0
    np.testing.assert_array_equal(checkpoints.weights, WEIGHTS)
    assert checkpoints.probe_inputs.min() == 1
    for array in (
        checkpoints.weights,
        checkpoints.probe_inputs,
        checkpoints.model,
        checkpoints.epoch,
        checkpoints.tensors("a"),
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_checkpoints__cannot_be_made_writeable_nor_can_what_owns_their_memory():
    frozen = WEIGHTS.copy()
    frozen.setflags(write=False)  # it owns its memory, so that anybody may undo this
    inputs = np.ones((4, 3), np.float32)
    checkpoints = Checkpoints(frozen, LAYOUT, probe_inputs=inputs, labels=LABELS)
    for array in (
        checkpoints.weights,
        checkpoints.probe_inputs,
        checkpoints.model,
        checkpoints.epoch,
        checkpoints.tensors("b"),
    ):
        while isinstance(array, np.ndarray):
            with pytest.raises(ValueError, match="WRITEABLE"):
                array.setflags(write=True)
            array = array.base
        assert isinstance(array, bytes)
    frozen.setflags(write=True)
    frozen[:] = 0
    np.testing.assert_array_equal(checkpoints.weights, WEIGHTS)


@pytest.mark.parametrize("name", ["weights", "layout", "probe_inputs", "model", "more"])
def test_checkpoints__take_no_other_attributes(name):
    with pytest.raises(AttributeError):
        setattr(Checkpoints(WEIGHTS, LAYOUT), name, 1)


def test_tensors__are_the_slices_of_each_row():
    checkpoints = Checkpoints(WEIGHTS, LAYOUT)
    assert checkpoints.tensors("a").tolist() == [
        [[8 * n + 0, 8 * n + 1, 8 * n + 2], [8 * n + 3, 8 * n + 4, 8 * n + 5]] for n in range(3)
    ]
    assert checkpoints.tensors("b").tolist() == [[[8 * n + 6, 8 * n + 7]] for n in range(3)]
    with pytest.raises(wsbench.UnknownIdError, match=r"'c'.*a, b"):
        checkpoints.tensors("c")


def test_checkpoints__are_an_array_to_numpy():
    """So that what takes arrays, as scikit-learn's transformers do, takes checkpoints."""
    checkpoints = Checkpoints(WEIGHTS, LAYOUT)
    assert len(checkpoints) == 3
    np.testing.assert_array_equal(np.asarray(checkpoints), WEIGHTS, strict=True)
    np.testing.assert_array_equal(
        np.asarray(checkpoints, np.float64), WEIGHTS.astype(np.float64), strict=True
    )


def test_checkpoints__say_how_many_they_are():
    assert repr(Checkpoints(WEIGHTS, LAYOUT)) == "Checkpoints(3 checkpoints of 8 parameters)"


@pytest.mark.parametrize(
    ("attribute", "need"),
    [("probe_inputs", "probe_inputs"), ("model", "labels"), ("epoch", "labels")],
)
def test_checkpoints__name_the_line_to_add_for_what_was_not_declared(attribute, need):
    checkpoints = Checkpoints(WEIGHTS, LAYOUT)
    with pytest.raises(wsbench.UndeclaredNeedError) as error:
        getattr(checkpoints, attribute)
    assert f"checkpoints.{attribute}" in str(error.value)
    assert f'add needs={{"{need}"}}' in str(error.value)
    assert not hasattr(checkpoints, attribute)  # an AttributeError, as Python would have it


def reachable(thing: object) -> list[np.ndarray]:
    """Every array that attributes, slots, items and the owners of memory lead to from here."""
    found, seen, waiting = [], set(), [thing]
    while waiting:
        here = waiting.pop()
        if id(here) in seen or isinstance(here, type | types.ModuleType | str | bytes | int):
            continue
        seen.add(id(here))
        if isinstance(here, np.ndarray):
            found.append(here)
            waiting.append(here.base)
        if isinstance(here, tuple | list | dict | set):
            waiting += [*here.values()] if isinstance(here, dict) else [*here]
        for name in {*dir(here), *getattr(type(here), "__slots__", ())} if here is thing else ():
            try:
                waiting.append(getattr(here, name))
            except wsbench.WsbenchError:
                continue
        waiting += [*getattr(here, "__dict__", {}).values()]
        if isinstance(here, types.MethodType):
            waiting.append(here.__self__)
        if isinstance(here, memoryview):
            waiting.append(here.obj)
    return found


def test_checkpoints__lead_to_no_label_and_to_no_other_row(made_up_zoo):
    zoo = made_up_zoo
    rows = np.random.default_rng(0).permutation(zoo.rows("test"))
    for probe_inputs in (None, zoo.probe_inputs):
        view = Checkpoints(zoo.weights[rows], zoo.layout, probe_inputs=probe_inputs)
        arrays = reachable(view)
        assert any(array is view.weights for array in arrays)
        allowed = {zoo.weights[rows].tobytes(), zoo.probe_inputs.tobytes()}
        assert {array.tobytes() for array in arrays} <= allowed


def test_reachable__finds_an_array_behind_a_view(made_up_zoo):
    """The test above fails where something shares memory with the zoo, or keeps labels."""
    zoo = made_up_zoo
    shared = types.SimpleNamespace(weights=zoo.weights[5:10])
    assert any(array is zoo.weights for array in reachable(shared))
    labelled = Checkpoints(zoo.weights[[1, 0]], zoo.layout, labels=Labels(zoo.model, zoo.epoch))
    assert any(array.tobytes() == zoo.model.tobytes() for array in reachable(labelled))
