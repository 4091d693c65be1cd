"""The paper protocol beside the same steps written plainly with scikit-learn.

    WSBENCH_HOME=… pytest tests/benchmarks/test_reproduce.py --benchmark-only -n 0

Runs on mnist-mlp-v1 if it has been built in ``WSBENCH_HOME``: 12,500 checkpoints, 7 spaces. The
peer takes several minutes.
"""

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.decomposition import TruncatedSVD

import wsbench
from support.built_zoo import built_zoo
from wsbench.papers.weight_space_investigation import SVD_DIMENSIONS

_seconds: dict[str, float] = {}


@pytest.fixture(scope="module")
def zoo():
    return built_zoo("mnist-mlp-v1")


def plainly(zoo):
    """The clusters of the seven spaces, as anybody would write it."""
    weights = zoo.weights[zoo.rows(epochs=range(1, 51))]
    spaces = [weights]
    spaces += [TruncatedSVD(k, random_state=0).fit_transform(weights) for k in SVD_DIMENSIONS]
    return [
        AgglomerativeClustering(zoo.n_models, linkage="single").fit_predict(space)
        for space in spaces
    ]


def test_reproduce(benchmark, zoo):
    result = benchmark.pedantic(wsbench.reproduce, (zoo,), rounds=3)
    assert result.paper["weights"].purity == 1.0
    _seconds["wsbench.reproduce"] = benchmark.stats.stats.min


def test_scikit_learn(benchmark, zoo, record_line):
    clusters = benchmark.pedantic(plainly, (zoo,), rounds=1)
    assert len(np.unique(clusters[0])) == zoo.n_models
    seconds = benchmark.stats.stats.min
    ratio = seconds / _seconds["wsbench.reproduce"]
    record_line(f"paper protocol: scikit-learn {seconds:.1f} s, {ratio:.1f} × wsbench.reproduce")
