"""Paired comparisons of methods, and the ranks that they leave open.

Two methods are compared on the same models, by the interval of their paired difference. If it
contains 0, they are tied.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from wsbench.metrics.bootstrap import LEAST_MODELS, interval
from wsbench.seeding import generator
from wsbench.typing import Doubles, Reals

LEAST_RANKED = 6  # models; see `compare_scores`


@dataclass(frozen=True)
class Comparison:
    """The difference between the scores of two methods.

    Attributes
    ----------
    difference
        Mean over models.
    interval
        Of the mean, 95 %; None from fewer than three models.
    separable
        Whether 0 is outside the interval; if not, or from fewer than six models, the methods are
        tied.
    """

    difference: float
    interval: tuple[float, float] | None
    separable: bool


def compare_scores(a: Reals, b: Reals, seed: int = 0) -> Comparison:
    """Compare two methods by their scores on the same models.

    Exchanging the methods gives exactly the negative. With fewer than six models nothing is
    separable: an interval stays within the range of the values, and would separate 51, 26, 13 and
    7 % of equally good methods with normal differences on 2, 3, 4 and 5 models.

    Parameters
    ----------
    a, b
        The scores of the methods, ``(n_models,)`` each, the same model at the same place.
    seed
        For the bootstrap.

    Raises
    ------
    ValueError
        If the two are not of the same models, or there is none.

    Examples
    --------
    >>> compare_scores(np.full(6, 0.75), np.full(6, 0.5))
    Comparison(difference=0.25, interval=(0.25, 0.25), separable=True)
    """
    if np.ndim(a) != 1 or np.shape(a) != np.shape(b) or np.size(a) == 0:
        raise ValueError(
            f"expected the scores of two methods on the same models, (n_models,) each, got "
            f"{np.shape(a)} and {np.shape(b)}; keep the models that both have"
        )
    differences = np.sort(np.subtract(a, b, dtype=np.float64))
    low, high = _antisymmetric_interval(differences, seed)
    # fsum is the same in any order and for any sign; what it rounds must not leave the interval.
    mean = min(max(math.fsum(differences) / len(differences), low), high)
    n_models = len(differences)
    return Comparison(
        mean,
        (low, high) if n_models >= LEAST_MODELS else None,
        n_models >= LEAST_RANKED and (low > 0 or high < 0),
    )


def rank_intervals(by_model: Mapping[str, Reals], seed: int = 0) -> dict[str, tuple[int, int]]:
    """Compute the ranks that the 95 % intervals of the paired differences leave open.

    The best rank is 1 + the number of methods that are separably better, the worst the number of
    methods that are not separably worse. The confidence sets of Mogstad, Romano, Shaikh and Wilhelm
    (2024, Inference for ranks, Review of Economic Studies 91) are made in the same way, from wider
    intervals that hold jointly; here each interval holds by itself. With eleven nearly equal
    methods on 10 or 50 models, the ranks contained the true one in 94 and 96 % of 300 simulations
    over all methods, and in 79 and 86 % for the truly first and last, which ten others can
    displace.

    Parameters
    ----------
    by_model
        Method to its primary score on each model, ``(n_models,)``, higher is better, the models in
        the same order for all.
    seed
        For the bootstrap.

    Returns
    -------
    ranks
        Method to ``(best, worst)``, from 1 to the number of methods, in the order of `by_model`.
        Empty with fewer than six models, from which none can be told apart.

    Raises
    ------
    ValueError
        As `compare_scores` does.

    Examples
    --------
    >>> a, b = np.array([0.8, 1.0, 0.9] * 2), np.array([0.1, 0.2, 0.1] * 2)
    >>> rank_intervals({"a": a, "b": b, "same as b": b})
    {'a': (1, 1), 'b': (2, 3), 'same as b': (2, 3)}
    """
    if any(len(scores) < LEAST_RANKED for scores in by_model.values()):
        return {}
    best = dict.fromkeys(by_model, 1)
    worst = dict.fromkeys(by_model, len(by_model))
    for a, b in combinations(by_model, 2):
        comparison = compare_scores(by_model[a], by_model[b], seed)
        if comparison.separable:
            better, worse = (a, b) if comparison.difference > 0 else (b, a)
            worst[better] -= 1
            best[worse] += 1
    return {name: (best[name], worst[name]) for name in by_model}


def rank_text(interval: tuple[int, int] | None) -> str:
    """Return a rank interval as tables show it; a dash for a method without a rank.

    Examples
    --------
    >>> rank_text((1, 1)), rank_text((2, 4)), rank_text(None)
    ('1', '2–4', '–')
    """
    if interval is None:
        return "–"
    best, worst = interval
    return str(best) if best == worst else f"{best}–{worst}"


def _antisymmetric_interval(differences: Doubles, seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the mean, which for the negatives is exactly the negative.

    The resamples are drawn for the values or for the negatives, whichever compare as the greater
    list, so that both see the same.
    """
    negatives = -differences[::-1]
    turned = differences.tolist() < negatives.tolist()
    values = negatives if turned else differences
    low, high = interval(values, rng=generator(seed, "bootstrap", "paired"))
    if np.array_equal(differences, negatives):
        low, high = (low - high) / 2, (high - low) / 2
    return (0.0 - high, 0.0 - low) if turned else (low, high)
