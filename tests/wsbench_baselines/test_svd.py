import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD

import wsbench
from wsbench_baselines.svd import SVD


@pytest.mark.parametrize("k", [1, 5, 30])
def test_transform__agrees_with_a_truncated_svd_up_to_signs(checkpoints, k):
    method = SVD(k)
    method.fit(checkpoints, rng=np.random.default_rng(0))
    found = method.transform(checkpoints)
    expected = TruncatedSVD(k, algorithm="arpack").fit_transform(
        checkpoints.weights.astype(np.float64)
    )
    signs = np.sign((found * expected).sum(axis=0))
    np.testing.assert_allclose(found * signs, expected, atol=1e-4)


@pytest.mark.parametrize("k", [0, -1, 2.5, True, "ten", None])
def test_k__must_be_a_whole_number_from_1(k):
    with pytest.raises(ValueError, match=f"^k={k!r}: expected a whole number from 1$"):
        SVD(k)


def test_transform__with_all_directions_keeps_distances(checkpoints):
    method = SVD(50)  # of 36 weights
    method.fit(checkpoints, rng=np.random.default_rng(0))
    found = method.transform(checkpoints)
    assert found.shape == (40, 36)
    np.testing.assert_allclose(
        wsbench.pairwise_euclidean(found),
        wsbench.pairwise_euclidean(checkpoints.weights),
        rtol=1e-5, atol=1e-5,
    )  # fmt: skip


def test_transform__takes_its_directions_from_train_models_only(checkpoints):
    few = wsbench.Checkpoints(checkpoints.weights[:3], checkpoints.layout)
    method = SVD(3)
    method.fit(few, rng=np.random.default_rng(0))
    residual = checkpoints.weights - method.transform(checkpoints) @ method._directions.T
    assert np.abs(residual[:3]).max() < 1e-4
    assert np.abs(residual[3:]).max() > 0.1
