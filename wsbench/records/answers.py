"""The file of answers beside a record: from it alone every score can be computed again."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from wsbench.storage.npz import pack, unpack
from wsbench.tasks import QUESTIONS, Answers, GroundTruth

# What is kept of the answers to a question, and the kind of numbers it is.
_ARRAYS = {
    "identification": {"neighbours": "u", "clusters": "u", "margin": "f"},
    "ordering": {"order": "u"},
    "retrieval": {"found": "u", "near": "u"},
}
_LABELS = ("model", "epoch", "gallery")


def pack_answers(answers: Mapping[str, Answers], truths: Mapping[str, GroundTruth]) -> bytes:
    """Return the bytes of an ``.npz`` with the answers to each task and the labels of their rows.

    Parameters
    ----------
    answers
        By task, ``"identification/permute"``.
    truths
        By protocol, ``"standard"``.
    """
    arrays = {
        f"labels/{protocol}/{name}": getattr(truth, name)
        for protocol, truth in truths.items()
        for name in _LABELS
    }
    arrays |= {f"{task}/{name}": a for task, found in answers.items() for name, a in found.items()}
    return pack(arrays)


def unpack_answers(data: bytes) -> tuple[dict[str, Answers], dict[str, GroundTruth]]:
    """Return the answers by task, and the labels by protocol.

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
    for task, arrays in groups.items():
        question, _, protocol = [*task.split("/"), "standard"][:3]
        if question not in QUESTIONS or protocol not in truths:
            raise ValueError(f"{task}: not a task of these labels")
        kinds = {name: array.dtype.kind for name, array in arrays.items()}
        if kinds != _ARRAYS[question]:
            raise ValueError(f"{task}: expected the arrays {_ARRAYS[question]}, got {kinds}")
        try:
            QUESTIONS[question].check(arrays, truths[protocol])
        except ValueError as error:
            raise ValueError(f"{task}: {error}") from None
    return groups, truths


def _truth(group: str, arrays: Mapping[str, Any]) -> GroundTruth:
    if set(arrays) != set(_LABELS) or any(
        array.dtype.kind not in "iu" or array.ndim != 1 for array in arrays.values()
    ):
        raise ValueError(f"{group}: expected the whole numbers {', '.join(_LABELS)}")
    truth = GroundTruth(**arrays)
    if len(truth.model) != len(truth.epoch) or not len(truth.model):
        raise ValueError(f"{group}: expected a model and an epoch for every row")
    rows = list(zip(truth.model.tolist(), truth.epoch.tolist(), strict=True))
    if any(one >= following for one, following in pairwise(rows)):
        raise ValueError(f"{group}: rows must be ascending by model and epoch")
    if not np.isin(truth.model, truth.gallery).all():
        raise ValueError(f"{group}: a model is not in the gallery")
    return truth
