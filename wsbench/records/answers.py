"""Answers: the file beside a record from which every score is recomputed."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from wsbench.networks.checkpoints import Labels
from wsbench.storage.npz import pack, unpack
from wsbench.tasks.catalogue import TASKS
from wsbench.tasks.condition import parse_entry
from wsbench.tasks.ground_truth import Answers, GroundTruth

_LABELS = ("model", "epoch", "gallery")


def pack_answers(answers: Mapping[str, Answers], truths: Mapping[str, GroundTruth]) -> bytes:
    """Return the bytes of an ``.npz`` with the answers of each entry and the labels of their rows.

    Parameters
    ----------
    answers
        By entry, ``"identification/permute"``.
    truths
        By protocol, ``"standard"``.
    """
    arrays = {
        f"labels/{protocol}/{name}": getattr(truth, name)
        for protocol, truth in truths.items()
        for name in _LABELS
    }
    for entry, found in answers.items():
        arrays |= {f"{entry}/{name}": array for name, array in found.items()}
    return pack(arrays)


def unpack_answers(data: bytes) -> tuple[dict[str, Answers], dict[str, GroundTruth]]:
    """Return the answers by entry, and the labels by protocol.

    Raises
    ------
    ValueError
        If the bytes are damaged, or the arrays not such as a method's answers can be: a score is as
        good as the answers, and a neighbour that is named twice would count twice.
    """
    groups: dict[str, Answers] = {}
    for name, array in unpack(data).items():
        group, _, last = name.rpartition("/")
        groups.setdefault(group, {})[last] = array
    truths = {
        group.removeprefix("labels/"): _truth(group, groups.pop(group))
        for group in list(groups)
        if group.startswith("labels/")
    }
    for entry, arrays in groups.items():
        name, condition = parse_entry(entry)
        task, truth = TASKS.get(name), truths.get(condition.protocol)
        if task is None or truth is None:
            raise ValueError(f"{entry}: not an entry with these labels")
        kinds = {name: array.dtype.kind for name, array in arrays.items()}
        if kinds != task.ARRAYS:
            raise ValueError(f"{entry}: expected the arrays {task.ARRAYS}, got {kinds}")
        try:
            task.check(arrays, truth)
        except ValueError as error:
            raise ValueError(f"{entry}: {error}") from None
    return groups, truths


def _truth(group: str, arrays: Mapping[str, Any]) -> GroundTruth:
    if set(arrays) != set(_LABELS) or any(
        array.dtype.kind not in "iu" or array.ndim != 1 for array in arrays.values()
    ):
        raise ValueError(f"{group}: expected the whole numbers {', '.join(_LABELS)}")
    truth = GroundTruth(Labels(arrays["model"], arrays["epoch"]), arrays["gallery"])
    if len(truth.model) != len(truth.epoch) or not len(truth.model):
        raise ValueError(f"{group}: expected a model and an epoch for every row")
    rows = list(zip(truth.model.tolist(), truth.epoch.tolist(), strict=True))
    if any(one >= following for one, following in pairwise(rows)):
        raise ValueError(f"{group}: rows must be ascending by model and epoch")
    if not np.isin(truth.model, truth.gallery).all():
        raise ValueError(f"{group}: a model is not in the gallery")
    return truth
