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
    (attribute("recipe", "models = "), "attribute 'recipe': not TOML"),
    (attribute("recipe", f"a = {'[' * 5000}"), "attribute 'recipe': not TOML"),
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
    edit(folder, attribute("created_by", "another program"))
    (folder / "probe.npz").write_bytes(b"PK")
    found = "\n".join(faults(folder))
    expected = (
        "zoo.h5: got",
        "probe.npz: got",
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


def test_verify_zoo__lists_every_fault_of_the_texts(make_zoo):
    folder = make_zoo()
    edit(folder, attribute("id", "../zoo"))
    edit(folder, attribute("license", "MIT\nMIT"))
    edit(folder, attribute("recipe", "models = "))
    edit(folder, layout(activation="\x9b2J"))
    found = "\n".join(faults(folder))
    for fault in ("id: got '../zoo'", "'license': got 'MIT", "'recipe': not TOML", "layout: "):
        assert fault in found


# --- ids -----------------------------------------------------------------------------------------

BAD_IDS = (
    "../../../x", "/tmp/x-v1", "a/b-v1", "", ".", "zoo", "zoo-v0", "Zoo-v1", "zoo-v1\n", "-v1",
    "zöo-v1",
)  # fmt: skip


@pytest.mark.parametrize("zoo_id", BAD_IDS)
def test_zoo__of_an_id_that_is_no_name_vn_is_neither_read_nor_written(make_zoo, tmp_path, zoo_id):
    folder = make_zoo()
    edit(folder, attribute("id", zoo_id))
    for refuse in (lambda: wsbench.load_zoo(folder), lambda: make_zoo("other", id=zoo_id)):
        with pytest.raises(wsbench.FormatError, match=r"id: got .*, expected name-vN") as error:
            refuse()
        assert "\n" not in str(error.value)
    assert not (tmp_path / "other").exists()
    assert any("expected name-vN" in fault for fault in faults(folder))


def test_evaluate__writes_nothing_for_a_zoo_whose_id_is_a_path(make_zoo, tmp_path):
    folder = make_zoo()
    edit(folder, attribute("id", "../../../escaped"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(wsbench.FormatError, match="expected name-vN"):
        wsbench.evaluate("euclidean", wsbench.load_zoo(folder))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(("length", "is_allowed"), [(100, True), (101, False), (300, False)])
def test_zoo__id_has_at_most_a_hundred_characters(make_zoo, length, is_allowed):
    zoo_id = "a" * (length - 3) + "-v1"
    recipe = f'id = "{zoo_id}"\n'
    if is_allowed:
        assert wsbench.load_zoo(make_zoo(id=zoo_id, recipe=recipe)).id == zoo_id
    else:
        with pytest.raises(wsbench.FormatError, match=f"id: got {length} characters, at most 100"):
            make_zoo(id=zoo_id, recipe=recipe)


# --- control characters --------------------------------------------------------------------------

CONTROLS = (
    "\x1b[2J",
    "\x9b31m",
    "\x07",
    "\x00",
    "\r",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u200b",
    "\ufeff",
)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("name", ["license", "created_by", "recipe"])
def test_zoo__texts_hold_no_control_characters(make_zoo, control, name):
    text = f"a{control}b"
    value = {"recipe": f"# {text}\n"}.get(name, text)
    with pytest.raises(wsbench.FormatError, match=f"attribute '{name}'"):
        make_zoo(**{name: value})
    if "\0" in value:
        return  # which HDF5 does not store in texts of variable length
    folder = make_zoo()
    edit(folder, attribute(name, value))
    with pytest.raises(wsbench.FormatError, match=f"attribute '{name}'") as error:
        wsbench.load_zoo(folder)
    assert control not in str(error.value)
    assert any(f"attribute '{name}'" in fault and control not in fault for fault in faults(folder))


@pytest.mark.parametrize("text", [r'title = "\u001b[2J"', r'"\u009b" = 1', r'a = [{b = "\u0007"}]'])
def test_zoo__recipe_hides_no_control_characters_in_escape_sequences(make_zoo, text):
    folder = make_zoo()
    edit(folder, attribute("recipe", text))
    with pytest.raises(wsbench.FormatError, match=r"attribute 'recipe': .* holds control char"):
        wsbench.load_zoo(folder)


def tensors(**values):
    def edit_file(file):
        content = json.loads(file.attrs["layout"])
        content["tensors"][0] |= values
        file.attrs["layout"] = json.dumps(content)

    return edit_file


@pytest.mark.parametrize(
    "change",
    [
        tensors(name="\x1b[2Ja"),
        tensors(axes=["hidden-1", "\x9bA"]),
        tensors(**{"\x1b[2J": 1}),
        layout(activation="sigmoid\x1b]0;x\x07"),
        layout(convolutions={"\x1b[2J": {}}),
    ],
)
def test_zoo__layout_hides_no_control_characters_in_escape_sequences(make_zoo, change):
    folder = make_zoo()
    edit(folder, change)
    with pytest.raises(wsbench.FormatError, match="layout") as error:
        wsbench.load_zoo(folder)
    assert str(error.value).isprintable()
    assert all(fault.isprintable() for fault in faults(folder))


def test_zoo__keeps_tabs_and_lines_of_a_recipe_and_every_script(make_zoo):
    recipe = "# 重み空間 é\n\ttitle = 'ελ — 1'\n"
    assert wsbench.load_zoo(make_zoo(recipe=recipe)).recipe_text == recipe


# --- sizes ---------------------------------------------------------------------------------------


def declaring(rows, models=10, epochs=4):
    """Declare rows that are not stored: HDF5 then fills in zeros."""

    def edit_file(file):
        for name in list(file):
            dtype, p = file[name].dtype, file[name].shape[1:]
            del file[name]
            chunks = (1000, *p)
            file.create_dataset(name, (rows, *p), dtype, chunks=chunks, compression="gzip")
            file[name][:1000] = 0
        file.attrs["recipe"] = f'id = "made-up-v1"\nmodels = {models}\nepochs = {epochs}\n'

    return edit_file


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (declaring(10**9), "weights: 1000000000 rows, the recipe says models = 10, epochs = 4"),
        (declaring(10**9, 10**6, 999), "weights: 48,000,000,000 bytes in "),
        (layout(tensors=[{"name": "a", "shape": [10**9], "axes": ["x"], "start": 0}]),
         "weights: 12 parameters, the layout has 1000000000"),
    ],
)  # fmt: skip
def test_load_zoo__refuses_a_small_file_that_declares_much(make_zoo, change, fault):
    folder = make_zoo()
    edit(folder, change)
    assert (folder / "zoo.h5").stat().st_size < 200_000
    with pytest.raises(wsbench.FormatError) as error:
        wsbench.load_zoo(folder)
    assert fault in str(error.value)
    assert any(fault in found for found in faults(folder))


def test_load_zoo__refuses_arrays_larger_than_the_memory(make_zoo, monkeypatch):
    folder = make_zoo()
    monkeypatch.setattr("wsbench.zoo.zoo._memory_bytes", lambda: 1000)
    with pytest.raises(wsbench.StorageError, match="3,350 bytes, this machine has 1,000 bytes"):
        wsbench.load_zoo(folder)


@pytest.mark.parametrize("name", ["content_digest", "value_faults", "read_probe"])
def test_load_zoo__explains_that_memory_is_short(make_zoo, monkeypatch, name):
    def fail(*_):
        raise MemoryError("Unable to allocate 7.00 GiB")

    folder = make_zoo()
    monkeypatch.setattr(f"wsbench.zoo.zoo.{name}", fail)
    with pytest.raises(wsbench.StorageError, match=r"does not fit into memory: .* 7\.00 GiB"):
        wsbench.load_zoo(folder)


def virtual(file):
    source = h5py.VirtualSource("other.h5", "weights", shape=(50, 12))
    sources = h5py.VirtualLayout((50, 12), "<f4")
    sources[:] = source
    del file["weights"]
    file.create_virtual_dataset("weights", sources)


def external(file):
    del file["weights"]
    file.create_dataset("weights", (50, 12), "<f4", external=[("/etc/passwd", 0, 2400)])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (virtual, "weights: its values are in another file"),
        (external, "weights: its values are in another file"),
        (lambda file: (file.__delitem__("weights"),
                       file.__setitem__("weights", h5py.ExternalLink("other.h5", "weights"))),
         "dataset 'weights' is a link"),
    ],
)  # fmt: skip
def test_load_zoo__reads_no_other_file(make_zoo, change, fault):
    folder = make_zoo()
    edit(folder, change)
    with pytest.raises(wsbench.FormatError, match=fault):
        wsbench.load_zoo(folder)


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
