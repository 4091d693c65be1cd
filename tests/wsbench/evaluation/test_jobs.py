"""Conditions side by side and on a cluster: the same answers to the last bit."""

import numpy as np
import pytest

import wsbench

PERTURBATIONS = ["none", "permute", "widen"]


@pytest.fixture
def zoo(make_zoo):
    return wsbench.load_zoo(make_zoo(models=30))


def evaluated(method, zoo, **options):
    suite = wsbench.find_suite(perturbations=PERTURBATIONS)
    return wsbench.evaluate(method, zoo, suite=suite, limits=wsbench.Limits(threads=1), **options)


def assert_same(a, b):
    assert list(a.scores) == list(b.scores)
    assert (a.scores, a.robustness, a.invariances) == (b.scores, b.robustness, b.invariances)
    for entry, arrays in a.answers.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, b.answers[entry][name])


@pytest.mark.parametrize("method", ["euclidean", "random", "statistics"])
def test_evaluate__side_by_side_gives_the_same_answers(zoo, method):
    states = []
    alone = evaluated(method, zoo)
    together = evaluated(method, zoo, workers=3, progress=states.append)
    assert_same(alone, together)
    assert [state.n_done for state in states] == [0, 1, 2, 3]


def test_evaluate__side_by_side_a_failure_is_one_failed_evaluation(zoo, tmp_path):
    file = tmp_path / "dying.py"
    file.write_text("import os\n\ndef die(weights):\n    os._exit(3)\n")
    result = evaluated(f"{file}:die", zoo, workers=2)
    assert "ended with exit status 3" in result.error
    assert result.scores == {}


def test_evaluate__side_by_side_needs_a_spec(zoo):
    loaded = wsbench.load_method("euclidean")
    unnamed = wsbench.LoadedMethod(loaded.method, loaded.info, "", "0" * 64)
    assert (
        "workers load the method by its spec, and it has none"
        in evaluated(unnamed, zoo, workers=2).error
    )


@pytest.mark.slow
def test_evaluate__on_a_dask_cluster_gives_the_same_answers(zoo, tmp_path):
    distributed = pytest.importorskip("distributed")
    file = tmp_path / "mine.py"
    file.write_text("def first(weights):\n    return weights[:, :5]\n")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        for method in ("random", f"{file}:first"):
            there = evaluated(method, zoo, cluster=cluster.scheduler_address)
            assert_same(evaluated(method, zoo), there)


def test_evaluate__says_that_no_cluster_is_there(zoo):
    with pytest.raises(wsbench.WorkerError, match="no Dask scheduler there"):
        evaluated("euclidean", zoo, cluster="tcp://127.0.0.1:9")
