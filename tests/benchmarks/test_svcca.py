"""`svcca` on all pairs of 600 MLPs, beside NumPy's singular values of the same products.

    WSBENCH_HOME=… pytest tests/benchmarks/test_svcca.py --benchmark-only -n 0

Runs on test models of mnist-mlp-v1 if it has been built in ``WSBENCH_HOME``. Both take the same
bases, the products of which are counted on both sides.
"""

import numpy as np
import pytest

import wsbench
from support.built_zoo import built_zoo
from wsbench_baselines import svcca

N = 600
_seconds: dict[str, float] = {}


@pytest.fixture(scope="module")
def bases():
    zoo = built_zoo("mnist-mlp-v1")
    rows = np.random.default_rng(0).choice(zoo.rows("test", epochs=range(1, 51)), N, replace=False)
    checkpoints = wsbench.Checkpoints(zoo.weights[rows], zoo.layout, probe_inputs=zoo.probe_inputs)
    return svcca._bases(checkpoints.activations("hidden-2"), 0.99)


def with_numpy(bases):
    n, k, m = bases.shape
    rows = bases.reshape(-1, m)
    products = (rows @ rows.T).reshape(n, k, n, k).transpose(0, 2, 1, 3)
    return np.linalg.svd(products, compute_uv=False).sum(axis=2)


def test_svcca(benchmark, bases, record_line):
    svcca._sum_of_correlations(bases[0][:200], bases[1][:200])  # compiles, for two blocks
    benchmark.pedantic(svcca._sum_of_correlations, bases, rounds=3)
    _seconds["svcca"] = benchmark.stats.stats.min
    record_line(f"svcca: correlations of all pairs of {N} MLPs in {_seconds['svcca']:.2f} s")


def test_numpy(benchmark, bases, record_line):
    expected = benchmark.pedantic(with_numpy, bases[:1], rounds=3)
    upper = np.triu_indices(N)
    found = svcca._sum_of_correlations(*bases)[upper]
    np.testing.assert_allclose(found, expected[upper], rtol=0, atol=1e-9)
    # NumPy computes each pair twice, from either side.
    ratio = benchmark.stats.stats.min / 2 / _seconds["svcca"]
    record_line(f"the same with numpy.linalg.svd: {ratio:.1f} × svcca")
    assert ratio > 1.2
