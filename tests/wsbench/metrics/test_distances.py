import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from wsbench.metrics.distances import pairwise_euclidean

MORE_THAN_A_BLOCK = 300


def written_out(embedding):
    rows = np.asarray(embedding, np.float64)
    return np.array([[np.sqrt(np.sum((x - y) ** 2)) for y in rows] for x in rows])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_rows", [1, 2, MORE_THAN_A_BLOCK])
def test_pairwise_euclidean__equals_scipy(n_rows, dtype):
    rows = np.random.default_rng(0).normal(size=(n_rows, 40)).astype(dtype)
    expected = squareform(pdist(rows.astype(np.float64))) if n_rows > 1 else np.zeros((1, 1))
    distances = pairwise_euclidean(rows)
    assert distances.dtype == np.float64
    np.testing.assert_allclose(distances, expected, rtol=1e-9, atol=0)


@given(
    st.integers(2, 12),
    st.integers(1, 5),
    st.floats(-9, 3),
    st.sampled_from([0.0, 1.0, 1e4]),
    st.integers(0, 2**32 - 1),
)
def test_pairwise_euclidean__small_differences_keep_their_digits(n, d, exponent, offset, seed):
    rng = np.random.default_rng(seed)
    near_each_other = offset + 10.0**exponent * rng.normal(size=(n, d))
    rows = np.concatenate([near_each_other, rng.normal(size=(n, d)), [[1e5] * d]])
    np.testing.assert_allclose(pairwise_euclidean(rows), written_out(rows), rtol=1e-9, atol=0)


def test_pairwise_euclidean__product_alone_would_lose_the_digits():
    # What the recomputation is for: two late epochs of one of many models.
    rng = np.random.default_rng(1)
    models = rng.normal(size=(MORE_THAN_A_BLOCK, 500))
    rows = np.concatenate([models, models + 1e-7 * rng.normal(size=models.shape)])
    expected = squareform(pdist(rows))
    norms = np.sum(rows**2, axis=1)
    product = np.sqrt(np.abs(norms[:, None] + norms - 2 * rows @ rows.T))
    off_diagonal = ~np.eye(len(rows), dtype=bool)
    error = np.abs(product - expected)[off_diagonal] / expected[off_diagonal]
    assert error.max() > 1e-6
    np.testing.assert_allclose(pairwise_euclidean(rows), expected, rtol=1e-9, atol=0)


def test_pairwise_euclidean__symmetric_with_zero_diagonal():
    rows = np.random.default_rng(2).normal(size=(MORE_THAN_A_BLOCK, 33)).astype(np.float32)
    distances = pairwise_euclidean(rows)
    np.testing.assert_array_equal(distances, distances.T)
    assert not np.any(np.diagonal(distances))
    assert np.all(distances[~np.eye(len(rows), dtype=bool)] > 0)


def test_pairwise_euclidean__identical_rows_have_distance_zero():
    models = 100 + np.random.default_rng(3).normal(size=(5, 2160)).astype(np.float32)
    model = np.arange(MORE_THAN_A_BLOCK) % 5
    distances = pairwise_euclidean(models[model])
    np.testing.assert_array_equal(distances == 0, model[:, None] == model)


def test_pairwise_euclidean__collapsed_embedding_is_all_zero():
    assert not np.any(pairwise_euclidean(np.full((MORE_THAN_A_BLOCK, 7), 0.1)))


def test_pairwise_euclidean__does_not_depend_on_the_block_a_row_is_in():
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(MORE_THAN_A_BLOCK, 20))
    order = rng.permutation(len(rows))
    expected = pairwise_euclidean(rows)[np.ix_(order, order)]
    np.testing.assert_allclose(pairwise_euclidean(rows[order]), expected, rtol=1e-9, atol=0)


def test_pairwise_euclidean__leaves_its_input_alone():
    rows = np.random.default_rng(5).normal(size=(4, 3))
    before = rows.copy()
    pairwise_euclidean(rows)
    np.testing.assert_array_equal(rows, before)
