"""`matching-path`: minimax path distances over those of `matching`, a transductive trick.

A path between two checkpoints may pass through any others, and is as long as its longest step.
Where every epoch is at hand, trajectories are dense curves, and the path follows them: MAP@R of
identification becomes 1. A distance then depends on which other checkpoints are there, so the
method has no rank. With three checkpoints of a model there is nothing to follow.
"""

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import squareform

import wsbench
from wsbench_baselines.matching import Matching


class MatchingPath:
    """The longest step of the path between two checkpoints whose longest step is shortest."""

    info = wsbench.MethodInfo(
        name="matching-path",
        version="1",
        description="minimax path distances over matching; depends on all checkpoints at once",
        invariances={"hidden-permutation"},
        paper_url="https://arxiv.org/abs/2209.04836",
    )

    def pairwise(self, checkpoints: wsbench.Checkpoints) -> npt.NDArray[np.float64]:
        """Return the distances, ``(n_checkpoints, n_checkpoints)``.

        They are the heights at which single linkage joins two checkpoints.
        """
        steps = Matching().pairwise(checkpoints)
        if len(steps) < 2:
            return steps
        distances = squareform(steps, checks=False)
        return np.asarray(squareform(cophenet(linkage(distances, "single"))))
