from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from wsbench.metrics.ordering import by_decreasing, kendall_tau, ordered_initial, ordered_pairs

permutations = st.integers(1, 12).flatmap(lambda k: st.permutations(range(k))).map(np.array)
at_least_two = permutations.filter(lambda p: len(p) > 1)


@given(at_least_two)
def test_kendall_tau__equals_scipy(predicted):
    expected = kendalltau(np.arange(len(predicted)), predicted).statistic
    assert kendall_tau(predicted) == pytest.approx(expected, abs=1e-12)


@given(at_least_two)
def test_kendall_tau__changes_sign_backwards(predicted):
    assert kendall_tau(predicted[::-1]) == -kendall_tau(predicted)


@given(permutations)
def test_ordered_pairs__equals_the_definition_written_out(predicted):
    successors = [a + 1 == b for a, b in pairwise(predicted)]
    expected = sum(successors) / len(successors) if successors else 1.0
    assert ordered_pairs(predicted) == pytest.approx(expected)


@given(permutations)
def test_ordered_initial__equals_the_definition_written_out(predicted):
    expected = 0
    while expected < len(predicted) and predicted[expected] == expected:
        expected += 1
    assert ordered_initial(predicted) == expected


@given(permutations)
def test_ordering_metrics__stay_in_their_ranges(predicted):
    assert -1 <= kendall_tau(predicted) <= 1
    assert 0 <= ordered_pairs(predicted) <= 1
    assert 0 <= ordered_initial(predicted) <= len(predicted)
    perfect = bool(np.all(np.diff(predicted) == 1))
    assert (kendall_tau(predicted) == 1) == perfect
    assert (ordered_pairs(predicted) == 1) == perfect
    assert (ordered_initial(predicted) == len(predicted)) == perfect


@given(st.integers(2, 50))
def test_ordering_metrics__backwards_is_the_worst(k):
    backwards = np.arange(k)[::-1]
    assert kendall_tau(backwards) == -1
    assert ordered_pairs(backwards) == 0
    assert ordered_initial(backwards) == 0


def test_ordering_metrics__random_orders_score_chance():
    rng = np.random.default_rng(0)
    orders = [rng.permutation(50) for _ in range(2000)]
    assert np.mean([kendall_tau(p) for p in orders]) == pytest.approx(0, abs=0.01)
    assert np.mean([ordered_pairs(p) for p in orders]) == pytest.approx(1 / 50, abs=0.003)
    # 1/50 + 1/(50·49) + …
    assert np.mean([ordered_initial(p) for p in orders]) == pytest.approx(0.0204, abs=0.012)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.integers(0, 100))
def test_by_decreasing__orders_by_decreasing_height(heights, seed):
    order = by_decreasing(np.array(heights, float), rng=np.random.default_rng(seed))
    assert order.dtype == np.intp
    assert sorted(order) == list(range(len(heights)))
    assert np.all(np.diff(np.array(heights)[order]) <= 0)


def test_by_decreasing__equal_heights_come_in_random_order():
    rng = np.random.default_rng(0)
    orders = np.array([by_decreasing(np.ones(10), rng=rng) for _ in range(2000)])
    assert np.mean([kendall_tau(p) for p in orders]) == pytest.approx(0, abs=0.03)
    assert np.mean([ordered_pairs(p) for p in orders]) == pytest.approx(0.1, abs=0.01)
    np.testing.assert_allclose(orders.mean(axis=0), 4.5, atol=0.35)  # standard error .064


def test_by_decreasing__ties_in_pairs_leave_half_of_the_pairs_to_chance():
    # Mutual nearest neighbours share a height: input order would put every pair right.
    heights = np.repeat([4.0, 3.0, 2.0, 1.0], 2)
    rng = np.random.default_rng(0)
    right = [by_decreasing(heights, rng=rng)[0] == 0 for _ in range(2000)]
    assert np.mean(right) == pytest.approx(0.5, abs=0.05)
