"""`matching` on all pairs of 2,500 MLPs, beside SciPy's assignment pair by pair.

    WSBENCH_HOME=… pytest tests/benchmarks/test_matching.py --benchmark-only -n 0

Runs on the test models of mnist-mlp-v1 if it has been built in ``WSBENCH_HOME``. The peer is timed
on a sample of the pairs. It takes one thread, `matching` as many as there are cores.
"""

import os

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

import wsbench
from support.built_zoo import built_zoo
from wsbench_baselines.matching import Matching

N_SAMPLED = 5000
_us_per_pair: dict[str, float] = {}


@pytest.fixture(scope="module")
def checkpoints():
    return built_zoo("mnist-mlp-v1").checkpoints("test", epochs=range(1, 51))


def matched_distance(left, right):
    """The distance of two MLPs, each W1, W2, W3 as outputs × inputs, after matching their units."""
    W1, W2, W3 = left
    V1, V2, V3 = right
    _, first = linear_sum_assignment(W1 @ V1.T, maximize=True)
    V1, V2 = V1[first], V2[:, first]
    _, second = linear_sum_assignment(W2 @ V2.T + W3.T @ V3, maximize=True)
    V2, V3 = V2[second], V3[:, second]
    return np.sqrt(((W1 - V1) ** 2).sum() + ((W2 - V2) ** 2).sum() + ((W3 - V3) ** 2).sum())


def test_matching(benchmark, checkpoints, record_line):
    few = wsbench.Checkpoints(checkpoints.weights[:3], checkpoints.layout)
    Matching().pairwise(few)  # compiles
    benchmark.pedantic(Matching().pairwise, (checkpoints,), rounds=3)
    seconds, n = benchmark.stats.stats.min, len(checkpoints)
    _us_per_pair["matching"] = seconds / (n * (n - 1) / 2) * 1e6
    record_line(f"matching: all pairs of {n:,} MLPs in {seconds:.1f} s, {os.cpu_count()} threads")


def test_scipy(benchmark, checkpoints, record_line):
    networks = [
        [checkpoints.tensors(name)[row].astype(np.float64) for name in checkpoints.layout.names]
        for row in range(len(checkpoints))
    ]
    pairs = np.random.default_rng(0).integers(len(networks), size=(N_SAMPLED, 2))

    def sample():
        return [matched_distance(networks[i], networks[j]) for i, j in pairs]

    expected = benchmark.pedantic(sample, rounds=3)
    rows = np.unique(pairs[:40])
    some = Matching().pairwise(wsbench.Checkpoints(checkpoints.weights[rows], checkpoints.layout))
    i, j = np.searchsorted(rows, pairs[:40]).T
    # The peer has no tie-break, which hardly ever decides between matchings of trained networks.
    assert (np.abs(some[i, j] - expected[:40]) < 1e-6 * some.max()).mean() > 0.9
    us, ours = benchmark.stats.stats.min / N_SAMPLED * 1e6, _us_per_pair["matching"]
    record_line(f"matching: {ours:.2f} µs a pair, SciPy {us:.0f} µs, {us / ours:.0f} ×")
