"""Checks of a zoo's claims: digest, network, splits, distinct models, scores and training.

Each function returns a line for each claim that does not hold. The provider that knows the recipe
repeats scores and training, and they are compared bit for bit.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wsbench.errors import DataError, IntegrityError, RecipeError, WsbenchError
from wsbench.networks.layout import Layout
from wsbench.typing import Columns, Integers
from wsbench.zoo.identity import network_faults
from wsbench.zoo.providers import Progress, ZooProvider, provider_of_recipe, published_zoos
from wsbench.zoo.schema import SPLITS
from wsbench.zoo.splits import split_of_models
from wsbench.zoo.zoo import read_probe

# Three models cover every epoch and early, middle and late numbers. A mistake in computing or
# storing scores shows in any model.
N_RESCORED = 3


class CannotCheckError(Exception):
    """A check cannot be done here; the message is the reason."""


def published_findings(zoo_id: str, digest: str) -> list[str]:
    """Compare the digest with the published one."""
    published = published_zoos().get(zoo_id)
    if published is None:
        raise CannotCheckError(f"no installed package publishes {zoo_id}")
    if digest != published.content_digest:
        return [f"digest {digest[:19]}…, published is {published.content_digest[:19]}…"]
    return []


def network_findings(recipe_text: str, digest: str, layout: str, probe: Path) -> list[str]:
    """Compare layout and probe inputs with those published, or the layout with the recipe's."""
    try:
        inputs = read_probe(probe)
        return network_faults(recipe_text, digest, Layout.from_json(layout), inputs)
    except WsbenchError as error:
        raise CannotCheckError(str(error)) from None


def split_findings(zoo_id: str, columns: Columns) -> list[str]:
    """Compare the splits with the function of id and model number."""
    names = {number: name for name, number in SPLITS.items()}
    models, first = np.unique(columns["model"], return_index=True)
    expected = split_of_models(zoo_id, int(models[-1]) + 1)[models]
    found = columns["split"][first]
    wrong = np.flatnonzero(found != expected)
    return [
        f"model {models[i]} is in {names[int(found[i])]}, and by id and number belongs in"
        f" {names[int(expected[i])]}"
        for i in wrong
    ]


def duplicate_findings(columns: Columns) -> list[str]:
    """Look for equal rows of weights in different models."""
    model, epoch = columns["model"], columns["epoch"]
    seen: dict[bytes, int] = {}
    findings = []
    for row, weights in enumerate(columns["weights"]):
        other = seen.setdefault(hashlib.blake2b(weights, digest_size=16).digest(), row)
        if model[other] != model[row]:
            findings.append(
                f"model {model[row]} at epoch {epoch[row]} has the weights of model"
                f" {model[other]} at epoch {epoch[other]}"
            )
    return findings


def score_findings(recipe_text: str, columns: Columns) -> list[str]:
    """Compute the scores of `N_RESCORED` models from their weights, and compare."""
    rows = np.isin(columns["model"], spread(np.unique(columns["model"]), N_RESCORED))
    chosen = {name: column[rows] for name, column in columns.items()}
    provider = _provider(recipe_text)
    try:
        again = provider.evaluate_networks(recipe_text, chosen["weights"])
    except (DataError, IntegrityError) as error:
        raise CannotCheckError(str(error)) from None
    except RecipeError as error:
        return [str(error)]
    return _differences(chosen, again)


def training_findings(
    recipe_text: str, columns: Columns, n_models: int, progress: Progress | None
) -> list[str]:
    """Train models again and compare their rows."""
    models = spread(np.unique(columns["model"]), n_models)
    provider = _provider(recipe_text)
    findings = []
    try:
        trained = provider.retrain(recipe_text, models.tolist(), progress=progress)
        for model, again in zip(models, trained, strict=True):
            rows = columns["model"] == model
            stored = {name: column[rows] for name, column in columns.items()}
            findings += _differences(stored, {n: a[stored["epoch"]] for n, a in again.items()})
    except (DataError, IntegrityError) as error:
        raise CannotCheckError(str(error)) from None
    return findings


def spread(models: Integers, n: int) -> Integers:
    """Return n of the models, from the first to the last at equal steps; all if there are fewer.

    Examples
    --------
    >>> spread(np.arange(250), 3).tolist()
    [0, 124, 249]
    """
    places = np.linspace(0, len(models) - 1, min(n, len(models)))
    return models[places.astype(np.intp)]


def _provider(recipe_text: str) -> ZooProvider:
    try:
        return provider_of_recipe(recipe_text)
    except RecipeError as error:
        raise CannotCheckError(str(error)) from None


def _differences(stored: Columns, again: Columns) -> list[str]:
    """Compare columns bit for bit; a line for each that differs."""
    findings = (_difference(name, stored, values) for name, values in again.items())
    return [finding for finding in findings if finding]


def _difference(name: str, stored: Columns, values: npt.NDArray[Any]) -> str | None:
    if values.shape != stored[name].shape:
        return f"{name}: shape {stored[name].shape} stored, {values.shape} computed"
    differs = _bits(stored[name]) != _bits(values)
    if not differs.any():
        return None
    n_rows = int(differs.reshape(len(differs), -1).any(axis=1).sum())
    first = tuple(np.argwhere(differs)[0])
    weight = f", weight {first[1]}" if len(first) > 1 else ""
    return (
        f"{name}: differs in {n_rows} of {len(differs)} rows; first model"
        f" {stored['model'][first[0]]}, epoch {stored['epoch'][first[0]]}{weight}:"
        f" stored {stored[name][first]}, computed {values[first]}"
    )


def _bits(values: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    return np.ascontiguousarray(values, np.float32).view(np.uint32)
