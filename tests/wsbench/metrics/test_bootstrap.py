import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsbench.metrics.bootstrap import interval

scores = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


def rng(seed=0):
    return np.random.default_rng(seed)


@given(scores, st.integers(0, 100))
def test_interval__does_not_depend_on_the_order_of_models(values, seed):
    shuffled = rng(seed).permutation(values)
    assert interval(values, rng=rng(1)) == interval(shuffled, rng=rng(1))


@given(scores)
@settings(max_examples=50)
def test_interval__contains_the_mean_and_stays_among_the_values(values):
    low, high = interval(values, rng=rng())
    mean = min(max(values.mean(), values.min()), values.max())
    assert values.min() <= low <= mean + 1e-12
    assert mean - 1e-12 <= high <= values.max()


@pytest.mark.parametrize("n_models", [1, 2, 250])
@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_interval__constant_values_have_a_zero_width(n_models, value):
    assert interval(np.full(n_models, value), rng=rng()) == (value, value)


def test_interval__moves_and_stretches_with_the_values():
    values = rng(2).random(20)
    low, high = interval(values, rng=rng())
    expected = (10 + 3 * low, 10 + 3 * high)
    assert interval(10 + 3 * values, rng=rng()) == pytest.approx(expected)


def test_interval__turns_around_with_the_values():
    # Only up to the draw of the resamples, since the sorted values come in the other order.
    values = rng(2).random(20) ** 3
    low, high = interval(values, rng=rng(), n_resamples=50_000)
    expected = (-high, -low)
    found = interval(-values, rng=rng(1), n_resamples=50_000)
    assert found == pytest.approx(expected, abs=0.02 * (high - low))


def test_interval__higher_level_is_wider():
    values = rng(3).random(30)
    wide, narrow = (interval(values, rng=rng(), level=level) for level in (0.99, 0.8))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_interval__narrows_like_the_standard_error():
    values = rng(4).normal(size=400)
    low, high = interval(values, rng=rng())
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.06)


def test_interval__one_failure_among_many_does_not_reach_down_to_it():
    values = np.ones(250)
    values[17] = 0.0
    low, high = interval(values, rng=rng())
    assert low == pytest.approx(0.979, abs=0.005)  # exact binomial: .978
    assert high == 1.0


def hit_rate(draw, true_mean, n_models, bounds):
    hits = 0
    for seed in range(1000):
        low, high = bounds(draw(rng([seed, n_models]), n_models), rng=rng(seed), n_resamples=400)
        hits += low <= true_mean <= high
    return hits / 1000


def percentile_interval(values, *, rng, n_resamples):
    resamples = values[rng.integers(len(values), size=(n_resamples, len(values)))]
    return tuple(np.quantile(resamples.mean(axis=1), [0.025, 0.975]))


DRAWS = {
    "normal": (lambda r, n: r.normal(size=n), 0.0),
    "near one": (lambda r, n: r.beta(9, 1, n), 0.9),
    "very near one": (lambda r, n: r.beta(30, 0.5, n), 30 / 30.5),
}


@pytest.mark.parametrize("n_models", [10, 50])
@pytest.mark.parametrize("draw", DRAWS)
def test_interval__covers_the_true_mean_as_often_as_it_says(draw, n_models):
    # 93.5 to 95.6 % measured; the standard error of 1,000 simulations is .7 %.
    assert 0.92 <= hit_rate(*DRAWS[draw], n_models, interval) <= 0.975


def test_interval__the_plain_percentile_bootstrap_would_not():
    assert hit_rate(*DRAWS["near one"], 10, percentile_interval) < 0.9


def test_interval__of_a_paired_difference_sees_what_single_intervals_hide():
    hard = rng(6).random(30)
    a, b = hard + 0.02 + 0.01 * rng(7).normal(size=30), hard
    assert interval(a, rng=rng())[0] < interval(b, rng=rng())[1]
    assert interval(a - b, rng=rng())[0] > 0
    assert interval(b - a, rng=rng())[1] < 0


@pytest.mark.parametrize("n_models", [10, 50])
@pytest.mark.parametrize("share", [1.0, 0.8])
def test_interval__of_a_paired_difference_covers_it_as_often_as_it_says(share, n_models):
    # 94.4 to 95.2 % of 3,000 measured with 4,000 resamples; with the 400 here, whose quantiles are
    # noisier, 93.6 to 94.7 % of 5,000. The standard error of 1,000 simulations is .7 %.
    hits = 0
    for seed in range(1000):
        draw = rng([seed, n_models])
        effect = draw.beta(8, 2, n_models)
        a, b = (draw.beta(20 * mean, 20 * (1 - mean)) for mean in (effect, share * effect))
        low, high = interval(a - b, rng=rng(seed), n_resamples=400)
        hits += low <= 0.8 * (1 - share) <= high
    assert 0.92 <= hits / 1000 <= 0.97
