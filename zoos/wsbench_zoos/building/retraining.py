"""Retraining: train some models of a zoo again, to compare the zoo with them."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace

import wsbench
from wsbench_zoos.building.workers import threads
from wsbench_zoos.data.sources import load_data
from wsbench_zoos.recipe import parse_recipe
from wsbench_zoos.training.training import Trajectory


def retrain(
    recipe_text: str, models: Sequence[int], *, progress: wsbench.Progress | None = None
) -> Iterator[Trajectory]:
    """Train models of a recipe again, in threads, and yield their trajectories in order.

    Parameters
    ----------
    recipe_text
        The recipe as TOML.
    models
        Their numbers.
    progress
        Called before the first model and after every model.
    """
    recipe = parse_recipe(recipe_text)
    data = load_data(recipe.source)
    n_steps = recipe.epochs * -(-len(data.train_images) // recipe.training.batch_size)
    state = wsbench.BuildState(len(models), 0, 0, n_steps)
    report = progress or (lambda state: None)
    with threads(recipe, data, None) as pool:
        report(state)  # the workers are ready: time starts now
        running = deque(pool.submit(model) for model in models)
        while running:
            trajectory = running.popleft().result()
            state = replace(state, n_done=state.n_done + 1)
            report(state)
            yield trajectory
