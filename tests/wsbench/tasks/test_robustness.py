import numpy as np
import pytest

from wsbench.tasks.robustness import robustness
from wsbench.tasks.score import Score

NONE = np.array([0.25, 0.5, 0.75])


def rng(*seed):
    return np.random.default_rng(seed)


def simulated(rng, n_models):
    """Return scores in [0, 1] that share an effect of the model, and keep 1, .9 and .5 of it."""
    effect = rng.beta(18, 2, n_models)
    kept = {"none": 1.0, "a": 1.0, "b": 0.9, "c": 0.5}
    means = {name: share * effect for name, share in kept.items()}
    return {name: rng.beta(20 * mean, 20 * (1 - mean)) for name, mean in means.items()}


@pytest.mark.parametrize("n_models", [10, 50])
def test_robustness__interval_covers_the_true_ratio_as_often_as_it_says(n_models):
    # 95 and 94.8 % of 2,000 simulations; of 700, a rate of 95 % has a standard error of .8 %, and
    # the bounds are three of these away.
    hits = 0
    for seed in range(700):
        score = robustness(simulated(rng(seed, n_models), n_models), ["a", "b", "c"], seed)
        hits += score.interval[0] <= (1 + 0.9 + 0.5) / 3 <= score.interval[1]
    assert 0.925 <= hits / 700 <= 0.975


def test_robustness__interval_is_narrower_than_of_independent_scores():
    """Models are resampled jointly: what is hard before compression is hard after it."""
    scores = simulated(rng(0), 50)
    apart = scores | {name: rng(1).permutation(scores[name]) for name in "abc"}
    joint, independent = (robustness(s, ["a", "b", "c"]).interval for s in (scores, apart))
    assert joint[1] - joint[0] < independent[1] - independent[0]


def test_robustness__is_the_mean_over_perturbations_of_ratios_of_means():
    scores = {"none": NONE, "a": np.array([0.5, 0.5, 0.2]), "b": np.array([0.0, 0.2, 0.1])}
    assert robustness(scores, ["a", "b"]).value == pytest.approx((1.2 / 1.5 + 0.3 / 1.5) / 2)


def test_robustness__a_model_without_a_score_does_not_matter_for_the_ratio():
    scores = {"none": np.array([0.0, 1.0]), "a": np.array([0.0, 0.5])}
    assert robustness(scores, ["a"]).value == 0.5


def test_robustness__of_what_does_not_change_is_one_for_certain():
    none = rng(2).random(50)
    scores = {"none": none} | dict.fromkeys("abcdefg", none)
    assert robustness(scores, list("abcdefg")) == Score(1.0, (1.0, 1.0))


def test_robustness__of_what_is_lost_is_zero():
    found = robustness({"none": NONE, "a": np.zeros(3)}, ["a"])
    assert found == Score(0.0, (0.0, 0.0))


def test_robustness__may_exceed_one_and_fall_below_zero():
    scores = {"none": NONE, "better": 1.5 * NONE, "reversed": -NONE}
    assert robustness(scores, ["better"]).value == pytest.approx(1.5)
    assert robustness(scores, ["reversed"]).value == pytest.approx(-1)


def test_robustness__missing_perturbations_and_none_are_left_out():
    scores = {"none": NONE, "a": NONE / 2, "b": NONE / 8}
    assert robustness(scores, ["none", "a", "4 bits"]) == robustness({**scores, "c": NONE}, ["a"])


@pytest.mark.parametrize("none", [np.zeros(3), -NONE, np.array([-0.5, 0.25, 0.25])])
def test_robustness__a_method_that_scores_nothing_has_nothing_to_lose(none):
    assert robustness({"none": none, "a": NONE}, ["a"]) == Score(None, None)


def test_robustness__a_mean_of_rounding_has_nothing_to_lose():
    """Its ratios are beyond what a record holds."""
    none = np.array([0.5, -0.5, 1e-16])
    assert robustness({"none": none, "a": NONE}, ["a"]) == Score(None, None)
    assert robustness({"none": none + 1e-6, "a": NONE}, ["a"]).value > 1e5


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
    assert robustness(in_eighths, ["a", "b"]) == robustness(scores, ["a", "b"])


def test_robustness__seed_decides_the_resamples_only():
    scores = simulated(rng(6), 30)
    first, again, other = (robustness(scores, ["b"], seed) for seed in (0, 0, 1))
    assert first == again
    assert first.value == other.value
    assert first.interval != other.interval


def test_robustness__other_models_are_refused_by_name():
    with pytest.raises(ValueError, match=r"got \(2,\) scores on 'a' and \(3,\) on 'none'"):
        robustness({"none": NONE, "a": NONE[:2]}, ["a"])
