"""Which checkpoint is which, and which of them are queries."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.intp]
Answers = dict[str, npt.NDArray[Any]]

# Of the queries, over all models together: their neighbours are kept, for 18 perturbations, in less
# than 1 MB. What makes a score uncertain is the number of models, of which none is left out.
_N_QUERIES = 250


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The model and the epoch of each row; rows are ascending by model, then by epoch.

    Attributes
    ----------
    model, epoch
        Of the checkpoints that a method is asked about, ``(n,)``.
    gallery
        The model of each entry of the gallery, for retrieval, ``(n_gallery,)``.
    """

    model: npt.NDArray[np.integer]
    epoch: npt.NDArray[np.integer]
    gallery: npt.NDArray[np.integer] = field(default_factory=lambda: np.empty(0, np.intp))

    def rows_by_model(self) -> list[Rows]:
        """Return the rows of each model in epoch order, models ascending."""
        starts = np.flatnonzero(np.diff(self.model)) + 1
        return np.split(np.arange(len(self.model)), starts)

    @property
    def n_queries_each(self) -> int:
        """How many rows of each model are queries, if it has as many."""
        return max(1, _N_QUERIES // len(self.rows_by_model()))

    @property
    def queries(self) -> Rows:
        """The rows that are queries, ascending: of each model as many, the last epoch among them.

        They depend on nothing but the epochs that there are: the same for all methods.
        """
        return self.sample(self.n_queries_each)

    def sample(self, n_each: int) -> Rows:
        """Return some rows of each model, evenly spread over its trajectory, and the last."""
        return np.concatenate([rows[_spread(len(rows), n_each)] for rows in self.rows_by_model()])


def compact(rows: npt.NDArray[np.integer]) -> npt.NDArray[np.unsignedinteger]:
    """Return non-negative numbers in the smallest type that holds them."""
    small: npt.NDArray[np.unsignedinteger] = rows.astype(np.min_scalar_type(rows.max(initial=0)))
    return small


def _spread(n_rows: int, n: int) -> Rows:
    return np.sort(np.linspace(n_rows - 1, 0, min(n, n_rows)).astype(np.intp))
