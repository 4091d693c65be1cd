"""Training one model of a recipe: the unit of work that a build hands to its workers."""

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench_zoos.randomness import data_order, initial_weights
from wsbench_zoos.recipe import Recipe, parse_recipe
from wsbench_zoos.sources import load_data

_preparing = threading.Lock()


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One model's checkpoints, epochs 0 … K.

    Attributes
    ----------
    weights
        ``(K + 1, n_parameters)`` float32.
    train_loss, test_loss, test_accuracy
        ``(K + 1,)`` float32.
    """

    weights: npt.NDArray[np.float32]
    train_loss: npt.NDArray[np.float32]
    test_loss: npt.NDArray[np.float32]
    test_accuracy: npt.NDArray[np.float32]


def train_model(recipe_text: str, model: int) -> Trajectory:
    """Train a model of a recipe from initialisation to the last epoch.

    A pure function of its arguments, bit for bit, on any CPU, in any thread or process. The data
    and the compiled kernel are prepared once per process.
    """
    recipe, kernel, n_samples = _prepare_once(recipe_text)
    layout = recipe.architecture.layout()
    state = kernel.start(initial_weights(recipe.id, recipe.seed, model, layout))
    weights = np.empty((recipe.epochs + 1, layout.n_parameters), np.float32)
    scores = np.empty((recipe.epochs + 1, 3), np.float32)
    for epoch in range(recipe.epochs + 1):
        if epoch:
            kernel.train_epoch(state, data_order(recipe.id, recipe.seed, model, epoch, n_samples))
        weights[epoch] = kernel.weights(state)
        scores[epoch] = kernel.evaluate(state)
    return Trajectory(weights, *np.ascontiguousarray(scores.T))


def _prepare_once(recipe_text: str) -> tuple[Recipe, Any, int]:
    with _preparing:  # two threads that begin together must not both load the data
        return _prepare(recipe_text)


@lru_cache(maxsize=1)
def _prepare(recipe_text: str) -> tuple[Recipe, Any, int]:
    recipe = parse_recipe(recipe_text)
    data = load_data(recipe.source)
    kernel = recipe.architecture.kernel(data, recipe.training)
    return recipe, kernel, len(data.train_images)
