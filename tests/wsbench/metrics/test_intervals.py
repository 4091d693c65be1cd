import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wsbench.metrics.intervals import interval, interval_of_difference, intervals

TAU = (-1.0, 1.0)

scores = st.lists(st.floats(0, 1), min_size=1, max_size=30).map(np.array)


def rng(*seed):
    return np.random.default_rng(seed)


@given(scores, st.integers(0, 100))
def test_interval__does_not_depend_on_the_order_of_models(values, seed):
    assert interval(rng(seed).permutation(values)) == interval(values)


@given(scores)
def test_interval__contains_the_mean_and_stays_in_the_range(values):
    low, high = interval(values)
    assert 0 <= low <= values.mean() + 1e-12
    assert values.mean() - 1e-12 <= high <= 1


@given(scores)
@settings(max_examples=50)
def test_interval__turns_around_exactly_with_the_values(values):
    low, high = interval(values, TAU)
    assert interval(-values, TAU) == (-high, -low)


def test_interval__moves_and_stretches_with_values_and_range():
    values = rng(2).random(20)
    low, high = interval(values)
    assert interval(2 * values - 1, TAU) == pytest.approx((2 * low - 1, 2 * high - 1))


def test_interval__is_wider_in_a_wider_range():
    values = 0.4 + 0.2 * rng(2).random(10)
    (low, high), (lower, higher) = interval(values), interval(values, (-1.0, 2.0))
    assert lower < low < high < higher


@pytest.mark.parametrize("n_models", [1, 3, 10, 50, 250])
def test_interval__of_perfect_models_has_the_width_that_their_number_allows(n_models):
    low, high = interval(np.ones(n_models))
    assert low == pytest.approx(0.025 ** (1 / n_models), abs=1e-11)
    assert high == 1.0


@pytest.mark.parametrize("n_models", [3, 10, 50])
def test_interval__of_zeros_and_ones_is_that_of_clopper_and_pearson(n_models):
    for n_ones in range(n_models + 1):
        exact = stats.binomtest(n_ones, n_models).proportion_ci(method="exact")
        found = interval(np.repeat([1.0, 0.0], [n_ones, n_models - n_ones]))
        assert found == pytest.approx(tuple(exact), abs=1e-11)


@pytest.mark.parametrize("n_models", [3, 10, 50])
def test_interval__ends_are_quantiles_of_means_with_random_weights(n_models):
    values = rng(3, n_models).beta(8, 2, n_models)
    weights = rng(4).dirichlet(np.ones(n_models + 1), 100_000)
    found = interval(values, level=0.9)
    shares = [
        np.mean(weights @ np.r_[values, end] <= at) for end, at in zip((0, 1), found, strict=True)
    ]
    assert shares == pytest.approx([0.05, 0.95], abs=0.003)  # four standard errors


@given(st.lists(st.lists(st.floats(0, 1), min_size=5, max_size=5), min_size=1, max_size=9))
@settings(max_examples=50)
def test_intervals__are_those_of_each_sample(samples):
    lows, highs = intervals(np.array(samples))
    assert list(zip(lows, highs, strict=True)) == [interval(np.array(one)) for one in samples]


@pytest.mark.parametrize("scale", [1e-300, 1e-15, 1e-6])
def test_interval__of_tiny_values_and_of_values_just_below_the_limit_is_found(scale):
    values = np.r_[np.zeros(9), scale]
    low, high = interval(values)
    assert 0 < low <= values.mean() + 1e-12
    assert interval(1 - values)[0] == pytest.approx(1 - high, abs=1e-11)


def test_interval__higher_level_is_wider():
    values = rng(3).random(30)
    wide, narrow = (interval(values, level=level) for level in (0.99, 0.8))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_interval__narrows_like_the_standard_error():
    values = rng(4).random(1000)
    low, high = interval(values)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(1000), rel=0.03)


@pytest.mark.parametrize(("values", "limits"), [([0.5, 1.1], (0.0, 1.0)), ([-1.1, 0.0], TAU)])
def test_interval__a_value_outside_the_range_is_refused(values, limits):
    with pytest.raises(ValueError, match=r"values: expected -?\d to 1, got"):
        interval(np.array(values), limits)


def test_interval__forgives_a_sum_of_rounding():
    assert interval(np.full(10, 1 + 1e-12)) == interval(np.ones(10))


# --- coverage ------------------------------------------------------------------------------------


def bell(r, shape):
    return stats.truncnorm.rvs(-8, 2, 0.8, 0.1, size=shape, random_state=r)


POPULATIONS = {
    "uniform": (lambda r, n: r.random(n), 0.5),
    "beta, mean .3": (lambda r, n: r.beta(3, 7, n), 0.3),
    "beta, mean .6": (lambda r, n: r.beta(6, 4, n), 0.6),
    "beta, mean .9": (lambda r, n: r.beta(9, 1, n), 0.9),
    "beta, mean .98": (lambda r, n: r.beta(30, 0.5, n), 30 / 30.5),
    "bell around .8": (bell, stats.truncnorm.mean(-8, 2, 0.8, 0.1)),
    "two humps": (lambda r, n: np.where(r.random(n) < 0.5, r.beta(2, 8, n), r.beta(9, 1, n)), 0.55),
    "2 % at 0": (lambda r, n: np.where(r.random(n) < 0.02, 0.0, 1.0), 0.98),
    "10 % at .3": (lambda r, n: np.where(r.random(n) < 0.1, 0.3, 1.0), 0.93),
    "5 % fail, rest near .99": (
        lambda r, n: np.where(r.random(n) < 0.05, 0.0, r.beta(99, 1, n)), 0.95 * 0.99
    ),
    "half tie": (lambda r, n: np.where(r.random(n) < 0.5, 1.0, r.beta(6, 4, n)), 0.8),
    "all 1": (lambda r, n: np.ones(n), 1.0),
    "30 % at 0": (lambda r, n: np.where(r.random(n) < 0.3, 0.0, 1.0), 0.7),
    "20 % at 0": (lambda r, n: np.where(r.random(n) < 0.2, 0.0, 1.0), 0.8),
}  # fmt: skip


def coverage(population, n_models, bounds, limits=(0.0, 1.0)):
    """Return the share of 2,000 samples of which the interval contains the true mean."""
    draw, true_mean = POPULATIONS[population]
    scale = limits[1] - limits[0]
    samples = limits[0] + scale * draw(rng(n_models), (2000, n_models))
    lows, highs = bounds(samples, limits)
    mean = limits[0] + scale * true_mean
    return np.mean((lows <= mean + 1e-12) & (mean - 1e-12 <= highs))


@pytest.mark.parametrize("n_models", [10, 20, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.parametrize("population", POPULATIONS)
def test_interval__covers_the_true_mean_as_often_as_it_says(population, n_models):
    # .957 to 1 measured; a rate of .93 has a standard error of .006.
    assert coverage(population, n_models, intervals) >= 0.93


@pytest.mark.parametrize("population", ["2 % at 0", "5 % fail, rest near .99"])
def test_interval__covers_near_the_ceiling_of_a_range_with_negative_scores(population):
    assert coverage(population, 20, intervals, TAU) >= 0.93


def t_intervals(samples, limits):
    half = stats.t.ppf(0.975, samples.shape[1] - 1) * stats.sem(samples, axis=1)
    return samples.mean(axis=1) - half, samples.mean(axis=1) + half


def test_interval__of_student_would_not_cover_near_the_ceiling():
    assert coverage("2 % at 0", 50, t_intervals) < 0.7
    assert coverage("5 % fail, rest near .99", 10, t_intervals) < 0.5
    assert coverage("beta, mean .6", 10, t_intervals) >= 0.93


# --- the difference of two samples ---------------------------------------------------------------


def differences(population, n_models, n_samples=200):
    """Return the share of intervals that hold 0, for two samples of one population."""
    draws = POPULATIONS[population][0](rng(7, n_models), (2 * n_samples, n_models))
    pairs = zip(draws[::2], draws[1::2], strict=True)
    ends = [interval_of_difference(first, second) for first, second in pairs]
    return np.mean([low <= 0 <= high for low, high in ends])


@pytest.mark.parametrize("n_models", [10, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.parametrize("population", POPULATIONS)
def test_interval_of_difference__holds_0_for_two_samples_of_one_population(population, n_models):
    assert differences(population, n_models) >= 0.93


def test_interval_of_difference__excludes_0_for_samples_that_differ():
    low, high = interval_of_difference(np.full(50, 0.9), np.full(50, 0.5))
    assert 0 < low < 0.4 < high < 0.6
    assert interval_of_difference(np.full(50, 0.5), np.full(50, 0.9)) == (-high, -low)
