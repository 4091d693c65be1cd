"""Robustness: the share of its score that a method keeps under perturbations."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from wsbench.tasks.score import LARGEST, Score, interval_over_models, mean

VERSION = 1

# The interval is that of the mean of the linearised ratio. Chosen by how many of 2,000 nominal
# 95 % intervals (600 resamples, standard error .5) covered the true ratio, in percent; scores are
# beta variates around a shared effect of the model, the last ones normal and nearly all noise:
#
#   mean score on `none`                         .9    .4   .11    .1
#   10 models, percentiles of the ratio        90.3  89.5  88.5  96.7
#   10 models, studentised ratio               94.2  94.3  91.8  66.3
#   10 models, this                            94.8  95.9  89.4  98.2
#   50 models, percentiles of the ratio        94.0  93.3  93.6  96.2
#   50 models, studentised ratio               94.2  94.4  95.1  79.0
#   50 models, this                            94.8  94.5  94.2  97.5


def robustness(
    primary: Mapping[str, npt.NDArray[np.floating]], perturbations: Sequence[str], seed: int = 0
) -> Score:
    """Compute the mean, over perturbations, of the primary score relative to that on ``none``.

    Each relative score is a ratio of means over models, since a single model may score 0. For the
    interval, models are drawn and keep their scores on all perturbations.

    Parameters
    ----------
    primary
        Perturbation to the primary score of each model, ``(n_models,)``, higher is better, models
        in the same order for all.
    perturbations
        Which to average over, by name. Those that `primary` lacks are left out, and so is ``none``.
    seed
        For the bootstrap.

    Returns
    -------
    score
        1 if nothing is lost, above 1 if something is gained, below 0 if the scores become
        negative. None, without an interval, where the mean on ``none`` is not positive, or so near
        0 that the ratio exceeds 1e12: there is nothing to lose. None, too, where ``none`` or all of
        the perturbations are missing.

    Raises
    ------
    ValueError
        If a perturbation has other models than ``none``.

    Examples
    --------
    >>> by_perturbation = {"none": np.array([1.0] * 3), "8 bits": np.array([0.5] * 3)}
    >>> robustness(by_perturbation, ["8 bits", "4 bits"])
    Score(value=0.5, interval=(0.5, 0.5))
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
    whole = mean(base)
    if not whole > 0:
        return Score(None)
    # Changes instead of scores, so that what does not change at all is 1 to the last digit; in
    # ascending order, so that the order of the perturbations cannot change it either.
    changes = np.sort(np.array([primary[name] for name in present]) - base, axis=0)
    change = changes.mean(axis=0)
    relative = mean(change) / whole
    linearised = 1 + relative + (change - relative * base) / whole
    between = interval_over_models(linearised, seed, "robustness")
    # A mean that is rounding only, of scores of both signs, gives ratios of 1e16 and more.
    numbers = (1 + relative, *(between or ()))
    return Score(None) if max(map(abs, numbers)) > LARGEST else Score(1 + relative, between)
