"""Scores of networks whose layout differs from the recipe's: wider ones, for instance.

The kernels know the recipe's widths only. These scores come from wsbench's forward pass: sums are
in another order, so losses agree with the kernels' except for rounding, and outputs that nearly tie
can swap. The train data are left out: no use needs them, and MNIST has six times as many.
"""

import numpy as np
import numpy.typing as npt

import wsbench
from wsbench_zoos.data.sources import load_data
from wsbench_zoos.recipe import parse_recipe

Floats = npt.NDArray[np.float32]


def score_networks(recipe_text: str, weights: Floats, layout: wsbench.Layout) -> dict[str, Floats]:
    """Return the scores on test data that `score_checkpoints` gives, except for rounding.

    Parameters
    ----------
    recipe_text
        The recipe as TOML, whose data the networks are scored on.
    weights
        ``(n_checkpoints, n_parameters)`` float32.
    layout
        Theirs, with the recipe's inputs and outputs.

    Returns
    -------
    scores
        ``"test_loss"`` and ``"test_accuracy"``, each ``(n_checkpoints,)``.
    """
    data = load_data(parse_recipe(recipe_text).source)
    networks = wsbench.Checkpoints(weights, layout, probe_inputs=data.test_images)
    outputs = networks.activations("output")  # (n_checkpoints, n_classes, n_images)
    targets = np.arange(outputs.shape[1])[:, None] == data.test_labels
    losses = np.mean((outputs - targets) ** 2, axis=(1, 2), dtype=np.float64)
    accuracy = np.mean(outputs.argmax(axis=1) == data.test_labels, axis=1)
    return {
        "test_loss": losses.astype(np.float32),
        "test_accuracy": accuracy.astype(np.float32),
    }
