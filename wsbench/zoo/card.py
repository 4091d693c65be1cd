"""The dataset card of a zoo: the ``README.md`` in its folder, as Hugging Face reads it.

Everything in it follows from metadata, arrays and schema; the same zoo has the same card. The text
stands in ``card.md``.
"""

import json
import math
import tomllib
from collections.abc import Iterator
from typing import Any

import numpy as np

from wsbench.storage.templates import render
from wsbench.typing import Columns
from wsbench.zoo.metadata import ZooMetadata
from wsbench.zoo.schema import COLUMNS, PROBE_FILE, SPLITS, ZOO_FILE, is_fresh

KEYWORDS = ("weight-space", "model-zoo", "neural-network-weights", "training-trajectories")
_EPOCHS = (0, 1, 2, 5, 10, 20, 50)
_SIZE_CATEGORIES = {10**3: "n<1K", 10**4: "1K<n<10K", 10**5: "10K<n<100K", 10**6: "100K<n<1M"}


def card(metadata: ZooMetadata, columns: Columns, content_digest: str) -> str:
    """Return the card of a zoo as Markdown with a YAML front matter.

    Parameters
    ----------
    metadata
        The zoo's metadata.
    columns
        Its columns; the weights are not read.
    content_digest
        Its identity.
    """
    recipe = _parsed(metadata.recipe)
    training = recipe.get("training")
    model, epoch, split = columns["model"], columns["epoch"], columns["split"]
    name = title(metadata)
    return render(
        "wsbench.zoo",
        "card.md",
        zoo=metadata,
        title=name,
        pretty_name=json.dumps(f"{metadata.id}: {name}", ensure_ascii=False),
        keywords=KEYWORDS,
        content_digest=content_digest,
        size_category=_size_category(len(model)),
        n_models=len(np.unique(model)),
        n_checkpoints=len(model),
        per_split=", ".join(
            f"{len(np.unique(model[split == number]))} {name}" for name, number in SPLITS.items()
        ),
        is_fresh=is_fresh(metadata.id),
        first_epoch=epoch.min(),
        last_epoch=epoch.max(),
        training=_table(training) if isinstance(training, dict) else None,
        can_be_built="training" in recipe,
        accuracy=list(_accuracy(columns)),
        schema=[{**vars(column), "dtype": np.dtype(column.dtype).name} for column in COLUMNS],
        zoo_file=ZOO_FILE,
        probe_file=PROBE_FILE,
    )


def title(metadata: ZooMetadata) -> str:
    """Return the one-line title in the recipe, or the id."""
    return str(_parsed(metadata.recipe).get("title", metadata.id))


def _parsed(recipe: str) -> dict[str, Any]:
    try:
        return tomllib.loads(recipe)
    except tomllib.TOMLDecodeError:
        return {}  # `verify` reports it; the card shows the rest


def _size_category(n_rows: int) -> str:
    return next((name for limit, name in _SIZE_CATEGORIES.items() if n_rows < limit), "n>1M")


def _table(training: dict[str, Any]) -> list[tuple[str, str]]:
    return [(key.replace("_", " "), f"{value}") for key, value in training.items()]


def _accuracy(columns: Columns) -> Iterator[tuple[int, float, float, float]]:
    """Yield epoch, mean, minimum and maximum of the test accuracy over models."""
    for epoch in sorted({*_EPOCHS, int(columns["epoch"].max())}):
        values = columns["test_accuracy"][columns["epoch"] == epoch]
        if len(values):
            yield epoch, math.fsum(values) / len(values), values.min(), values.max()
