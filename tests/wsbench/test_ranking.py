import numpy as np
import pytest

from wsbench.ranking import standings

RNG = np.random.default_rng(0)


def test_standings__of_nothing_is_nothing():
    assert standings({}) == {}


def test_standings__one_method_is_the_best():
    assert standings({"a": np.array([0.5, 0.7])}) == {"a": "best"}


def test_standings__a_clear_winner_is_alone():
    low, high = RNG.random(30) * 0.1, 0.8 + RNG.random(30) * 0.1
    assert standings({"a": low, "b": high, "c": low / 2}) == {
        "a": "behind", "b": "best", "c": "behind",
    }  # fmt: skip


def test_standings__what_cannot_be_told_from_the_best_is_tied_with_it():
    scores = RNG.random(30)
    noise = RNG.normal(size=30) * 0.1
    found = standings({"a": scores, "b": scores + noise - noise.mean() - 0.001, "c": scores - 1})
    assert found == {"a": "tie", "b": "tie", "c": "behind"}


def test_standings__equal_scores_are_tied():
    ones = np.ones(10)
    assert standings({"a": ones, "b": ones.copy()}) == {"a": "tie", "b": "tie"}


def test_standings__a_small_but_steady_difference_is_no_tie():
    """Models differ far more than methods do; only the paired difference tells."""
    scores = RNG.random(30)
    assert standings({"a": scores, "b": scores - 0.001}) == {"a": "best", "b": "behind"}


@pytest.mark.parametrize("seed", range(3))
def test_standings__depend_neither_on_the_order_of_methods_nor_of_models(seed):
    rng = np.random.default_rng(seed)
    scores = {name: rng.random(12) for name in "abc"}
    models = rng.permutation(12)
    backwards = {name: scores[name][models] for name in "cba"}
    assert standings(backwards) == standings(scores)
