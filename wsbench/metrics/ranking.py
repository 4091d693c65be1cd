"""Paired comparisons of methods, and the ranks that they leave open.

Two methods are compared on the same models, by the mean of their paired differences. If the methods
are equally good, a difference and its negative are equally likely, so every sign can be flipped.
The p-value is the share of flips that give a mean at least as far from 0. The interval holds the
means that this test does not refuse: Hartigan's (1969, Using subsample values as typical values),
between the 2.5 and 97.5 % quantiles of the means of random subsets of the differences.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from wsbench.seeding import generator
from wsbench.typing import Doubles, Reals

# False positives, the share of 2,000 pairs of equally good methods that are separable, in percent:
# scores of both are drawn from the same population. None at all where all score 1.
#
#               Beta(9, 1)   2 % at 0   10 % at .3   5 % at 0, rest near .99   half of them 1
#   6 models        3.2         0           0                  3.2                   .4
#   10 models       4.2         0           0                  4.8                  4.4
#   20 models       5.1         0            .2                5.2                  5.1
#   50 models       5.4          .1         2.2                5.6                  4.6
#
# Coverage of the true difference in percent and mean width, of 2,000 pairs; in the last three, one
# method scores 1 always, or fails on 5 % of the models and the other on 10 %:
#
#               normal     smooth, .8 and .64   half 1   2 % at 0   10 % at .3   5 % and 10 % fail
#   10 models   95 .140         95 .186        94 .327    18 .064     66 .193         62 .394
#   20 models   94 .092         95 .123        95 .209    32 .052     85 .157         87 .307
#   50 models   95 .056         96 .076        95 .127    62 .046     89 .116         94 .202
#
# Gaffke's interval over the range of differences would cover 99 % or more of all of these, but is
# .62 wide for 10 models: it would not separate methods that differ by .4 on every model.

LEAST_RANKED = 6  # models; of five, all 32 flips together cannot give a p-value below .0625

_LEVEL = 0.05
_ENUMERATED = 13  # differences: 8,192 flips
_N_DRAWN = 9_999  # flips of more than that: a p-value of .05 has a standard error of .002
_ROUNDING = 1e-12  # of a sum of differences, relative to their absolute sum


@dataclass(frozen=True)
class Comparison:
    """The difference between the scores of two methods.

    Attributes
    ----------
    difference
        Mean over models.
    interval
        Of the mean, 95 %; None from fewer than six models.
    p
        Of the sign-flip test that the methods are equally good, two-sided.
    separable
        Whether p is at most .05 and 0 is outside the interval; if not, or from fewer than six
        models, the methods are tied.
    """

    difference: float
    interval: tuple[float, float] | None
    p: float
    separable: bool


def compare_scores(a: Reals, b: Reals, seed: int = 0) -> Comparison:
    """Compare two methods by their scores on the same models.

    All flips of up to 13 differences are enumerated, zeros left out. Of more, 9,999 are drawn, and
    the scores as they are count as one more, which keeps the test valid. Exchanging the methods
    gives exactly the negative and the same p.

    The test assumes that differences are symmetric where the methods are equally good, as they are
    where scores can be exchanged. It does not see failures that are too rare to occur on these
    models.

    Parameters
    ----------
    a, b
        The scores of the methods, ``(n_models,)`` each, the same model at the same place.
    seed
        For sign flips that are drawn.

    Raises
    ------
    ValueError
        If the two are not of the same models, or there is none.

    Examples
    --------
    >>> compare_scores(np.full(6, 0.75), np.full(6, 0.5))
    Comparison(difference=0.25, interval=(0.25, 0.25), p=0.03125, separable=True)
    """
    _expect_same_models(a, b)
    subsets = _subsets(len(a), seed)
    return _compare(a, b, subsets, subsets.sum(axis=1))


def rank_intervals(by_model: Mapping[str, Reals], seed: int = 0) -> dict[str, tuple[int, int]]:
    """Compute the ranks that the paired comparisons leave open.

    The best rank is 1 + the number of methods that are separably better, the worst the number of
    methods that are not separably worse. The confidence sets of Mogstad, Romano, Shaikh and Wilhelm
    (2024, Inference for ranks, Review of Economic Studies 91) are made in the same way, from wider
    intervals that hold jointly. Here each comparison holds by itself, and the ranks are not
    simultaneous. With eleven nearly equal methods on 10 or 50
    models, the ranks contained the true one in 97 and 98 % of 300 simulations over all methods, in
    89 and 95 % for the truly first and last, which ten others can displace, and for all eleven at
    once in 73 and 85 %.

    Parameters
    ----------
    by_model
        Method to its primary score on each model, ``(n_models,)``, higher is better, the models in
        the same order for all.
    seed
        For sign flips that are drawn.

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
    subsets = _subsets(max(map(len, by_model.values()), default=0), seed)
    sizes = subsets.sum(axis=1)
    for a, b in combinations(by_model, 2):
        _expect_same_models(by_model[a], by_model[b])
        comparison = _compare(by_model[a], by_model[b], subsets, sizes)
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


def _expect_same_models(a: Reals, b: Reals) -> None:
    if np.ndim(a) != 1 or np.shape(a) != np.shape(b) or np.size(a) == 0:
        raise ValueError(
            f"expected the scores of two methods on the same models, (n_models,) each, got "
            f"{np.shape(a)} and {np.shape(b)}; keep the models that both have"
        )


def _compare(a: Reals, b: Reals, subsets: Doubles, sizes: Doubles) -> Comparison:
    """Compare two methods, given subsets of as many differences as there are models."""
    # In ascending order, of the differences or of their negatives, whichever are the greater list:
    # both methods then see the same subsets, in any order of the models.
    differences = np.sort(np.subtract(a, b, dtype=np.float64))
    negatives = -differences[::-1]
    turned = differences.tolist() < negatives.tolist()
    values = negatives if turned else differences
    sums = _sums(values, subsets)
    n_nonzero = int(np.count_nonzero(values))
    is_few = n_nonzero <= _ENUMERATED
    p = _p_value(_sums(values[values != 0], _all_subsets(n_nonzero)) if is_few else sums)
    # fsum is the same in any order and for any sign; what it rounds must not leave the interval.
    mean = math.fsum(differences) / len(differences)
    if len(differences) < LEAST_RANKED:
        return Comparison(mean, None, p, separable=False)
    low, high = _interval(sums, sizes)
    if np.array_equal(differences, negatives):
        low, high = (low - high) / 2, (high - low) / 2
    if turned:
        low, high = 0.0 - high, 0.0 - low
    separable = p <= _LEVEL and not low <= 0 <= high
    return Comparison(min(max(mean, low), high), (low, high), p, separable)


def _subsets(n: int, seed: int) -> Doubles:
    """Return subsets of n differences as rows of 0 and 1: all but the empty one, or drawn ones.

    A subset stands for the flip of its members' signs.
    """
    if n <= _ENUMERATED:
        return _all_subsets(n)
    drawn = generator(seed, "sign-flips").integers(2, size=(_N_DRAWN, n), dtype=np.int8)
    return drawn.astype(np.float64)


def _all_subsets(n: int) -> Doubles:
    members = np.arange(1, 2**n)[:, None] >> np.arange(n) & 1
    return members.astype(np.float64)


def _sums(differences: Doubles, subsets: Doubles) -> Doubles:
    """Return the sum of each subset, 0 where differences cancel."""
    # Not a matrix product: threads of BLAS take 7 ms to share out what takes .3 ms.
    sums: Doubles = np.einsum("ij,j->i", subsets, differences)
    sums[np.abs(sums) <= _ROUNDING * np.abs(differences).sum()] = 0.0
    return sums


def _p_value(sums: Doubles) -> float:
    """Return twice the share of flips that take the mean of the differences no nearer to 0.

    A flip takes twice the subset's sum from the total. The empty subset, which is none of the
    `sums`, leaves everything as it is.
    """
    rarer = int(min(np.count_nonzero(sums <= 0), np.count_nonzero(sums >= 0)))
    return min(1.0, 2 * (1 + rarer) / (1 + len(sums)))


def _interval(sums: Doubles, sizes: Doubles) -> tuple[float, float]:
    """Return the smallest and the largest mean that the test does not refuse.

    It refuses a mean that fewer than this number of subset means reach.
    """
    number = int(_LEVEL / 2 * (1 + len(sums)))
    kept = sizes > 0  # a drawn subset may be empty, and then counts on both sides
    means, n_empty = np.sort(sums[kept] / sizes[kept]), int(np.count_nonzero(~kept))
    at = max(number - n_empty, 1) - 1
    return float(means[at]), float(means[-1 - at])
