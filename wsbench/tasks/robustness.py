"""Robustness: the share of its score above chance that a method keeps under perturbations."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from wsbench.metrics.intervals import interval
from wsbench.tasks.score import LARGEST, Score, interval_over_models, mean

VERSION = 2

# Coverage of the true ratio in percent and mean width, of 1,000 samples, with chance at .02; the
# bootstrap is of the linearised ratio, studentised.
#
#                      smooth, .9 → .72   1, 2 % fall to 0   5 % at 0 → 10 % at 0   half of them 1
#   10 models, this       100 .640           100 .640             100 .782            100 .904
#   bootstrap              94 .183            19 .102              65 .598             96 .630
#   50 models, this       100 .160           100 .165              99 .270             99 .296
#   bootstrap              96 .070            60 .097              91 .232             95 .233


def robustness(
    primary: Mapping[str, npt.NDArray[np.floating]],
    perturbations: Sequence[str],
    chance: float = 0.0,
    limits: tuple[float, float] = (0.0, 1.0),
) -> Score:
    """Compute the mean over perturbations of (score − chance) / (score on ``none`` − chance).

    Each share is a ratio of means over models, since a single model may score no more than chance.
    The interval is that of the mean of the linearised ratio: its value on a model lies in a range
    that follows from that of the score, and a model keeps its scores on all perturbations.

    Parameters
    ----------
    primary
        Perturbation to the primary score of each model, ``(n_models,)``, higher is better, models
        in the same order for all.
    perturbations
        Which to average over, by name. Those that `primary` lacks are left out, and so is ``none``.
    chance
        The primary score that random answers have on average.
    limits
        Smallest and largest value of the primary score.

    Returns
    -------
    score
        1 if nothing is lost, above 1 if something is gained, below 0 if the scores fall below
        chance. None, without an interval, where the method is not above chance on ``none``: where
        `chance` is not below the interval of that score, of which there is none from fewer than
        three models. None, too, where ``none`` or all of the perturbations are missing.

    Raises
    ------
    ValueError
        If a perturbation has other models than ``none``.

    Examples
    --------
    >>> by_perturbation = {"none": np.array([1.0] * 3), "8 bits": np.array([0.5] * 3)}
    >>> robustness(by_perturbation, ["8 bits", "4 bits"], chance=0.25).value
    0.33333333333333337
    """
    present = [name for name in perturbations if name in primary and name != "none"]
    if not present or "none" not in primary:
        return Score(None)
    base = np.asarray(primary["none"], np.float64)
    for name in present:
        if np.shape(primary[name]) != base.shape:
            raise ValueError(
                f"primary: expected the same models for each perturbation, got "
                f"{np.shape(primary[name])} scores on {name!r} and {base.shape} on 'none'"
            )
    clean = interval_over_models(base, limits)
    if clean is None or clean[0] <= chance:
        return Score(None)
    # Changes instead of scores, so that what does not change at all is 1 to the last digit; in
    # ascending order, so that the order of the perturbations cannot change it either.
    changes = np.sort(np.array([primary[name] for name in present]) - base, axis=0)
    change, whole = changes.mean(axis=0), mean(base) - chance
    relative = mean(change) / whole
    linearised = change - relative * (base - chance)
    low, high = interval(linearised, _linearised_limits(relative, chance, limits))
    numbers = [1 + relative + end / whole for end in (0.0, low, high)]
    # A score that is above chance by rounding only gives ratios of 1e13 and more.
    if max(map(abs, numbers)) > LARGEST:
        return Score(None)
    return Score(numbers[0], (numbers[1], numbers[2]))


def _linearised_limits(
    relative: float, chance: float, limits: tuple[float, float]
) -> tuple[float, float]:
    """Return the limits of score − clean score − relative · (clean score − chance)."""
    taken = sorted((1 + relative) * limit for limit in limits)
    return limits[0] - taken[1] + relative * chance, limits[1] - taken[0] + relative * chance
