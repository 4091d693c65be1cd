"""Which method is best, and which cannot be told from it."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from wsbench.bootstrap import paired_interval
from wsbench.seeding import generator

Standing = Literal["best", "tie", "behind"]


def standings(
    by_model: Mapping[str, npt.NDArray[np.float64]], seed: int = 0
) -> dict[str, Standing]:
    """Say of each method whether it is the best, tied with the best, or behind.

    A method is tied if the 95 % interval of its paired difference from the best, over models,
    holds 0. Without any tie the best is alone; otherwise it is tied too.

    Parameters
    ----------
    by_model
        Method to its primary score on each model, ``(n_models,)``, higher is better, the models in
        the same order for all.
    seed
        For the bootstrap.

    Examples
    --------
    >>> scores = {"a": np.array([0.9, 1.0, 0.9]), "b": np.array([0.1, 0.2, 0.1])}
    >>> standings(scores)
    {'a': 'best', 'b': 'behind'}
    """
    if not by_model:
        return {}
    best = max(by_model, key=lambda name: float(np.mean(np.sort(by_model[name]))))
    result: dict[str, Standing] = {}
    for name, values in by_model.items():
        rng = generator(seed, "bootstrap", "paired")
        low, high = paired_interval(by_model[best], values, rng=rng)
        result[name] = "tie" if low <= 0.0 <= high else "behind"
    result[best] = "tie" if sum(standing == "tie" for standing in result.values()) > 1 else "best"
    return result
