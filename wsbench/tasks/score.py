"""A score and its interval."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from wsbench.metrics.bootstrap import interval
from wsbench.seeding import generator


@dataclass(frozen=True)
class Score:
    """A value, with its 95 % interval if it is primary; None stands for infinite or undefined."""

    value: float | None
    interval: tuple[float, float] | None = None


def score_of_models(values: npt.NDArray[np.float64], seed: int, name: str) -> Score:
    """Return the mean of one value per model, with an interval over models."""
    return Score(mean(values), interval(values, rng=generator(seed, "bootstrap", name)))


def mean(values: npt.ArrayLike) -> float:
    """Return the mean, in which the order of the values changes no digit."""
    return float(np.mean(np.sort(np.asarray(values, np.float64))))
