"""Splits of models into train, val and test: a fixed function of zoo id and model number."""

import numpy as np
import numpy.typing as npt

from wsbench.seeding import bit_generator
from wsbench.zoo.schema import TEST, TRAIN, VAL, is_fresh


def split_of_models(zoo_id: str, n_models: int) -> npt.NDArray[np.uint8]:
    """Return the split of models 0 … n_models − 1: 60 % train, 20 % val, 20 % test.

    Of each five consecutive models, one drawn from the id is for validation and one for test. A
    model's split therefore does not depend on how many models there are. All models of a fresh
    zoo, which its id shows, are for test.

    Examples
    --------
    >>> sorted(split_of_models("digits-mlp-v1", 5).tolist())
    [0, 0, 0, 1, 2]
    """
    if is_fresh(zoo_id):
        return np.full(n_models, TEST, np.uint8)
    splits = np.full((-(-n_models // 5), 5), TRAIN, np.uint8)
    for group, row in enumerate(splits):
        first, second = bit_generator(0, zoo_id, "split", group).random_raw(2)
        val = int(first) % 5
        test = (val + 1 + int(second) % 4) % 5
        row[val], row[test] = VAL, TEST
    return splits.ravel()[:n_models]
