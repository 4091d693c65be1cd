import numpy as np
import pytest
from scipy.linalg import svd

from wsbench import singular_directions


@pytest.mark.parametrize("shape", [(40, 12), (12, 12), (5, 12), (1, 12)])
def test_singular_directions__are_those_of_a_full_svd_up_to_signs(shape):
    weights = np.random.default_rng(0).normal(size=shape).astype(np.float32) + 1
    found = singular_directions(weights)
    _, _, expected = svd(weights.astype(np.float64), full_matrices=False)
    assert found.shape == (12, min(shape))
    signs = np.sign((found * expected.T).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected.T, atol=1e-9)


def test_singular_directions__leave_out_those_of_singular_value_zero():
    weights = np.zeros((6, 12), np.float32)
    weights[:, [3, 7]] = np.random.default_rng(0).normal(size=(6, 2))
    found = singular_directions(weights)
    assert found.shape == (12, 2)
    np.testing.assert_array_equal(np.delete(found, [3, 7], axis=0), 0)
