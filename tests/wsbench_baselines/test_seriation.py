import numpy as np

import wsbench
from wsbench_baselines.seriation import Seriation


def test_transform__returns_the_weights(checkpoints):
    np.testing.assert_array_equal(Seriation().transform(checkpoints), checkpoints.weights)


def test_order__follows_a_walk_with_shrinking_steps(checkpoints):
    rng = np.random.default_rng(0)
    times = 1 - np.exp(-np.arange(20) / 6)
    walk = rng.normal(size=36) + np.outer(times, rng.normal(size=36)) * 5
    shuffle = rng.permutation(20)
    rows = walk[shuffle].astype(np.float32)
    order = Seriation().order(wsbench.Checkpoints(rows, checkpoints.layout))
    np.testing.assert_array_equal(shuffle[order], np.arange(20))
