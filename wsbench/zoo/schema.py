"""The zoo format, version 1: every array and attribute of ``zoo.h5``, described once.

The writer, the reader, the validator and ``wsbench info`` read these tables. Axis letters:
n checkpoints (one row each, model-major, epochs ascending), p parameters.
"""

import re
from dataclasses import dataclass
from typing import Literal

from wsbench.storage.strict_json import shown

FORMAT = 1

MAX_ID = 100  # characters; a file name holds 255 bytes, and names of records add to the id
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-v[1-9][0-9]*")
_FRESH_ID = re.compile(r".+-fresh-[0-9a-f]{12}-v[1-9][0-9]*")

TRAIN, VAL, TEST = 0, 1, 2
SPLITS = {"train": TRAIN, "val": VAL, "test": TEST}


@dataclass(frozen=True)
class Column:
    """One dataset of ``zoo.h5``; axis 0 is shared by all of them."""

    name: str
    dtype: str
    axes: Literal["n", "np"]
    meaning: str
    low: float | None = None
    high: float | None = None


COLUMNS = (
    Column("weights", "<f4", "np", "flat weights, in layout order"),
    Column("model", "<i4", "n", "number of the model in the zoo", low=0),
    Column(
        "epoch", "<i2", "n", "completed passes over the training set; 0 is initialisation", low=0
    ),
    Column("split", "|u1", "n", "0 train, 1 val, 2 test; constant within a model", low=0, high=2),
    Column("train_loss", "<f4", "n", "mean loss over the training set", low=0),
    Column("test_loss", "<f4", "n", "mean loss over the test set", low=0),
    Column("test_accuracy", "<f4", "n", "share of the test set classified right", low=0, high=1),
)

ATTRIBUTES = {
    "format": "version of this format, an integer",
    "id": "name-vN",
    "recipe": "the TOML text that determines the zoo",
    "layout": "JSON: which slice of the flat weights is which tensor",
    "content_digest": "sha256 over the columns and the recipe",
    "created_by": "the software that trained the zoo",
    "license": "SPDX identifier",
}

ZOO_FILE = "zoo.h5"
PROBE_FILE = "probe.npz"
MANIFEST_FILE = "manifest.json"
CARD_FILE = "README.md"
CROISSANT_FILE = "croissant.json"
FOLDER_FILES = (ZOO_FILE, PROBE_FILE, MANIFEST_FILE, CARD_FILE, CROISSANT_FILE)
N_PROBE_INPUTS = 500


def id_faults(zoo_id: str) -> list[str]:
    """Return the faults of a zoo's id, which also names folders and records.

    Examples
    --------
    >>> id_faults("digits-mlp-v1")
    []
    >>> id_faults("../digits")
    ["id: got '../digits', expected name-vN, as in digits-mlp-v1"]
    """
    if len(zoo_id) > MAX_ID:
        return [f"id: got {len(zoo_id)} characters, at most {MAX_ID} are allowed"]
    if not _ID.fullmatch(zoo_id):
        return [f"id: got {shown(zoo_id)}, expected name-vN, as in digits-mlp-v1"]
    return []


def is_fresh(zoo_id: str) -> bool:
    """Whether an id is of the form of `fresh_id`: all models of such a zoo are test models.

    Examples
    --------
    >>> is_fresh("digits-mlp-fresh-0123456789ab-v2"), is_fresh("digits-mlp-v2")
    (True, False)
    """
    return _FRESH_ID.fullmatch(zoo_id) is not None
