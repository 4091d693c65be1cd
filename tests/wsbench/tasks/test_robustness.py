import numpy as np
import pytest

from wsbench.metrics.intervals import interval
from wsbench.tasks.robustness import robustness
from wsbench.tasks.score import Score

NONE = np.array([0.25, 0.5, 0.75] * 4)  # the interval of its mean begins at .33


def rng(*seed):
    return np.random.default_rng(seed)


def simulated(rng, n_models):
    """Return scores in [0, 1] that share an effect of the model, and keep 1, .9 and .5 of it."""
    effect = rng.beta(18, 2, n_models)
    kept = {"none": 1.0, "a": 1.0, "b": 0.9, "c": 0.5}
    means = {name: share * effect for name, share in kept.items()}
    return {name: rng.beta(20 * mean, 20 * (1 - mean)) for name, mean in means.items()}


def failing(share):
    """Return a draw of scores near .99, except for a share of models that fail."""
    return lambda r, n: np.where(r.random(n) < share, 0.0, r.beta(99, 1, n))


# Clean scores, scores under a perturbation, and the true means of both.
PAIRS = {
    "smooth": (lambda r, n: tuple(simulated(r, n).values())[::3], 0.9, 0.45),
    "2 % lost": (lambda r, n: (np.ones(n), np.where(r.random(n) < 0.02, 0.0, 1.0)), 1.0, 0.98),
    "10 % fall to .3": (
        lambda r, n: (np.ones(n), np.where(r.random(n) < 0.1, 0.3, 1.0)), 1.0, 0.93
    ),
    "5 % fail, then 10 %": (
        lambda r, n: (failing(0.05)(r, n), failing(0.1)(r, n)), 0.95 * 0.99, 0.9 * 0.99
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("n_models", "n_draws"),
    [(10, 200), *(pytest.param(n, 1000, marks=pytest.mark.slow) for n in (10, 50))],
)
@pytest.mark.parametrize("pair", PAIRS)
def test_robustness__interval_covers_the_true_ratio_as_often_as_it_says(pair, n_models, n_draws):
    # .986 to 1 measured; of 1,000, a rate of .93 has a standard error of .008, of 200 one of .018.
    draw, clean, kept = PAIRS[pair]
    true_ratio, hits = (kept - 0.02) / (clean - 0.02), 0
    for seed in range(n_draws):
        none, a = draw(rng(seed, n_models), n_models)
        low, high = robustness({"none": none, "a": a}, ["a"], chance=0.02).interval
        hits += low <= true_ratio <= high
    assert hits / n_draws >= 0.93


def test_robustness__interval_is_narrower_than_of_independent_scores():
    """Models are resampled jointly: what is hard before compression is hard after it."""
    scores = simulated(rng(0), 50)
    apart = scores | {name: rng(1).permutation(scores[name]) for name in "abc"}
    joint, independent = (robustness(s, ["a", "b", "c"]).interval for s in (scores, apart))
    assert joint[1] - joint[0] < independent[1] - independent[0]


def test_robustness__is_the_mean_over_perturbations_of_ratios_of_means():
    shapes = {"a": [0.5, 0.5, 0.2] * 4, "b": [0.0, 0.2, 0.1] * 4}
    scores = {"none": NONE} | {name: np.array(values) for name, values in shapes.items()}
    assert robustness(scores, ["a", "b"]).value == pytest.approx((1.2 / 1.5 + 0.3 / 1.5) / 2)
    expected = ((0.4 - 0.1) / (0.5 - 0.1) + (0.1 - 0.1) / (0.5 - 0.1)) / 2
    assert robustness(scores, ["a", "b"], chance=0.1).value == pytest.approx(expected)


def test_robustness__chance_is_zero():
    assert robustness({"none": NONE, "a": np.full(12, 0.1)}, ["a"], chance=0.1).value == (
        pytest.approx(0, abs=1e-15)
    )


def test_robustness__a_model_without_a_score_does_not_matter_for_the_ratio():
    scores = {"none": np.array([0.0, *[1.0] * 9]), "a": np.array([0.0, *[0.5] * 9])}
    assert robustness(scores, ["a"]).value == pytest.approx(0.5)


def test_robustness__of_what_does_not_change_is_one_but_rare_losses_are_not_excluded():
    none = np.ones(50)
    found = robustness({"none": none} | dict.fromkeys("abcdefg", none), list("abcdefg"), 0.02)
    assert found.value == 1
    # A loss of everything on a share of models that fifty may miss: 1 − .025^(1/50).
    lost = 2 * (1 - 0.025 ** (1 / 50)) / 0.98
    assert found.interval[0] >= 1 - lost
    assert found.interval[1] <= 1 + lost
    assert found.interval[0] < 0.95


def test_robustness__of_what_is_lost_is_zero():
    found = robustness({"none": NONE, "a": np.zeros(12)}, ["a"])
    assert found.value == pytest.approx(0, abs=1e-15)
    assert found.interval[0] <= 0 <= found.interval[1]


def test_robustness__may_exceed_one_and_fall_below_zero():
    scores = {"none": NONE, "better": 1.5 * NONE, "reversed": -NONE}
    assert robustness(scores, ["better"]).value == pytest.approx(1.5)
    assert robustness(scores, ["reversed"]).value == pytest.approx(-1)


def test_robustness__missing_perturbations_and_none_are_left_out():
    scores = {"none": NONE, "a": NONE / 2, "b": NONE / 8}
    assert robustness(scores, ["none", "a", "4 bits"]) == robustness({**scores, "c": NONE}, ["a"])


@pytest.mark.parametrize("chance", [0.34, 0.45, 0.6])
def test_robustness__a_method_not_above_chance_has_nothing_to_lose(chance):
    """Its clean score is .5, and the interval begins below all of these."""
    low, _ = interval(NONE)
    assert low < 0.34
    assert robustness({"none": NONE, "a": NONE}, ["a"], chance) == Score(None, None)
    assert robustness({"none": NONE, "a": NONE}, ["a"], low - 1e-6).value == 1.0


def test_robustness__of_fewer_than_three_models_is_not_known_to_be_above_chance():
    assert robustness({"none": np.ones(2), "a": np.ones(2)}, ["a"]) == Score(None, None)
    assert robustness({"none": np.ones(3), "a": np.ones(3)}, ["a"]).value == 1.0


def test_robustness__of_negative_scores_takes_their_range_into_account():
    none = np.full(50, 0.9)
    tau, share = (
        robustness({"none": none, "a": none}, ["a"], 0.0, limits).interval
        for limits in ((-1.0, 1.0), (0.0, 1.0))
    )
    assert tau[0] < share[0] < 1 < share[1] < tau[1]


def test_robustness__a_score_above_chance_by_rounding_has_nothing_to_lose():
    """Its ratios are beyond what a record holds."""
    assert robustness({"none": np.full(12, 1e-13), "a": NONE}, ["a"]) == Score(None, None)
    assert robustness({"none": np.full(12, 1e-6), "a": NONE}, ["a"]).value > 1e5


def test_robustness__without_scores_there_is_none():
    for scores, perturbations in [({"none": NONE}, ["a"]), ({"a": NONE}, ["a"]), ({}, [])]:
        assert robustness(scores, perturbations) == Score(None, None)


def test_robustness__does_not_depend_on_the_order_of_perturbations_or_of_models():
    scores = simulated(rng(3), 30)
    models = rng(4).permutation(30)
    expected = robustness(scores, ["a", "b", "c"])
    shuffled = {name: scores[name][models] for name in ("c", "none", "b", "a")}
    assert robustness(shuffled, ["c", "a", "b"]) == expected


def test_robustness__does_not_depend_on_the_unit_of_the_score():
    scores = simulated(rng(5), 30)
    in_eighths = {name: values * 8 for name, values in scores.items()}
    found, expected = robustness(in_eighths, "ab", 0.16, (0.0, 8.0)), robustness(scores, "ab", 0.02)
    assert found.value == pytest.approx(expected.value)
    assert found.interval == pytest.approx(expected.interval)


def test_robustness__other_models_are_refused_by_name():
    with pytest.raises(ValueError, match=r"got \(2,\) scores on 'a' and \(12,\) on 'none'"):
        robustness({"none": NONE, "a": NONE[:2]}, ["a"])
