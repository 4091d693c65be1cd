"""`norm`: the Euclidean norm of the weights, a single number.

The trivial baseline of ordering and precedence. Norms of MLPs grow during training, so sorting by
them orders `mnist-mlp-v1` nearly as well as linkage heights do; weight decay lets those of
`mnist-cnn-v1` shrink, and there the same rule is nearly always wrong.
"""

import numpy as np
import numpy.typing as npt

import wsbench

Array = npt.NDArray[np.float64]


class Norm:
    """Embed each checkpoint as the norm of its weights, and say that a larger one is later."""

    info = wsbench.MethodInfo(
        name="norm",
        version="1",
        description="the norm of the weights; a larger one is later",
        invariances={"hidden-permutation", "sign-flip"},
    )

    def transform(self, checkpoints: wsbench.Checkpoints) -> Array:
        """Return the norms, ``(n_checkpoints, 1)``."""
        # In ascending order, so that a permutation changes not even the last digit of a sum.
        ascending = np.sort(np.abs(checkpoints.weights.astype(np.float64)), axis=1)
        norms: Array = np.linalg.norm(ascending, axis=1, keepdims=True)
        return norms

    def progress(self, checkpoints: wsbench.Checkpoints) -> Array:
        """Return the norms, ``(n_checkpoints,)``."""
        return np.ravel(self.transform(checkpoints))
