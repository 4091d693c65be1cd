import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix

from support.partitions import partitions
from wsbench.metrics.clustering import adjusted_rand_index, bcubed_f1, purity

seeds = st.integers(0, 2**32 - 1)
CLUSTER_METRICS = [adjusted_rand_index, bcubed_f1, purity]


def rng(seed=0):
    return np.random.default_rng(seed)


def written_out_bcubed(labels, clusters):
    rows = range(len(labels))
    precision = np.mean([np.mean(labels[clusters == clusters[i]] == labels[i]) for i in rows])
    recall = np.mean([np.mean(clusters[labels == labels[i]] == clusters[i]) for i in rows])
    return 2 * precision * recall / (precision + recall)


@given(partitions())
def test_adjusted_rand_index__equals_sklearn(both):
    assert adjusted_rand_index(*both) == pytest.approx(adjusted_rand_score(*both), abs=1e-12)


@given(partitions())
def test_bcubed_f1__equals_the_definition_written_out(both):
    assert bcubed_f1(*both) == pytest.approx(written_out_bcubed(*both))


@given(partitions())
def test_purity__equals_the_contingency_table(both):
    table = contingency_matrix(*both)
    assert purity(*both) == pytest.approx(np.mean(table.max(axis=0) / table.sum(axis=0)))


def test_purity__counts_clusters_not_rows():
    labels = np.repeat(np.arange(4), 5)
    one_giant = np.zeros(20, int)
    one_giant[[0, 5, 10]] = [1, 2, 3]
    assert purity(labels, one_giant) == pytest.approx((3 + 5 / 17) / 4)
    assert adjusted_rand_index(labels, one_giant) < 0.05


@pytest.mark.parametrize("metric", CLUSTER_METRICS)
@given(both=partitions(), seed=seeds)
def test_cluster_metrics__do_not_depend_on_row_order_or_names(metric, both, seed):
    labels, clusters = both
    order = rng(seed).permutation(len(labels))
    renamed = metric(7 - 2 * labels[order], 3 * clusters[order])
    assert metric(labels, clusters) == pytest.approx(renamed)
    assert -0.5 <= metric(labels, clusters) <= 1 + 1e-12


@pytest.mark.parametrize("metric", CLUSTER_METRICS)
def test_cluster_metrics__numbering_the_labels_otherwise_changes_no_digit(metric):
    """Sums of 30 models' shares in another order would, in one of six."""
    labels, clusters = rng().integers(0, 30, (2, 1000))
    scores = {metric(rng(seed).permutation(30)[labels], clusters) for seed in range(50)}
    assert len(scores) == 1


@pytest.mark.parametrize("metric", CLUSTER_METRICS)
@given(both=partitions(1))
def test_cluster_metrics__the_right_clusters_score_one(metric, both):
    assert metric(both[0], both[0] + 3) == pytest.approx(1)


@pytest.mark.parametrize("metric", [adjusted_rand_index, bcubed_f1])
@given(both=partitions())
def test_cluster_metrics__only_the_right_clusters_score_one(metric, both):
    labels, clusters = both
    same = np.array_equal(labels[:, None] == labels, clusters[:, None] == clusters)
    assert (metric(labels, clusters) > 1 - 1e-9) == same


def test_adjusted_rand_index__random_clusters_score_zero():
    labels = np.repeat(np.arange(10), 10)
    scores = [adjusted_rand_index(labels, rng(s).integers(0, 10, 100)) for s in range(300)]
    assert np.mean(scores) == pytest.approx(0, abs=0.005)


def test_adjusted_rand_index__does_not_overflow():
    labels = np.repeat(np.arange(2), 200_000)
    clusters = np.roll(labels, 100_000)
    assert adjusted_rand_index(labels, labels) == 1
    assert adjusted_rand_index(labels, clusters) == pytest.approx(0, abs=1e-4)


# --- margin --------------------------------------------------------------------------------------
