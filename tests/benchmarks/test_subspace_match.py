"""`subspace-match` on all pairs of checkpoints, beside a least-squares fit per sweep and pair.

    WSBENCH_HOME=… pytest tests/benchmarks/test_subspace_match.py --benchmark-only -n 0

Runs on mnist-mlp-v1 if it has been built in ``WSBENCH_HOME``: the 2,500 checkpoints of the test
models, ten units and 500 probe inputs each. The peer is timed on a sample of the pairs, and must
agree on it.
"""

import numpy as np
import pytest

import wsbench
from support.built_zoo import built_zoo
from support.naive_subspace_match import naive_maximum
from wsbench_baselines.subspace_match import EPSILONS, pairwise_distances

EPSILON = 0.05
_results: dict[str, object] = {}


@pytest.fixture(scope="module")
def activations():
    zoo = built_zoo("mnist-mlp-v1")
    rows = zoo.rows("test", epochs=range(1, 51))
    checkpoints = wsbench.Checkpoints(zoo.weights[rows], zoo.layout, probe_inputs=zoo.probe_inputs)
    return checkpoints.activations("hidden-1")


def match_size(x, y):
    """The number of neurons in the maximum match."""
    return sum(map(len, naive_maximum(x, y, EPSILON, range(len(x)), range(len(y)))))


@pytest.mark.parametrize("epsilons", [EPSILON, EPSILONS], ids=["one", "default"])
def test_pairwise_distances(benchmark, activations, record_line, epsilons):
    pairwise_distances(activations[:3], epsilons)  # compiles
    found = benchmark.pedantic(pairwise_distances, (activations, epsilons), rounds=3)
    seconds, n = benchmark.stats.stats.min, len(activations)
    us = seconds / (n * (n - 1) / 2) * 1e6
    count = "one ε" if np.isscalar(epsilons) else f"{len(epsilons)} ε"
    record_line(f"subspace match: {n} checkpoints, {count}: {seconds:.1f} s, {us:.2f} µs a pair")
    if np.isscalar(epsilons):
        _results.update(distances=found, us=us)


def test_lstsq(benchmark, activations, record_line):
    layers = activations.astype(np.float64)
    pairs = np.random.default_rng(0).integers(len(layers), size=(1000, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    sizes = benchmark.pedantic(
        lambda: [match_size(layers[i], layers[j]) for i, j in pairs], rounds=3
    )
    us = benchmark.stats.stats.min / len(pairs) * 1e6
    np.testing.assert_allclose(_results["distances"][tuple(pairs.T)], 1 - np.array(sizes) / 20)
    ratio = us / _results["us"]
    record_line(f"subspace match: least squares {us:.0f} µs a pair, {ratio:.0f} × ours, one ε")
