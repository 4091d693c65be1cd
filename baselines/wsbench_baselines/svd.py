"""`svd`: the weights, projected on the leading singular directions of the train models.

These are the compressed spaces of Schürholt and Borth, fitted on train models only. The weights are
not centred, as in the paper: truncated SVD, not PCA.
"""

import numpy as np
import numpy.typing as npt

import wsbench


class SVD:
    """Project the weights on k right singular vectors of the train models' checkpoints.

    Parameters
    ----------
    k
        Number of singular vectors; fewer if there are fewer train checkpoints or weights.

    Raises
    ------
    ValueError
        If `k` is not a whole number from 1.
    """

    info = wsbench.MethodInfo(
        name="svd",
        version="1",
        description="weights on 50 singular vectors of the train models",
        paper_url="https://arxiv.org/abs/2006.10424",
    )

    def __init__(self, k: int = 50) -> None:
        if type(k) is not int or k < 1:
            raise ValueError(f"k={k!r}: expected a whole number from 1")
        self.k = k

    def fit(self, train: wsbench.Checkpoints, *, rng: np.random.Generator) -> None:
        """Compute the singular vectors."""
        self._directions = wsbench.singular_directions(train.weights)[:, : self.k]

    def transform(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.float64]:
        """Return the projections, ``(n_checkpoints, k)``."""
        projections: npt.NDArray[np.float64] = checkpoints.weights @ self._directions
        return projections
