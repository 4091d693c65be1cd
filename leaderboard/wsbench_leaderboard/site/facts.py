"""Facts about a zoo that its records lack: distributions of accuracy and step length.

They are written once, as ``<zoo>.json``, and read by every build. The site depends on these files
only, so it can be built without the zoos.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import wsbench

FORMAT = 1
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

Table = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Distribution:
    """Quantiles over models at each epoch: ``values[i][j]`` is `QUANTILES` j at ``epochs[i]``."""

    epochs: tuple[int, ...]
    values: Table


@dataclass(frozen=True)
class ZooFacts:
    """Facts about a zoo of this content: accuracies in [0, 1], Euclidean step lengths."""

    content_digest: str
    test_accuracy: Distribution
    step_length: Distribution


def zoo_facts(zoo: wsbench.Zoo) -> dict[str, Any]:
    """Compute the facts about a zoo, in the form of their file.

    Returns
    -------
    facts
        ``"test_accuracy"`` and ``"step_length"``, the distance between the weights of consecutive
        epochs: quantiles of each epoch. Six digits make them equal on processors that sum in
        another order.
    """
    follows = (np.diff(zoo.model) == 0) & (np.diff(zoo.epoch) == 1)
    lengths = np.full(len(zoo.weights), np.nan)
    for model in np.unique(zoo.model):
        rows = np.flatnonzero(zoo.model == model)
        steps = np.diff(zoo.weights[rows].astype(np.float64), axis=0)
        lengths[rows[1:]] = np.linalg.norm(steps, axis=1)
    lengths[1:][~follows] = np.nan
    return {
        "format": FORMAT,
        "zoo": zoo.id,
        "content_digest": zoo.content_digest,
        "quantiles": list(QUANTILES),
        "test_accuracy": _by_epoch(zoo.epoch, zoo.test_accuracy.astype(np.float64)),
        "step_length": _by_epoch(zoo.epoch, lengths),
    }


def _by_epoch(epoch: npt.NDArray[np.int16], values: npt.NDArray[np.float64]) -> dict[str, Any]:
    there = np.isfinite(values)
    epochs = np.unique(epoch[there])
    rows = [np.quantile(values[there & (epoch == e)], QUANTILES) for e in epochs]
    return {
        "epochs": [int(e) for e in epochs],
        "values": [[float(f"{value:.6g}") for value in row] for row in rows],
    }


def write_facts(zoo: wsbench.Zoo, folder: Path) -> Path:
    """Write the facts about a zoo to a folder and return the file."""
    path = folder / f"{zoo.id}.json"
    with wsbench.atomic_write(path) as temporary:
        text = json.dumps(zoo_facts(zoo), indent=1, sort_keys=True, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def read_facts(folder: Path, zoo_id: str, content_digest: str) -> ZooFacts | None:
    """Return the facts about a zoo; None without a file, or if it is of other content.

    Raises
    ------
    FormatError
        If the file is damaged or of another format version.
    """
    path = folder / f"{zoo_id}.json"
    if not _ID.fullmatch(zoo_id) or not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or tuple(content["quantiles"]) != QUANTILES:
            raise ValueError(f"expected format {FORMAT} with the quantiles {QUANTILES}")
        parts = (_distribution(content[name]) for name in ("test_accuracy", "step_length"))
        facts = ZooFacts(str(content["content_digest"]), *parts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise wsbench.FormatError(
            f"{path}: not the facts about a zoo: {error}; write them again with"
            f" wsbench leaderboard facts {zoo_id}"
        ) from None
    return facts if facts.content_digest == content_digest else None


def _distribution(content: Mapping[str, Any]) -> Distribution:
    epochs = tuple(int(epoch) for epoch in content["epochs"])
    values = tuple(tuple(float(value) for value in row) for row in content["values"])
    if not np.isfinite(np.array(values, np.float64)).all():
        raise ValueError("values: expected finite numbers")
    if not epochs or [len(row) for row in values] != [len(QUANTILES)] * len(epochs):
        raise ValueError(f"values: expected {len(QUANTILES)} for each of {len(epochs)} epochs")
    return Distribution(epochs, values)
