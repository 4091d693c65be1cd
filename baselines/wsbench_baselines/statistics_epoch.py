"""`statistics-epoch`: the epoch of a checkpoint, predicted from the statistics of its weights.

The supervised baseline of ordering and precedence: ridge regression from the features of
`statistics` to the epoch, fitted on the train models. Its distances are those of `statistics`.
"""

import numpy as np
import numpy.typing as npt

import wsbench
from wsbench_baselines.statistics import Statistics

Array = npt.NDArray[np.float64]


class StatisticsEpoch(Statistics):
    """Order checkpoints by the epoch that a linear function of their statistics predicts.

    Parameters
    ----------
    strength
        Of the ridge penalty, positive. Precedence on the validation models of mnist-mlp-v1,
        mnist-cnn-v1 and digits-mlp-v2 is .476, .960 and .918 with .1, .480, .960 and .927 with 10,
        and .492, .963 and .934 with 100. The logarithm of the epoch as target gives .452, .956 and
        .902, gradient boosting .531, .953 and .900.

    Raises
    ------
    ValueError
        If the strength is not positive.
    """

    info = wsbench.MethodInfo(
        name="statistics-epoch",
        version="1",
        description="ridge regression from the statistics of the weights to the epoch",
        invariances={"hidden-permutation"},
        needs={"labels"},
        paper_url="https://arxiv.org/abs/2002.11448",
    )

    def __init__(self, strength: float = 100.0) -> None:
        super().__init__()
        if not strength > 0:
            raise ValueError(f"strength={strength!r}: expected a positive number")
        self.strength = strength

    def fit(self, train: wsbench.Checkpoints, *, rng: np.random.Generator) -> None:
        """Scale the features and solve for their weights in the prediction."""
        super().fit(train, rng=rng)
        features, epoch = self.transform(train), train.epoch.astype(np.float64)
        penalty = self.strength * np.eye(features.shape[1])
        products = features.T @ (epoch - epoch.mean())
        self._slopes = np.linalg.solve(features.T @ features + penalty, products)

    def progress(self, checkpoints: wsbench.Checkpoints) -> Array:
        """Return the predicted epochs less a constant, ``(n_checkpoints,)``."""
        # Row by row: the sum of a product of matrices depends on how many rows there are.
        predicted: Array = np.sum(self.transform(checkpoints) * self._slopes, axis=1)
        return predicted

    def order(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.intp]:
        """Put checkpoints in the order of their predicted epochs."""
        return np.argsort(self.progress(checkpoints), kind="stable")
