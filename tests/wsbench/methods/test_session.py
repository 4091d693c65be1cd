import numpy as np

from support.methods import loaded
from support.zoos import LAYOUT
from wsbench.methods.session import InProcess, Session

WEIGHTS = np.zeros((3, 12), np.float32)


def distances(found):
    method = type("Given", (), {"pairwise": lambda self, checkpoints: np.array(found)})()
    port = InProcess(loaded(method))
    return Session(port, LAYOUT, np.zeros((7, 3), np.float32), 0).distances(WEIGHTS)


def test_distances__are_symmetric_and_not_negative_where_rounding_has_left_them_otherwise():
    """Neighbours are read from rows, the margin from both triangles: they must agree."""
    rounded = [[0, 1 + 1e-8, 2], [1, 0, -1e-8], [2, -1e-8, 0]]
    expected = [[0, 1 + 5e-9, 2], [1 + 5e-9, 0, 0], [2, 0, 0]]
    np.testing.assert_array_equal(distances(rounded), expected)


def test_distances__that_are_symmetric_stay_as_they_are():
    found = np.random.default_rng(0).random((3, 3))
    np.testing.assert_array_equal(distances(found + found.T), found + found.T)
