"""`svd`: the weights on the leading singular directions of the train models.

Schürholt and Borth's compressed spaces, fitted on train models only. As there, the weights are not
centred (truncated SVD, not PCA).
"""

import numpy as np
import numpy.typing as npt

import wsbench


class SVD:
    """Project the weights on k right singular vectors of the train models' checkpoints.

    Parameters
    ----------
    k
        How many; fewer if there are fewer train checkpoints or weights.
    """

    info = wsbench.MethodInfo(
        name="svd", version="1", description="weights on 50 singular vectors of the train models"
    )

    def __init__(self, k: int = 50) -> None:
        self.k = k

    def fit(self, train: wsbench.Checkpoints, *, rng: np.random.Generator) -> None:
        """Find the singular vectors: eigenvectors of the Gram matrix WᵀW, in float64.

        For 7,500 × 2,160 that takes a third of the time of a truncated SVD of W, and the small
        eigenvalues, whose digits it loses, are not used.
        """
        weights = train.weights.astype(np.float64)
        _, vectors = np.linalg.eigh(weights.T @ weights)  # eigenvalues ascending
        self._directions = vectors[:, ::-1][:, : self.k]

    def transform(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.float64]:
        """Return the projections, ``(n_checkpoints, k)``."""
        projections: npt.NDArray[np.float64] = checkpoints.weights @ self._directions
        return projections
