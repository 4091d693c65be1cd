"""Copies of checkpoints under a symmetry of their networks."""

import numpy as np

import wsbench
from wsbench.networks.symmetries import permute_hidden


def acted_on(checkpoints, action):
    """The networks after an action such as `flip_signs`, each with a draw of its own."""
    weights = action(checkpoints.weights, checkpoints.layout, np.random.default_rng(2))
    return wsbench.Checkpoints(weights, checkpoints.layout)


def permuted(checkpoints):
    """The same networks, the hidden units of each in an order of their own."""
    return acted_on(checkpoints, permute_hidden)
