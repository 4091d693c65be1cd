import dataclasses

import numpy as np
import pytest
from sklearn.datasets import load_digits

from wsbench import IntegrityError
from wsbench_zoos.data import sources


def test_digits__are_the_bundled_ones_by_nearest_neighbour():
    data = sources.load_data("digits")
    assert data.train_images.shape == (1437, 14, 14)
    assert data.test_images.shape == (360, 14, 14)
    original = load_digits()
    for i in (0, 500, 1436):
        for row in range(14):
            for column in range(14):
                expected = original.images[i, row * 8 // 14, column * 8 // 14] / 16
                assert data.train_images[i, row, column] == expected
    labels = np.concatenate([data.train_labels, data.test_labels])
    np.testing.assert_array_equal(labels, original.target)


def test_digits__are_float32_sixteenths_in_the_unit_interval():
    images = sources.load_data("digits").train_images
    assert images.dtype == np.float32
    assert set(np.unique(images * 16)) == set(range(17))


def test_load_data__refuses_arrays_that_are_not_the_published_ones(monkeypatch):
    wrong = dataclasses.replace(sources.SOURCES["digits"], sha256="0" * 64)
    monkeypatch.setitem(sources.SOURCES, "digits", wrong)
    with pytest.raises(IntegrityError, match="data source 'digits' gave arrays with sha256 "):
        sources.load_data("digits")


def test_describe__says_what_the_card_of_a_zoo_shows(small_zoo_folder):
    origin = sources.SOURCES["digits"].describe(sources.load_data("digits"))
    assert (origin.n_train, origin.n_test) == (1437, 360)
    card = (small_zoo_folder / "README.md").read_text(encoding="utf-8")
    for text in (origin.name, origin.url, origin.preparation, "1,437 samples train, 360 give"):
        assert text in card
