import numpy as np

import wsbench
from wsbench_baselines.random import Random


def test_transform__gives_the_same_point_for_the_same_weights(checkpoints):
    points = Random().transform(checkpoints)
    order = np.random.default_rng(0).permutation(40)
    shuffled = wsbench.Checkpoints(checkpoints.weights[order][:7], checkpoints.layout)
    np.testing.assert_array_equal(Random().transform(shuffled), points[order][:7])


def test_transform__is_standard_normal_and_says_nothing_about_the_weights():
    """The nearest weights have points as far from each other as any: 2·8 is the mean squared."""
    weights = np.cumsum(np.full((2000, 2), 1e-3, np.float32), axis=0)
    layout = wsbench.Layout.of([("w", (1, 2), ("output", "input"))], "identity")
    points = Random().transform(wsbench.Checkpoints(weights, layout))
    assert points.shape == (2000, 8)
    assert np.abs(points.mean(axis=0)).max() < 4 / np.sqrt(2000)
    assert np.abs(points.var(axis=0) - 1).max() < 4 * np.sqrt(2 / 2000)
    squared = (np.diff(points, axis=0) ** 2).sum(axis=1)
    assert abs(squared.mean() - 16) < 4 * np.sqrt(3 * 8 * 4 / 2000)
