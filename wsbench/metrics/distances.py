"""Euclidean distances between all rows of an embedding, accurate even where they are tiny.

The product form |x|² + |y|² − 2 x·y is one matrix product, but it subtracts numbers of the size of
the norms: neighbouring epochs, which differ by 0.1 at norms of tens, keep few digits of it. So the
rows are centred first, and the pairs that still cancel are computed again from their differences.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wsbench.typing import Distances, Doubles, Mask

# A dot product of p terms is off by at most p·2⁻⁵³ and in practice by some √p·2⁻⁵³ of the norms
# (5e-15 at p = 2,160). A squared distance above 1e-7 of the two squared norms therefore has at most
# 5e-8 of relative error and its root 2.5e-8, half of what rounding a weight to float32 has done.
# (1e-5 would promise 2.5e-10, and computes all 306,250 pairs within the models of a published zoo
# again: 2 s of 3.5.)
_CANCELLED = 1e-7

_BLOCK_ROWS = 256  # 25 MB of temporaries per array at 12,500 rows
_MAX_THREADS = 2  # memory-bound; every thread has its temporaries
_CHUNK_ELEMENTS = 1 << 16  # of the gathered differences: 512 kB, which stay in the L2 cache
_CENTRE_ROWS = 1000


def row_blocks(n_rows: int) -> Iterator[slice]:
    """Yield slices of consecutive rows that keep the temporaries of a distance matrix small."""
    for start in range(0, n_rows, _BLOCK_ROWS):
        yield slice(start, min(start + _BLOCK_ROWS, n_rows))


def pairwise_euclidean(embedding: ArrayLike) -> Distances:
    """Compute the Euclidean distance between every two rows.

    Computed in float64 whatever the input is; the relative error of every entry is below about
    1e-7. The result is exactly symmetric, its diagonal is exactly zero, and so is the distance
    between identical rows. Beside the result, memory holds one float64 copy of the embedding and
    some row blocks.

    Entries that are equal in exact arithmetic may differ in their last digits, depending on the
    position of their rows. Shuffle the rows first if their order must not leak.

    Parameters
    ----------
    embedding
        One row per checkpoint, ``(n_checkpoints, n_dimensions)``, finite, at least one row.

    Returns
    -------
    ndarray
        Distances, ``(n_checkpoints, n_checkpoints)``.

    Examples
    --------
    >>> pairwise_euclidean([[0.0, 0.0], [3.0, 4.0]])
    array([[0., 5.],
           [5., 0.]])
    """
    rows = np.asarray(embedding)
    centred = _centred(rows)
    distances: Distances = centred @ centred.T
    squared_norms = distances.diagonal().copy()

    def finish(start: int) -> None:
        stop = start + _BLOCK_ROWS
        block = distances[start:stop, start:]
        cancelled = _product_to_distance(block, squared_norms[start:stop], squared_norms[start:])
        _recompute(block, cancelled, rows[start:stop], rows[start:])
        _mirror(distances, start, stop)

    # A block writes its rows from the diagonal on and their mirror image: no two share an entry.
    with ThreadPoolExecutor(_MAX_THREADS) as threads:
        list(threads.map(finish, range(0, len(rows), _BLOCK_ROWS)))
    return distances


def _centred(rows: NDArray[np.number]) -> Doubles:
    # Distances do not change, and the norms shrink to the spread of the rows, so that few pairs
    # cancel. The median of some rows, not the mean, because one row that diverged would drag the
    # mean far from all others and make every pair cancel; and because it is exact if rows repeat.
    some_rows = rows[:: -(-len(rows) // _CENTRE_ROWS)].astype(np.float64)
    centre = np.median(some_rows, axis=0)
    centred: Doubles = np.subtract(rows, centre, dtype=np.float64)
    return centred


def _product_to_distance(block: Doubles, left: Doubles, right: Doubles) -> Mask:
    # In place; returns which entries lost too many digits. `<`, so that two zero rows are not among
    # them: their distance is exact, and an embedding that collapsed has n² such pairs.
    scale = left[:, None] + right
    block *= -2.0
    block += scale
    scale *= _CANCELLED
    cancelled = block < scale
    np.maximum(block, 0.0, out=block)
    np.sqrt(block, out=block)
    return cancelled


def _recompute(
    block: Doubles,
    cancelled: Mask,
    left: NDArray[np.number],
    right: NDArray[np.number],
) -> None:
    # From the rows as they came: centring has rounded them, by 1e-16 of the distance to the centre.
    above_diagonal = np.argwhere(np.triu(cancelled, 1))
    chunk = max(1, _CHUNK_ELEMENTS // max(1, left.shape[1]))
    for start in range(0, len(above_diagonal), chunk):
        i, j = above_diagonal[start : start + chunk].T
        difference = np.subtract(left[i], right[j], dtype=np.float64)
        block[i, j] = np.sqrt(np.einsum("ij,ij->i", difference, difference))


def _mirror(distances: Distances, start: int, stop: int) -> None:
    corner = distances[start:stop, start:stop]
    corner[:] = np.triu(corner, 1)
    corner += corner.T.copy()
    distances[stop:, start:stop] = distances[start:stop, stop:].T
