from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from support.partitions import partitions
from wsbench.metrics import retrieval
from wsbench.metrics.retrieval import model_means, true_positive_rate

seeds = st.integers(0, 2**32 - 1)
MORE_THAN_A_BLOCK = 300


def rng(seed=0):
    return np.random.default_rng(seed)


def random_distances(n_rows, seed):
    return squareform(pdist(rng(seed).normal(size=(n_rows, 3))))


def relevant_counts(labels):
    return np.array([np.sum(labels == label) - 1 for label in labels])


# In most tests every row is a query, and the other rows of its model are to be found.


def nearest(distances, n_nearest, *, rng):
    return retrieval.nearest(distances, n_nearest, own=np.arange(len(distances)), rng=rng)


def average_precision_at_r(neighbours, labels):
    relevant = labels[neighbours] == labels[:, None]
    return retrieval.average_precision_at_r(relevant, relevant_counts(labels))


def rank1(neighbours, labels):
    return (labels[neighbours][:, 0] == labels).astype(float)


# --- nearest -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [2, 20, MORE_THAN_A_BLOCK])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nearest__equals_sorting_every_row(n_rows, dtype):
    distances = random_distances(n_rows, n_rows).astype(dtype)
    n_nearest = min(7, n_rows - 1)
    others = distances + np.diag(np.full(n_rows, np.inf, dtype))
    expected = np.argsort(others, axis=1)[:, :n_nearest]
    found = nearest(distances, n_nearest, rng=rng())
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, expected)


@given(st.integers(2, 30), st.integers(1, 3), seeds, st.data())
def test_nearest__among_ties_still_finds_the_smallest_and_never_itself(n, n_levels, seed, data):
    n_nearest = data.draw(st.integers(1, n - 1))
    tied = squareform(rng(seed).integers(0, n_levels, n * (n - 1) // 2).astype(float))
    before = tied.copy()
    found = nearest(tied, n_nearest, rng=rng(seed))
    others = tied + np.diag(np.full(n, np.inf))
    expected = np.sort(others, axis=1)[:, :n_nearest]
    np.testing.assert_array_equal(np.take_along_axis(others, found, axis=1), expected)
    assert all(len(set(row)) == n_nearest for row in found)
    np.testing.assert_array_equal(tied, before)


def test_nearest__no_relevant_rows_asks_for_none():
    assert nearest(random_distances(4, 0), 0, rng=rng()).shape == (4, 0)


def test_nearest__equal_distances_choose_every_row_equally_often_at_every_rank():
    n_rows, n_draws = 8, 3000
    seen = np.zeros((n_rows, 3, n_rows))
    generator = rng()
    for _ in range(n_draws):
        found = nearest(1.0 - np.eye(n_rows), 3, rng=generator)
        seen[np.arange(n_rows)[:, None], np.arange(3), found] += 1
    others = ~np.eye(n_rows, dtype=bool)[:, None].repeat(3, axis=1)
    assert not np.any(seen[~others])
    # 168 draws of 1,176 cells with a standard error of .0064: 5 of them.
    np.testing.assert_allclose(seen[others] / n_draws, 1 / 7, atol=0.032)


def test_nearest__equal_distances_score_chance_not_the_input_order():
    labels = np.repeat(np.arange(6), 5)
    equal = 1.0 - np.eye(30)
    generator = rng()
    scores, first = [], []
    for _ in range(300):
        found = nearest(equal, 4, rng=generator)
        scores.append(average_precision_at_r(found, labels).mean())
        first.append(rank1(found, labels).mean())
    shuffled = [
        average_precision_at_r(
            np.array([rng(s).permutation(np.delete(np.arange(30), i))[:4] for i in range(30)]),
            labels,
        ).mean()
        for s in range(300)
    ]
    assert np.mean(first) == pytest.approx(4 / 29, abs=0.015)
    assert np.mean(scores) == pytest.approx(np.mean(shuffled), abs=0.01)
    assert np.mean(scores) < 0.1


# --- precision -----------------------------------------------------------------------------------


def written_out_average_precision(neighbours, labels):
    scores = []
    for query, row in enumerate(neighbours):
        relevant = sum(label == labels[query] for label in labels) - 1
        total, hits = 0.0, 0
        for i in range(relevant):
            if labels[row[i]] == labels[query]:
                hits += 1
                total += hits / (i + 1)
        scores.append(total / relevant if relevant else 0.0)
    return scores


@given(partitions(1), seeds)
def test_average_precision_at_r__equals_the_formula_written_out(labels, seed):
    (labels,) = labels
    distances = random_distances(len(labels), seed)
    found = nearest(distances, relevant_counts(labels).max(), rng=rng())
    scores = average_precision_at_r(found, labels)
    np.testing.assert_allclose(scores, written_out_average_precision(found, labels))
    assert np.all((scores >= 0) & (scores <= 1))


@pytest.mark.parametrize(
    ("ranks_of_hits", "expected"),
    [((), 0), ((1,), 0.1), ((10,), 0.01), ((1, 10), 0.12), ((1, 2), 0.2), (range(1, 11), 1)],
)
def test_average_precision_at_r__of_ten_relevant_rows(ranks_of_hits, expected):
    labels = np.array([0] * 11 + [1] * 20)
    row = [rank if rank in ranks_of_hits else 10 + rank for rank in range(1, 11)]
    scores = average_precision_at_r(np.tile(row, (31, 1)), labels)
    assert scores[0] == pytest.approx(expected)


@given(partitions(1), seeds)
def test_retrieval__does_not_depend_on_row_order_or_names_of_models(labels, seed):
    (labels,) = labels
    distances = random_distances(len(labels), seed)
    order = rng(seed).permutation(len(labels))
    reordered = distances[np.ix_(order, order)]
    counts = relevant_counts(labels)
    found = nearest(distances, counts.max(), rng=rng(1))
    found_reordered = nearest(reordered, counts.max(), rng=rng(2))
    np.testing.assert_allclose(
        average_precision_at_r(found_reordered, 100 - labels[order]),
        average_precision_at_r(found, labels)[order],
    )
    if counts.max() > 0:
        np.testing.assert_array_equal(
            rank1(found_reordered, 100 - labels[order]), rank1(found, labels)[order]
        )


def test_retrieval__models_apart_score_one_and_models_mixed_score_chance():
    labels = np.repeat(np.arange(10), 20)
    mixed = random_distances(200, 0)
    apart = mixed + 100.0 * (labels[:, None] != labels)
    counts = relevant_counts(labels)
    found_apart, found_mixed = (nearest(d, counts.max(), rng=rng()) for d in (apart, mixed))
    assert np.all(average_precision_at_r(found_apart, labels) == 1)
    assert np.all(rank1(found_apart, labels) == 1)
    assert average_precision_at_r(found_mixed, labels).mean() < 0.05
    assert rank1(found_mixed, labels).mean() == pytest.approx(19 / 199, abs=0.08)


def test_model_means__leave_out_queries_with_nothing_to_be_found():
    labels = np.array([5, 2, 5, 9, 9, 9])
    values = np.array([1.0, 0.0, 0.0, 1.0, 1.0, 0.25])
    np.testing.assert_allclose(model_means(values, labels, relevant_counts(labels)), [0.5, 0.75])
    assert len(model_means(values[:2], labels[:2], np.zeros(2, int))) == 0


def test_nearest__queries_that_are_no_rows_may_find_any_column():
    queries, rows = np.array([0.2, 3.1]), np.array([0.0, 1.0, 3.0])
    distances = np.abs(np.subtract.outer(queries, rows))
    assert retrieval.nearest(distances, 2, rng=rng()).tolist() == [[0, 1], [2, 1]]


@given(st.lists(st.integers(0, 20), min_size=1), st.lists(st.integers(0, 20), min_size=1),
       st.floats(0, 0.99))  # fmt: skip
def test_true_positive_rate__is_the_best_of_all_thresholds(positives, negatives, rate):
    positives, negatives = np.array(positives), np.array(negatives)
    allowed = [t for t in range(22) if np.mean(negatives < t) <= rate]
    expected = max(np.mean(positives < t) for t in allowed)
    assert true_positive_rate(positives, negatives, rate) == expected


# --- clusters ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_ranked", [1, 2, 5, 7])
def test_expected_precision_at_r__is_the_mean_over_all_rankings(n_ranked):
    for n_relevant in range(1, n_ranked + 1):
        placements = list(combinations(range(n_ranked), n_relevant))
        found = np.zeros((len(placements), n_ranked), bool)
        for row, relevant in zip(found, placements, strict=True):
            row[list(relevant)] = True
        n_each = np.full(len(found), n_relevant)
        precision = retrieval.average_precision_at_r(found, n_each)
        expected = retrieval.expected_precision_at_r(np.array([n_relevant, 0]), n_ranked)
        assert expected.tolist() == [pytest.approx(precision.mean()), 0.0]
