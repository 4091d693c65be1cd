"""Zoos of random walks: whole in every respect, and written in a moment."""

from pathlib import Path

import numpy as np

import wsbench

LAYOUT = wsbench.Layout.of(
    [("a", (2, 3), ("hidden-1", "input")), ("b", (3, 2), ("output", "hidden-1"))], "sigmoid"
)
RECIPE = 'id = "made-up-v1"\nmodels = {models}\nepochs = {epochs}\n'


def write_made_up_zoo(folder: Path, models: int = 10, epochs: int = 4, **changes: object) -> Path:
    """Write made-up-v1 to a folder; keywords put other columns or attributes in it."""
    rng = np.random.default_rng(0)
    n = models * (epochs + 1)
    steps = rng.normal(size=(models, epochs + 1, LAYOUT.n_parameters)) * 0.1
    steps[:, 0] += rng.normal(size=(models, LAYOUT.n_parameters)) * 0.5
    columns = {
        "weights": steps.cumsum(axis=1).reshape(n, -1).astype(np.float32),
        "model": np.repeat(np.arange(models, dtype=np.int32), epochs + 1),
        "epoch": np.tile(np.arange(epochs + 1, dtype=np.int16), models),
        "split": np.repeat(wsbench.split_of_models("made-up-v1", models), epochs + 1),
        "train_loss": rng.random(n, np.float32),
        "test_loss": rng.random(n, np.float32),
        "test_accuracy": rng.random(n, np.float32),
    }
    attributes = {
        "id": "made-up-v1",
        "recipe": RECIPE.format(models=models, epochs=epochs),
        "layout": LAYOUT,
        "license": "CC-BY-4.0",
        "created_by": "a test",
    }
    for key, value in changes.items():
        (columns if key in columns else attributes)[key] = value
    probe_inputs = rng.random((7, 3), np.float32)
    wsbench.write_zoo(folder, wsbench.ZooMetadata(**attributes), [columns], probe_inputs)
    return folder
