import numpy as np

import wsbench
from support.symmetric_copies import permuted
from wsbench_baselines.norm import Norm


def test_progress__is_the_norm_and_so_is_the_embedding(checkpoints):
    expected = np.linalg.norm(checkpoints.weights.astype(np.float64), axis=1)
    np.testing.assert_allclose(Norm().progress(checkpoints), expected, rtol=1e-12)
    np.testing.assert_array_equal(Norm().transform(checkpoints)[:, 0], Norm().progress(checkpoints))


def test_progress__is_the_same_to_the_last_bit_after_a_permutation():
    layout = wsbench.Layout.of(
        [("a", (5, 9), ("hidden-1", "input")), ("b", (3, 5), ("output", "hidden-1"))], "tanh"
    )
    weights = np.random.default_rng(0).normal(size=(20, 60)).astype(np.float32)
    given = wsbench.Checkpoints(weights, layout)
    np.testing.assert_array_equal(Norm().progress(permuted(given)), Norm().progress(given))
