import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from wsbench import DataError
from wsbench_zoos.data import mnist, sources

DATA = os.environ.get("WSBENCH_DATA")
needs_mnist = [
    pytest.mark.needs_mnist,
    pytest.mark.skipif(not DATA, reason="set WSBENCH_DATA to a folder with mnist/ in it"),
]
NAMES = list(mnist._SHA256)


@pytest.fixture
def idx_folder(tmp_path, monkeypatch):
    """A folder of links to the real files, which a test may replace."""
    (tmp_path / "mnist").mkdir()
    for name in NAMES:
        (tmp_path / "mnist" / f"{name}.gz").symlink_to(
            Path(DATA).resolve() / "mnist" / f"{name}.gz"
        )
    monkeypatch.setenv("WSBENCH_DATA", str(tmp_path))
    return tmp_path / "mnist"


class TestIdx:
    pytestmark = needs_mnist

    def test_read_mnist__gives_the_published_images_and_labels(self):
        train_images, train_labels, test_images, test_labels = mnist.read_mnist()
        assert train_images.shape == (60_000, 28, 28)
        assert test_images.shape == (10_000, 28, 28)
        assert np.bincount(test_labels).tolist() == [
            980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
        ]  # fmt: skip
        assert train_labels[:5].tolist() == [5, 0, 4, 1, 9]

    def test_read_mnist__takes_files_that_are_not_gzipped(self, idx_folder):
        for name in NAMES:
            content = gzip.decompress((idx_folder / f"{name}.gz").read_bytes())
            (idx_folder / f"{name}.gz").unlink()
            (idx_folder / name).write_bytes(content)
        assert mnist.read_mnist()[3][0] == 7

    def test_data__are_means_of_four_pixels_in_the_unit_interval(self):
        data = sources.load_data("mnist")
        assert data.train_images.dtype == np.float32
        assert data.train_images.min() == 0
        assert data.train_images.max() == 1
        original = mnist.read_mnist()[2][3].astype(float)
        exact = original.reshape(14, 2, 14, 2).mean(axis=(1, 3)) / 255
        np.testing.assert_array_equal(data.test_images[3], exact.astype(np.float32))
        assert np.mean(data.train_images == 0) == pytest.approx(0.744, abs=0.001)

    @pytest.mark.parametrize("name", NAMES)
    def test_read_mnist__refuses_a_flipped_bit(self, idx_folder, name):
        content = bytearray(gzip.decompress((idx_folder / f"{name}.gz").read_bytes()))
        content[len(content) // 2] ^= 1
        (idx_folder / name).write_bytes(content)
        with pytest.raises(DataError, match=rf"MNIST {name}: sha256 .* the published file has"):
            mnist.read_mnist()

    def test_read_mnist__names_a_file_that_is_missing_or_truncated(self, idx_folder):
        file = idx_folder / f"{NAMES[0]}.gz"
        content = file.read_bytes()
        file.unlink()
        with pytest.raises(DataError, match=r"train-images-idx3-ubyte\[\.gz\]: cannot read it"):
            mnist.read_mnist()
        file.write_bytes(content[:100_000])
        with pytest.raises(DataError, match=r"train-images-idx3-ubyte\[\.gz\]: cannot read it"):
            mnist.read_mnist()

    @pytest.mark.slow
    def test_read_mnist__gives_the_same_arrays_through_hugging_face(self, monkeypatch, tmp_path):
        """The hub's data set is Parquet with PNG images; the same, from a folder, by `datasets`."""
        datasets = pytest.importorskip("datasets")
        expected = mnist.read_mnist()
        features = datasets.Features(
            image=datasets.Image(),
            label=datasets.ClassLabel(names=[str(digit) for digit in range(10)]),
        )
        for split, images, labels in (("train", *expected[:2]), ("test", *expected[2:])):
            table = datasets.Dataset.from_dict(
                {"image": list(images), "label": labels.tolist()}, features=features
            )
            table.to_parquet(tmp_path / "hub" / f"{split}-00000.parquet")
        monkeypatch.setattr(mnist, "_HUB_ID", str(tmp_path / "hub"))
        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
        monkeypatch.delenv("WSBENCH_DATA")
        for array, other in zip(mnist.read_mnist(), expected, strict=True):
            np.testing.assert_array_equal(array, other)


def test_read_mnist__names_both_ways_where_neither_is_there(tmp_path):
    """In a fresh process: whether datasets may open a socket is settled when it is imported."""
    code = "from wsbench_zoos.data.mnist import read_mnist\nread_mnist()"
    environment = {"WSBENCH_DATA": str(tmp_path), "WSBENCH_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | environment, capture_output=True, text=True
    )
    last = result.stderr.splitlines()[-1]
    assert re.search(r"DataError: .*WSBENCH_DATA.* IDX files.* ylecun/mnist", last)
