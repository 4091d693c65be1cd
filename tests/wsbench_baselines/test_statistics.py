import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import wsbench
from wsbench_baselines.statistics import Statistics

LAYOUT = wsbench.Layout.of(
    [("a", (2, 3), ("hidden-1", "input")), ("b", (1, 2), ("output", "hidden-1"))], "sigmoid"
)


def embed(method, weights, train=None):
    train = weights if train is None else train
    method.fit(wsbench.Checkpoints(train, LAYOUT), rng=np.random.default_rng(0))
    return method.transform(wsbench.Checkpoints(weights, LAYOUT))


def naive_features(row, quantiles):
    """What numpy says of the two tensors of one checkpoint."""
    found = []
    for tensor in (row[:6].astype(np.float64), row[6:].astype(np.float64)):
        found += [np.mean(tensor), np.std(tensor), *(np.quantile(tensor, q) for q in quantiles)]
    return found


floats = st.floats(-100, 100, width=32)


@given(
    arrays(np.float32, st.tuples(st.integers(1, 5), st.just(8)), elements=floats),
    st.lists(st.floats(0, 1), max_size=3),
)
def test_transform__equals_numpy_tensor_by_tensor_up_to_scale_and_shift(weights, quantiles):
    method = Statistics(quantiles)
    found = embed(method, weights) * method._scale + method._mean
    expected = [naive_features(row, quantiles) for row in weights]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-7)


def test_transform__is_standardised_on_the_train_models():
    rng = np.random.default_rng(0)
    train = (rng.normal(size=(50, 8)) * 7 + 3).astype(np.float32)
    found = embed(Statistics(), train)
    assert found.shape == (50, 2 * (2 + 5))
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=0), 1)
    few = embed(Statistics(), train[:7], train)
    np.testing.assert_array_equal(few, found[:7])


def test_transform__does_not_blow_up_what_is_constant_in_training():
    """The mean of many .1 is not .1 to the last digit, and their spread not 0."""
    rng = np.random.default_rng(0)
    train = rng.normal(size=(49, 8)).astype(np.float32)
    train[:, 6:] = 0.1
    test = train.copy()
    test[:, 6:] = 0.2
    assert np.abs(embed(Statistics(), test, train)).max() < 10


def test_transform__sees_no_permutation_within_a_tensor_not_even_in_the_last_digit():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(20, 8)).astype(np.float32)
    permuted = np.concatenate([weights[:, rng.permutation(6)], weights[:, [7, 6]]], axis=1)
    before = embed(Statistics(), weights)
    np.testing.assert_array_equal(embed(Statistics(), permuted, weights), before)


def test_quantiles__may_be_one_number():
    weights = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    np.testing.assert_array_equal(
        embed(Statistics(quantiles=0.5), weights), embed(Statistics(quantiles=[0.5]), weights)
    )


@pytest.mark.parametrize(
    "quantiles", [[0.1, 1.5], [-0.1], 2, [float("nan")], "half", [None], True, None]
)
def test_quantiles__must_be_shares(quantiles):
    with pytest.raises(
        ValueError, match=r"^quantiles=.*: expected a number or several in \[0, 1\]$"
    ):
        Statistics(quantiles)


def test_order__follows_a_spread_that_grows_ever_slower():
    rng = np.random.default_rng(0)
    scales = 2 - np.exp(-np.arange(20) / 6)
    path = np.outer(scales, rng.normal(size=8)).astype(np.float32)
    shuffle = rng.permutation(20)
    method = Statistics()
    method.fit(wsbench.Checkpoints(path, LAYOUT), rng=rng)
    order = method.order(wsbench.Checkpoints(path[shuffle], LAYOUT))
    np.testing.assert_array_equal(shuffle[order], np.arange(20))
