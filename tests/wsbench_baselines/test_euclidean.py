import numpy as np

from wsbench_baselines.euclidean import Euclidean


def test_transform__returns_the_weights(checkpoints):
    np.testing.assert_array_equal(Euclidean().transform(checkpoints), checkpoints.weights)
