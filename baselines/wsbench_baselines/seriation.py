"""`seriation`: the raw weights, and one model's checkpoints in the order of the curve they lie on.

Nearly solves ordering, where linkage heights do not: training is a walk with shrinking steps, and
the order along a curve can be read from the distances between its points (Atkins, Boman and
Hendrickson 1998, *A Spectral Algorithm for Seriation and the Consecutive Ones Problem*). Kendall's
τ on the validation models is .99 on mnist-mlp-v1 and 1.00 on mnist-cnn-v1; by linkage heights .61
and .92.
"""

import numpy as np
import numpy.typing as npt

import wsbench


class Seriation:
    """Embed each checkpoint as its flat weight vector, and order by spectral seriation."""

    info = wsbench.MethodInfo(
        name="seriation",
        version="1",
        description="distance of the raw weights, order by spectral seriation",
        paper_url="https://doi.org/10.1137/S0097539795285771",
    )

    def transform(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.float32]:
        """Return the weights, ``(n_checkpoints, n_parameters)``."""
        return checkpoints.weights

    def order(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.intp]:
        """Put one model's checkpoints in order, from their Euclidean distances."""
        return wsbench.spectral_order(wsbench.pairwise_euclidean(checkpoints.weights))
