"""Training one model of a recipe: the unit of work that a build hands to its workers."""

import threading
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import lru_cache

import numba
import numpy as np
import numpy.typing as npt

import wsbench
from wsbench import RecipeError
from wsbench_zoos.data.sources import Data, load_data
from wsbench_zoos.recipe import Recipe, parse_recipe
from wsbench_zoos.training.kernels.interface import Kernel, create_kernel
from wsbench_zoos.training.randomness import data_order, initial_weights

Scores = npt.NDArray[np.float32]

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


def train_model(
    recipe_text: str, model: int, data: Data | None = None, stop: threading.Event | None = None
) -> Trajectory:
    """Train a model of a recipe from initialisation to the last epoch.

    A pure function of recipe and number, bit for bit, on any CPU, in any thread or process. The
    data and the compiled kernel are prepared once per process.

    Parameters
    ----------
    recipe_text
        The recipe as TOML.
    model
        The model's number.
    data
        The recipe's data, if they are in memory; None to read them.
    stop
        Checked before each epoch: once it is set, training stops.

    Raises
    ------
    concurrent.futures.CancelledError
        If ``stop`` was set.
    """
    recipe, kernel, n_samples = _prepare_once(recipe_text, data)
    layout = recipe.architecture.layout()
    state = kernel.start(initial_weights(recipe.id, recipe.seed, model, layout))
    weights = np.empty((recipe.epochs + 1, layout.n_parameters), np.float32)
    scores = np.empty((recipe.epochs + 1, 3), np.float32)
    for epoch in range(recipe.epochs + 1):
        if stop is not None and stop.is_set():
            raise CancelledError
        if epoch:
            kernel.train_epoch(state, data_order(recipe.id, recipe.seed, model, epoch, n_samples))
        weights[epoch] = kernel.weights(state)
        scores[epoch] = kernel.evaluate(state)
    return Trajectory(weights, *np.ascontiguousarray(scores.T))


def score_checkpoints(recipe_text: str, weights: npt.NDArray[np.float32]) -> dict[str, Scores]:
    """Return the scores that `train_model` gives to checkpoints: each ``(n_checkpoints,)`` float32.

    Parameters
    ----------
    recipe_text
        The recipe as TOML.
    weights
        ``(n_checkpoints, n_parameters)`` float32.

    Raises
    ------
    RecipeError
        If the recipe's architecture has another number of parameters.
    """
    recipe, kernel, _ = _prepare_once(recipe_text, None)
    n_parameters = recipe.architecture.layout().n_parameters
    if weights.shape[1:] != (n_parameters,):
        raise RecipeError(
            f"the recipe's architecture has {n_parameters} parameters, the checkpoints"
            f" {weights.shape[1]}"
        )
    scores = np.empty((len(weights), 3), np.float32)
    for row, checkpoint in enumerate(weights):
        scores[row] = kernel.evaluate(kernel.start(checkpoint))
    return dict(zip(("train_loss", "test_loss", "test_accuracy"), scores.T, strict=True))


def code_version() -> str:
    """Return the releases that determine the bits; a zoo never mixes models of two."""
    return f"wsbench {wsbench.__version__}, numba {numba.__version__}"


def compile_kernel(recipe_text: str, data: Data) -> None:
    """Compile what `train_model` needs by training one epoch and discarding it."""
    recipe, kernel, n_samples = _prepare_once(recipe_text, data)
    state = kernel.start(np.zeros(recipe.architecture.layout().n_parameters, np.float32))
    kernel.train_epoch(state, np.arange(n_samples))
    kernel.evaluate(state)


def _prepare_once(recipe_text: str, data: Data | None) -> tuple[Recipe, Kernel, int]:
    with _preparing:  # two threads that start together must not both load the data
        return _prepare(recipe_text, data)


@lru_cache(maxsize=1)
def _prepare(recipe_text: str, data: Data | None) -> tuple[Recipe, Kernel, int]:
    recipe = parse_recipe(recipe_text)
    if data is None:
        data = load_data(recipe.source)
    kernel = create_kernel(recipe.architecture, recipe.training, data)
    return recipe, kernel, len(data.train_images)
