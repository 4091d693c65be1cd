"""`euclidean`: the raw weights. The distance of Schürholt and Borth's investigation."""

import numpy as np
import numpy.typing as npt

import wsbench


class Euclidean:
    """Embed each checkpoint as its flat weight vector."""

    info = wsbench.MethodInfo(
        name="euclidean", version="1", description="distance of the raw weights"
    )

    def transform(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.float32]:
        """Return the weights, ``(n_checkpoints, n_parameters)``."""
        return checkpoints.weights
