import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import adjusted_rand_score

from support.partitions import partitions
from wsbench.metrics.linkage import (
    cut,
    leaf_heights,
    margin,
    margin_parts,
    merge_heights,
    single_linkage,
)

seeds = st.integers(0, 2**32 - 1)
MORE_THAN_A_BLOCK = 300


def rng(seed=0):
    return np.random.default_rng(seed)


def random_distances(n_rows, seed):
    return squareform(pdist(rng(seed).normal(size=(n_rows, 3))))


def tied_distances(n_rows, seed, n_levels=3):
    return squareform(rng(seed).integers(0, n_levels, n_rows * (n_rows - 1) // 2).astype(float))


def first_appearance(labels):
    names = {}
    return np.array([names.setdefault(label, len(names)) for label in labels])


@given(st.integers(2, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_single_linkage__heights_equal_scipy(n_rows, seed, tied):
    distances = tied_distances(n_rows, seed) if tied else random_distances(n_rows, seed)
    expected = linkage(squareform(distances), method="single")[:, 2]
    found = single_linkage(distances, rng=rng(seed))
    np.testing.assert_array_equal(found.heights, expected)
    np.testing.assert_array_equal(merge_heights(distances), expected)
    np.testing.assert_array_equal(distances[found.edges[:, 0], found.edges[:, 1]], expected)


@given(st.integers(2, 40), st.integers(0, 2**32 - 1), st.data())
def test_cut__equals_scipy(n_rows, seed, data):
    n_clusters = data.draw(st.integers(1, n_rows))
    distances = random_distances(n_rows, seed)
    tree = linkage(squareform(distances), method="single")
    expected = first_appearance(fcluster(tree, n_clusters, criterion="maxclust"))
    found = cut(single_linkage(distances, rng=rng()), n_clusters)
    np.testing.assert_array_equal(found, expected)


@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.data())
def test_cut__gives_exactly_the_clusters_asked_for_even_with_ties(n_rows, seed, data):
    n_clusters = data.draw(st.integers(1, n_rows))
    labels = cut(single_linkage(tied_distances(n_rows, seed), rng=rng(seed)), n_clusters)
    assert len(set(labels)) == n_clusters
    np.testing.assert_array_equal(labels, first_appearance(labels))


@given(st.integers(2, 30), st.integers(0, 2**32 - 1))
def test_leaf_heights__are_the_distances_to_the_nearest_neighbour(n_rows, seed):
    distances = tied_distances(n_rows, seed)
    others = np.where(np.eye(n_rows, dtype=bool), np.inf, distances)
    found = leaf_heights(single_linkage(distances, rng=rng(seed)))
    np.testing.assert_array_equal(found, others.min(axis=1))


def test_single_linkage__one_row_has_no_edges():
    one = single_linkage(np.zeros((1, 1)), rng=rng())
    assert one.edges.shape == (0, 2)
    assert cut(one, 1).tolist() == [0]
    assert leaf_heights(one).tolist() == [np.inf]
    assert len(merge_heights(np.zeros((1, 1)))) == 0


def test_single_linkage__same_rng_same_tree():
    distances = tied_distances(30, 0)
    a, b = single_linkage(distances, rng=rng(5)), single_linkage(distances, rng=rng(5))
    np.testing.assert_array_equal(a.edges, b.edges)


def test_single_linkage__ignores_the_diagonal_and_leaves_its_input_alone():
    distances = random_distances(10, 0)
    with_diagonal = distances + np.diag(np.full(10, -5.0))
    before = with_diagonal.copy()
    found = single_linkage(with_diagonal, rng=rng())
    np.testing.assert_array_equal(found.heights, merge_heights(distances))
    np.testing.assert_array_equal(with_diagonal, before)


def mean_agreement(distances, labels, n_clusters, n_seeds=600):
    agreement = [
        adjusted_rand_score(labels, cut(single_linkage(distances, rng=rng(s)), n_clusters))
        for s in range(n_seeds)
    ]
    return float(np.mean(agreement))


def test_cut__equal_distances_tell_nothing_about_the_rows_beside_each_other():
    labels = np.repeat([0, 1], 6)
    equal = 1.0 - np.eye(12)
    assert abs(mean_agreement(equal, labels, 2)) < 0.02


@pytest.mark.parametrize("at_end", [0, 5])
def test_cut__equal_distances_single_out_every_row_equally_often(at_end):
    equal = 1.0 - np.eye(6)
    alone = np.zeros(6)
    for seed in range(1200):
        labels = cut(single_linkage(equal, rng=rng(seed)), 2)
        sizes = np.bincount(labels)
        alone[np.flatnonzero(sizes[labels] == 1)] += 1
    # 200 expected of each, with a standard deviation of 13 at most.
    assert abs(alone[at_end] - alone.mean()) < 55


def test_cut__drops_every_edge_of_equal_height_equally_often():
    # Six points on a line have one tree only; an edge is dropped between rows i and i + 1.
    line = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    labels = np.array([cut(single_linkage(line, rng=rng(seed)), 2) for seed in range(2000)])
    dropped = np.mean(labels[:, 1:] != labels[:, :-1], axis=0)
    np.testing.assert_allclose(dropped, 0.2, atol=0.05)  # standard error .009


def test_cut__reordering_tied_rows_reorders_the_distribution():
    # A square with equal sides: which of its sides the tree leaves out, and so which rows are
    # together after a cut, must be as likely whatever the order of the corners in the matrix.
    square = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    square = np.minimum(square, 4 - square).astype(float)
    reordered = np.array([2, 0, 3, 1])

    def frequencies(order):
        together = np.zeros((4, 4))
        for seed in range(3000):
            labels = np.empty(4, int)
            tree = single_linkage(square[np.ix_(order, order)], rng=rng(seed))
            labels[order] = cut(tree, 2)
            together += labels[:, None] == labels
        return together / 3000

    straight, shuffled = frequencies(np.arange(4)), frequencies(reordered)
    np.testing.assert_allclose(straight, shuffled, atol=0.05)  # standard error .013
    sides = straight[np.arange(4), (np.arange(4) + 1) % 4]
    np.testing.assert_allclose(sides, sides.mean(), atol=0.04)


@given(partitions(1), seeds)
def test_margin_parts__equal_scipy_on_every_model(labels, seed):
    (labels,) = labels
    distances = random_distances(len(labels), seed)
    within = 0.0
    for label in set(labels):
        rows = labels == label
        if rows.sum() > 1:
            tree = linkage(squareform(distances[np.ix_(rows, rows)]), method="single")
            within = max(within, tree[-1, 2])
    different = labels[:, None] != labels
    between = distances[different].min() if different.any() else np.inf
    assert margin_parts(distances, labels) == (between, within)


def test_margin_parts__look_beyond_the_first_block():
    distances = random_distances(MORE_THAN_A_BLOCK, 0)
    labels = np.arange(MORE_THAN_A_BLOCK) % 3
    expected = distances[labels[:, None] != labels].min()
    assert margin_parts(distances, labels)[0] == expected


def test_margin__is_above_one_only_if_a_cut_separates():
    assert margin(3.0, 2.0) == 1.5
    assert margin(1.0, 2.0) == 0.5
    assert margin(1.0, 0.0) == np.inf
    assert margin(np.inf, 1.0) == np.inf
    assert margin(0.0, 1.0) == 0.0


def test_margin__collapsed_embedding_scores_zero():
    assert margin(*margin_parts(np.zeros((4, 4)), np.array([0, 0, 1, 1]))) == 0.0
