import os
import random
import subprocess
import sys

import h5py
import numpy as np
import pytest

import wsbench


def assert_same(found: wsbench.Zoo, expected: wsbench.Zoo) -> None:
    for name, array in expected.columns.items():
        np.testing.assert_array_equal(found.columns[name], array, strict=True)
    np.testing.assert_array_equal(found.probe_inputs, expected.probe_inputs, strict=True)
    for name in ("id", "layout", "recipe_text", "content_digest", "license", "created_by"):
        assert getattr(found, name) == getattr(expected, name)


def header_of(zoo: wsbench.Zoo) -> wsbench.ZooMetadata:
    return wsbench.ZooMetadata(zoo.id, zoo.recipe_text, zoo.layout, zoo.license, zoo.created_by)


@pytest.mark.parametrize("n_models", [1, 3, 10])
def test_load_zoo__gives_what_was_written_in_any_blocks(tmp_path, made_up_zoo, n_models):
    zoo = made_up_zoo
    blocks = [
        {name: array[start : start + 5 * n_models] for name, array in zoo.columns.items()}
        for start in range(0, 50, 5 * n_models)
    ]
    digest = wsbench.write_zoo(tmp_path / "copy", header_of(zoo), blocks, zoo.probe_inputs)
    assert digest == zoo.content_digest
    assert_same(wsbench.load_zoo(tmp_path / "copy"), zoo)
    assert_same(wsbench.load_zoo(tmp_path / "copy" / "zoo.h5"), zoo)


def test_zoo__arrays_are_read_only(made_up_zoo):
    for array in (*made_up_zoo.columns.values(), made_up_zoo.probe_inputs):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_zoo__says_how_large_it_is(made_up_zoo):
    assert repr(made_up_zoo) == "Zoo(made-up-v1: 10 models, 50 checkpoints of 12 parameters)"
    assert made_up_zoo.recipe == {"id": "made-up-v1", "models": 10, "epochs": 4}


def test_rows__selects_split_and_epochs(made_up_zoo):
    zoo = made_up_zoo
    assert zoo.rows().tolist() == list(range(50))
    assert set(zoo.split[zoo.rows("val")]) == {1}
    assert sum(len(zoo.rows(split)) for split in ("train", "val", "test")) == 50
    assert zoo.rows(epochs=[0]).tolist() == list(range(0, 50, 5))
    assert zoo.rows("test", epochs=range(3, 5)).tolist() == [
        row for row in range(50) if zoo.split[row] == 2 and zoo.epoch[row] in (3, 4)
    ]
    assert zoo.rows(epochs=[]).tolist() == []
    with pytest.raises(wsbench.UnknownIdError, match="unknown split 'tset'; did you mean 'test'"):
        zoo.rows("tset")


def test_checkpoints__are_those_of_rows(made_up_zoo):
    checkpoints = made_up_zoo.checkpoints("test", epochs=[4])
    expected = made_up_zoo.weights[made_up_zoo.rows("test", epochs=[4])]
    np.testing.assert_array_equal(checkpoints.weights, expected)
    np.testing.assert_array_equal(checkpoints.probe_inputs, made_up_zoo.probe_inputs)


def test_with_rows__takes_rows_in_order_and_has_a_digest_of_its_own(made_up_zoo):
    rows = np.array([7, 3, 3])
    some = made_up_zoo.with_rows(rows)
    for name, array in made_up_zoo.columns.items():
        np.testing.assert_array_equal(some.columns[name], array[rows], strict=True)
    assert some.content_digest != made_up_zoo.content_digest
    assert made_up_zoo.with_rows(made_up_zoo.rows()).content_digest == made_up_zoo.content_digest
    with pytest.raises(ValueError, match="read-only"):
        some.weights[0] = 0


# --- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_load_zoo__refuses_a_truncated_file(make_zoo, share):
    path = make_zoo() / "zoo.h5"
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(wsbench.IntegrityError, match=r"zoo.h5: truncated, damaged or not HDF5"):
        wsbench.load_zoo(path.parent)


@pytest.mark.parametrize("seed", range(4))
def test_load_zoo__raises_or_gives_the_same_arrays_whatever_byte_is_damaged(make_zoo, seed):
    """Everywhere in the file: most of this small one is HDF5's own, where the risk is."""
    folder = make_zoo()
    whole = wsbench.load_zoo(folder)
    data = (folder / "zoo.h5").read_bytes()
    rng = random.Random(seed)
    n_refused = 0
    for _ in range(150):
        damaged = bytearray(data)
        place = rng.randrange(len(data))
        damaged[place] ^= rng.randrange(1, 256)
        (folder / "zoo.h5").write_bytes(damaged)
        try:
            found = wsbench.load_zoo(folder)
        except (wsbench.FormatError, wsbench.IntegrityError):
            n_refused += 1
        else:
            assert_same(found, whole)
    assert n_refused > 75


@pytest.mark.parametrize("name", ["zoo.h5", "probe.npz", "manifest.json", "README.md"])
def test_verify_zoo__finds_every_damaged_byte(make_zoo, name):
    folder = make_zoo()
    assert not wsbench.verify_zoo(folder).failed
    path = folder / name
    data = path.read_bytes()
    rng = random.Random(0)
    for place in {0, len(data) - 1, *(rng.randrange(len(data)) for _ in range(40))}:
        damaged = bytearray(data)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        if name == "manifest.json" and data[place : place + 1].isspace():
            continue  # a space between two keys says nothing
        assert wsbench.verify_zoo(folder).failed, place
    path.write_bytes(data)
    assert not wsbench.verify_zoo(folder).failed


@pytest.mark.parametrize("name", ["zoo.h5", "probe.npz", "manifest.json"])
def test_verify_zoo__finds_a_missing_file(make_zoo, name):
    folder = make_zoo()
    (folder / name).unlink()
    findings = [f for check in wsbench.verify_zoo(folder).failed for f in check.findings]
    assert any(name in finding for finding in findings)


def test_verify_zoo__finds_a_file_the_manifest_does_not_name(make_zoo):
    folder = make_zoo()
    manifest = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(manifest.replace('"zoo.h5"', '"other.h5"'))
    findings = [f for check in wsbench.verify_zoo(folder).failed for f in check.findings]
    assert "manifest.json: does not name zoo.h5" in findings


def test_load_zoo__refuses_weights_that_were_changed_behind_its_back(make_zoo):
    folder = make_zoo()
    with h5py.File(folder / "zoo.h5", "r+") as file:
        file["weights"][3, 4] += 1e-6
    with pytest.raises(wsbench.IntegrityError, match="the arrays have the digest"):
        wsbench.load_zoo(folder)


def test_load_zoo__refuses_a_missing_or_damaged_probe(make_zoo):
    probe = make_zoo() / "probe.npz"
    data = probe.read_bytes()
    probe.unlink()
    with pytest.raises(wsbench.FormatError, match=r"probe.npz: missing"):
        wsbench.load_zoo(probe.parent)
    probe.write_bytes(data[:100])
    with pytest.raises(wsbench.IntegrityError, match=r"probe.npz: damaged"):
        wsbench.load_zoo(probe.parent)
    np.savez(probe, inputs=np.zeros(3))
    with pytest.raises(wsbench.FormatError, match=r"probe.npz: dtype float64, expected float32"):
        wsbench.load_zoo(probe.parent)
    np.savez(probe, others=np.zeros(3, np.float32))
    with pytest.raises(wsbench.IntegrityError, match=r"probe.npz: damaged: 'inputs'"):
        wsbench.load_zoo(probe.parent)


def test_load_zoo__says_that_a_folder_is_none_of_a_zoo(tmp_path):
    with pytest.raises(wsbench.FormatError, match=r"no such file; a zoo's folder holds a zoo.h5"):
        wsbench.load_zoo(tmp_path)


@pytest.mark.parametrize("use", [wsbench.load_zoo, wsbench.verify_zoo])
def test_path__that_cannot_be_looked_up_is_explained(use, make_zoo, without_privileges):
    folder = make_zoo()
    folder.parent.chmod(0o700)
    with without_privileges(), pytest.raises(wsbench.StorageError, match="cannot read: Permission"):
        use(folder)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_load_zoo__does_not_wait_for_a_path_that_is_no_file(tmp_path, make):
    make(tmp_path / "zoo.h5")
    with pytest.raises(wsbench.FormatError, match="is a pipe, socket or device, expected a reg"):
        wsbench.load_zoo(tmp_path / "zoo.h5")


# --- what others read ----------------------------------------------------------------------------

_LOAD_DATASET = """
import sys
import numpy as np
from datasets import load_dataset
rows = load_dataset("hdf5", data_files=sys.argv[1], split="train", cache_dir=sys.argv[2])
np.savez(sys.argv[3], **rows.with_format("numpy")[:])
for name, feature in rows.features.items():
    print(name, feature)
"""


@pytest.mark.slow
def test_zoo_h5__is_read_by_hugging_face_datasets(make_zoo, tmp_path):
    """Without a line of ours, and without a network."""
    folder = make_zoo()
    zoo = wsbench.load_zoo(folder)
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _LOAD_DATASET, folder / "zoo.h5",
         tmp_path / "cache", tmp_path / "columns.npz"],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1",
                          "HF_HOME": str(tmp_path / "hf")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    features = {
        name: f"Value('{array.dtype}')" if array.ndim == 1 else "List(Value('float32'), length=12)"
        for name, array in zoo.columns.items()
    }
    assert dict(line.split(" ", 1) for line in result.stdout.splitlines()) == features
    with np.load(tmp_path / "columns.npz") as columns:
        for name, array in zoo.columns.items():
            np.testing.assert_array_equal(columns[name], array)  # numpy format makes int64
