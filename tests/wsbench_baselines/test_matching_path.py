from itertools import pairwise, permutations

import numpy as np

import wsbench
from wsbench_baselines.matching import Matching
from wsbench_baselines.matching_path import MatchingPath

LAYOUT = wsbench.Layout.of([("w", (1, 3), ("output", "input"))], "identity")


def checkpoints(n):
    weights = np.random.default_rng(n).normal(size=(n, 3)).astype(np.float32)
    return wsbench.Checkpoints(weights, LAYOUT)


def test_pairwise__is_the_longest_step_of_the_best_of_all_paths():
    given = checkpoints(6)
    steps = Matching().pairwise(given)
    found = MatchingPath().pairwise(given)
    for i in range(6):
        for j in range(6):
            others = [k for k in range(6) if k not in (i, j)]
            paths = ((i, *some, j) for r in range(5) for some in permutations(others, r))
            best = min(max(steps[a, b] for a, b in pairwise(p)) for p in paths)
            np.testing.assert_allclose(found[i, j], best if i != j else 0, rtol=1e-12)


def test_pairwise__of_one_and_of_two_is_the_distance():
    for n in (1, 2):
        given = checkpoints(n)
        np.testing.assert_allclose(
            MatchingPath().pairwise(given), Matching().pairwise(given), rtol=1e-12
        )


def test_pairwise__depends_on_what_lies_between():
    given = checkpoints(40)
    few = wsbench.Checkpoints(given.weights[::5], LAYOUT)
    whole, part = MatchingPath().pairwise(given)[::5, ::5], MatchingPath().pairwise(few)
    assert (whole <= part + 1e-12).all()
    assert (whole < part - 0.1).any()
