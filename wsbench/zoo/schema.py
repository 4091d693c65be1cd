"""The zoo format, version 1: every array and attribute of ``zoo.h5``, described once.

The writer, the reader, the validator and ``wsbench info`` read these tables. Axis letters:
n checkpoints (one row each, model-major, epochs ascending), p parameters.
"""

from dataclasses import dataclass
from typing import Literal

FORMAT = 1

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
