"""`random`: a random vector for each checkpoint. The floor of every table."""

import hashlib

import numpy as np
import numpy.typing as npt

import wsbench

N_DIMENSIONS = 8


class Random:
    """Embed each checkpoint at a random point, the same one whenever its weights are the same."""

    info = wsbench.MethodInfo(
        name="random", version="1", description="a random vector for each checkpoint: the floor"
    )

    def transform(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.float64]:
        """Return standard normal vectors, ``(n_checkpoints, 8)``, seeded by a hash of the row."""
        return np.array([_point(row) for row in checkpoints.weights])

    def progress(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.float64]:
        """Return the first coordinate of each, ``(n_checkpoints,)``."""
        return self.transform(checkpoints)[:, 0]


def _point(row: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(row.tobytes()).digest()[:16], "little")
    return np.random.default_rng(seed).standard_normal(N_DIMENSIONS)
