"""Each fault is caused in a real file; `load_zoo` refuses it and `verify_zoo` lists it."""

import json

import h5py
import numpy as np
import pytest

import wsbench


def faults(folder) -> list[str]:
    return [fault for check in wsbench.verify_zoo(folder).failed for fault in check.findings]


def edit(folder, change) -> None:
    with h5py.File(folder / "zoo.h5", "r+") as file:
        change(file)


def replaced(name, change):
    """Replace a dataset by what becomes of its values."""

    def edit_file(file):
        values = file[name][:]
        del file[name]
        file[name] = change(values)

    return edit_file


def attribute(name, value):
    return lambda file: file.attrs.__setitem__(name, value)


def without_attribute(name):
    return lambda file: file.attrs.__delitem__(name)


def layout(**values):
    def edit_file(file):
        content = json.loads(file.attrs["layout"]) | values
        file.attrs["layout"] = json.dumps(content)

    return edit_file


STRUCTURE = [
    (lambda file: file.__delitem__("epoch"), "dataset 'epoch' (completed passes"),
    (lambda file: file.create_group("weights2"), "unknown dataset 'weights2'"),
    (replaced("weights", np.float64), "weights: dtype <f8, expected <f4"),
    (replaced("weights", lambda v: v.astype(">f4")), "weights: dtype >f4, expected <f4"),
    (replaced("epoch", lambda v: v.astype(np.int64)), "epoch: dtype <i8, expected <i2"),
    (replaced("weights", np.ravel), "weights: 1 axes, expected 2"),
    (replaced("model", lambda v: v[0]), "model: 0 axes, expected 1"),
    (replaced("split", lambda v: v[:-1]), "datasets differ in length"),
    (without_attribute("license"), "attribute 'license' (SPDX identifier) is missing or not text"),
    (attribute("id", 7), "attribute 'id' (name-vN) is missing or not text"),
    (without_attribute("format"), "attribute 'format' is missing: this is not a zoo file"),
    (attribute("format", "1"), "attribute 'format' is missing: this is not a zoo file"),
    (attribute("format", 2), "format 2, and this version of wsbench reads format 1; upgrade"),
    (attribute("format", 0), "format 0, and this version of wsbench reads format 1; build"),
    (attribute("layout", "{"), "layout: not the JSON text of a layout"),
    (layout(tensors=[]), "weights: 12 parameters, the layout has 0"),
    (layout(activation=None), "(activation: expected `str`, got `null`)"),
]


@pytest.mark.parametrize(("change", "fault"), STRUCTURE)
def test_load_zoo__refuses_a_file_of_wrong_structure(make_zoo, change, fault):
    folder = make_zoo()
    edit(folder, change)
    with pytest.raises(wsbench.FormatError) as error:
        wsbench.load_zoo(folder)
    assert fault in str(error.value)
    assert str(folder / "zoo.h5") in str(error.value)
    assert any(fault in found for found in faults(folder))


def in_row(row, value):
    def change(values):
        values = values.copy()
        values[row] = value
        return values

    return change


VALUES = [
    ("weights", in_row(3, np.nan), "weights: not finite in 1 rows, first row 3"),
    ("weights", in_row(4, np.inf), "weights: not finite in 1 rows, first row 4"),
    ("train_loss", in_row(slice(7, 9), np.nan), "train_loss: not finite in 2 rows, first row 7"),
    ("test_loss", in_row(0, -0.5), "test_loss: -0.5 is below 0"),
    ("test_accuracy", in_row(0, 1.5), "test_accuracy: 1.5 is above 1"),
    ("test_accuracy", in_row(0, -1), "test_accuracy: -1.0 is below 0"),
    ("split", in_row(slice(0, 5), 3), "split: 3 is above 2"),
    ("model", in_row(slice(0, 5), -1), "model: -1 is below 0"),
    ("epoch", in_row(0, -1), "epoch: -1 is below 0"),
    ("epoch", in_row(1, 0), "epoch: not ascending within each model"),
    ("epoch", lambda v: v[::-1].copy(), "epoch: not ascending within each model"),
    ("split", in_row(12, 1), "split: not constant within model 2"),
    ("model", lambda v: v[::-1].copy(), "model: rows are not model-major, models ascending"),
    ("model", lambda v: np.roll(v, 1), "model: rows are not model-major, models ascending"),
    ("model", lambda v: v // 2, "the recipe says models = 10, the file holds 5"),
    ("epoch", lambda v: v + v // 4, "the recipe says epochs = 4, the file holds 5"),
    ("recipe", lambda _: "models = ", "attribute 'recipe': not TOML"),
    ("recipe", lambda _: 'id = "other-v1"', "the recipe says id = 'other-v1', the file holds 'ma"),
]


@pytest.mark.parametrize(("name", "change", "fault"), VALUES)
def test_load_zoo__refuses_wrong_values_though_their_digest_is_right(make_zoo, name, change, fault):
    whole = wsbench.load_zoo(make_zoo())
    values = None if name == "recipe" else whole.columns[name]
    folder = make_zoo(**{name: change(values)})
    with pytest.raises(wsbench.FormatError) as error:
        wsbench.load_zoo(folder)
    assert any(fault in found for found in error.value.faults)
    assert any(fault in found for found in faults(folder))


def test_load_zoo__names_the_first_fault_and_how_many_more(make_zoo):
    folder = make_zoo()
    edit(folder, replaced("weights", np.float64))
    edit(folder, replaced("epoch", lambda v: v[:3]))
    edit(folder, without_attribute("license"))
    with pytest.raises(wsbench.FormatError, match=r"license.*and 2 more; wsbench verify lists"):
        wsbench.load_zoo(folder)


def test_verify_zoo__lists_every_fault_of_a_file(make_zoo):
    whole = wsbench.load_zoo(make_zoo())
    folder = make_zoo(
        weights=in_row(3, np.nan)(whole.weights),
        test_accuracy=in_row(1, 2)(whole.test_accuracy),
        epoch=in_row(1, 0)(whole.epoch),
    )
    edit(folder, attribute("layout", "{"))
    (folder / "probe.npz").write_bytes(b"PK")
    found = "\n".join(faults(folder))
    expected = (
        "zoo.h5: got",
        "probe.npz: got",
        "layout: not",
        "weights: not finite",
        "test_accuracy: 2.0 is above 1",
        "epoch: not ascending",
        "probe.npz: damaged",
    )
    for fault in expected:
        assert fault in found


def test_verify_zoo__lists_every_fault_of_structure(make_zoo):
    folder = make_zoo()
    edit(folder, lambda file: file.__delitem__("model"))
    edit(folder, lambda file: file.create_group("more"))
    edit(folder, without_attribute("recipe"))
    edit(folder, replaced("split", lambda v: v.astype(np.int8)))
    found = "\n".join(faults(folder))
    for fault in ("'model'", "'more'", "'recipe'", "split: dtype |i1"):
        assert fault in found


def test_load_zoo__reads_attributes_as_h5py_writes_them(make_zoo):
    folder = make_zoo()
    with h5py.File(folder / "zoo.h5", "r+") as file:
        file.attrs["license"] = "MIT"  # of variable length
    assert wsbench.load_zoo(folder).license == "MIT"


def test_load_zoo__refuses_a_zoo_without_checkpoints(make_zoo):
    folder = make_zoo()

    def empty(file):
        for name in list(file):
            replaced(name, lambda values: values[:0])(file)

    edit(folder, empty)
    with pytest.raises(wsbench.FormatError, match="the zoo has no checkpoints"):
        wsbench.load_zoo(folder)
