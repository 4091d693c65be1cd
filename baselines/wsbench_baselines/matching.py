"""`matching`: the distance of two checkpoints after their hidden units are matched by assignment.

This is the weight matching of *Git Re-Basin* (Ainsworth, Hayase and Srinivasa 2022, arXiv
2209.04836, section 3.2). Permuting the hidden units of a network changes its weights but not its
function. The permutation that brings it closest to another network maximises the inner product of
their weights. Layer by layer, from the input on, that is a linear assignment. Matching unit m to
unit n gains the inner product of their weights to

    inputs and outputs, and the units of layers that are matched already.

Units without any such weights, after pruning for instance, tie, and the numbering would decide. An
upper bound on the gain from the other weights, to layers not yet matched, breaks the tie: the
product of their norms (Cauchy-Schwarz), counted at a hundredth. Without it a permutation would
change nearly all distances between the MNIST CNNs pruned by 95 %.

The paper matches every layer again, given all others, until nothing changes. That finds smaller
distances but not better ones: MAP@R changes by .001. Here one pass is made.

Axis letters: a, b checkpoints on the left and right, m, n their units, e, g units of an earlier
layer, t taps.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
from numba import config, njit

import wsbench

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_TIE_BREAK = 0.01
# A layer's gains in one tile, 72 × 72 pairs of ten units: a fifth faster than four times as many.
_TILE_BYTES = 1 << 22
_GATHERED = 32  # checkpoints whose weights are gathered: with their gains, 18 kB for eight units
# Rounding in ‖x‖² + ‖y‖² − 2 x·y is some 5e-15 of ‖x‖² + ‖y‖². Where the result is less than this
# share of them, the distance is computed again, from the differences of the matched weights.
_CANCELLED = 1e-7

# Compiled code is kept if NUMBA_CACHE_DIR names a folder. Numba's key of it covers this file, and
# so all functions that a kernel calls.
_kernel = njit(nogil=True, cache=bool(config.CACHE_DIR))


class Matching:
    """The Euclidean distance of two checkpoints after matching their hidden units, pair by pair."""

    info = wsbench.MethodInfo(
        name="matching",
        version="1",
        description="distance after the hidden units of each pair are matched by assignment",
        invariances={"hidden-permutation"},
        paper_url="https://arxiv.org/abs/2209.04836",
    )

    def pairwise(self, checkpoints: wsbench.Checkpoints) -> Array:
        """Return the distances, ``(n_checkpoints, n_checkpoints)``.

        Raises
        ------
        wsbench.MethodError
            If a tensor joins a hidden layer to itself, or more than two of them.
        """
        layers = hidden_layers(checkpoints)
        weights, n = checkpoints.weights, len(checkpoints)
        squared_norms = np.einsum("ij,ij->i", weights, weights, dtype=np.float64)
        distances = np.empty((n, n))
        side = max(1, int(np.sqrt(_TILE_BYTES / 8)) // max(x.fixed.shape[1] for x in layers))
        parts = [slice(start, start + side) for start in range(0, n, side)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for rows, columns in combinations_with_replacement(parts, 2):
                left = [layer.part(rows) for layer in layers]
                right = [layer.part(columns) for layer in layers]
                scale = squared_norms[rows, None] + squared_norms[columns]
                tile = _distances(left, right, scale, pool)
                if rows == columns:
                    tile = np.triu(tile, 1) + np.triu(tile, 1).T
                distances[rows, columns] = tile
                distances[columns, rows] = tile.T
        return distances

    def order(self, checkpoints: wsbench.Checkpoints) -> Indices:
        """Put one model's checkpoints in the order of the curve that they lie on.

        Kendall's τ is .99 on the MNIST MLPs and 1.00 on the CNNs; by linkage heights .60 and .93.
        """
        if len(checkpoints) < 3:  # no distance tells which of two came first
            return np.arange(len(checkpoints))
        return wsbench.spectral_order(self.pairwise(checkpoints))


@dataclass(frozen=True, eq=False)
class HiddenLayer:
    """The weights of one hidden layer's units, in every checkpoint.

    Attributes
    ----------
    fixed
        Biases, and weights to inputs and outputs, whose numbering all networks share:
        ``(n_checkpoints, n_units, n_weights)``.
    joined
        For each earlier hidden layer its place in the list of layers and the weights to it,
        ``(n_checkpoints, n_earlier_units, n_taps, n_units)``.
    reach
        Norm of each unit's weights to later hidden layers, ``(n_checkpoints, n_units)``.
    """

    fixed: Array
    joined: list[tuple[int, Array]]
    reach: Array

    def part(self, rows: slice) -> "HiddenLayer":
        """Return this layer for a slice of the checkpoints."""
        joined = [(earlier, weights[rows]) for earlier, weights in self.joined]
        return HiddenLayer(self.fixed[rows], joined, self.reach[rows])


def hidden_layers(checkpoints: wsbench.Checkpoints) -> list[HiddenLayer]:
    """Group the weights by the hidden layers that they belong to, in order from the input.

    Weights that belong to no hidden layer go to a last layer with one unit, whose match is fixed.
    Raises as `Matching.pairwise` does.
    """
    n, sizes = len(checkpoints), checkpoints.layout.hidden_units | {"none": 1}
    names = list(sizes)
    fixed = {name: [np.zeros((n, sizes[name], 0))] for name in names}
    to_later = {name: [np.zeros((n, sizes[name], 0))] for name in names}
    joined: dict[str, list[tuple[int, Array]]] = {name: [] for name in names}
    for tensor in checkpoints.layout.tensors:
        hidden = _hidden_axes(tensor, names)
        places = [1 + tensor.axes.index(axis) for axis in hidden]
        weights = checkpoints.tensors(tensor.name).astype(np.float64)
        weights = np.moveaxis(weights, places, range(1, 1 + len(places)))
        if len(hidden) < 2:
            name = hidden[0] if hidden else "none"
            fixed[name].append(weights.reshape(n, sizes[name], -1))
        else:
            earlier, later = hidden
            to_later[earlier].append(weights.reshape(n, sizes[earlier], -1))
            by_tap = weights.reshape(n, sizes[earlier], sizes[later], -1).swapaxes(2, 3)
            joined[later].append((names.index(earlier), np.ascontiguousarray(by_tap)))
    if len(fixed["none"]) == 1:
        names.remove("none")
    return [
        HiddenLayer(
            np.concatenate(fixed[name], axis=2),
            joined[name],
            np.linalg.norm(np.concatenate(to_later[name], axis=2), axis=2),
        )
        for name in names
    ]


def _hidden_axes(tensor: wsbench.Tensor, names: list[str]) -> list[str]:
    """Return the hidden layers that a tensor belongs to, at most two, the earlier one first."""
    hidden = sorted((axis for axis in tensor.axes if axis in names), key=names.index)
    if len(hidden) > 2 or len(set(hidden)) < len(hidden):
        raise wsbench.MethodError(
            f"matching: tensor {tensor.name!r} joins {' and '.join(hidden)}; expected tensors"
            " that belong to one hidden layer or join two different ones"
        )
    return hidden


def _distances(
    left: list[HiddenLayer], right: list[HiddenLayer], scale: Array, pool: ThreadPoolExecutor
) -> Array:
    """Return the distances (a, b) of every checkpoint on the left to each one on the right.

    ``scale`` is ‖x‖² + ‖y‖² of each pair.
    """
    gains = [np.tensordot(x.fixed, y.fixed, axes=(2, 2)) for x, y in zip(left, right, strict=True)]
    squared = np.empty(scale.shape)

    def some(rows: slice) -> None:
        part = [layer.part(rows) for layer in left]
        some_gains = [gain[rows] for gain in gains]
        squared[rows] = _squared_distances(part, right, some_gains, scale[rows])

    n_rows = -(-len(scale) // (os.cpu_count() or 1))
    list(pool.map(some, [slice(i, i + n_rows) for i in range(0, len(scale), n_rows)]))
    return np.sqrt(squared)


def _squared_distances(
    left: list[HiddenLayer], right: list[HiddenLayer], gains: list[Array], scale: Array
) -> Array:
    """Return the squared distances (a, b), given each layer's gain (a, m, b, n) by `fixed`."""
    product = np.zeros(scale.shape)
    matches: list[Indices] = []
    for x, y, gain in zip(left, right, gains, strict=True):
        for (earlier, W), (_, V) in zip(x.joined, y.joined, strict=True):
            _add_joined(gain, W, V, matches[earlier])
        match = np.empty((*scale.shape, gain.shape[1]), np.intp)
        _match_units(gain, x.reach, y.reach, match, product)
        matches.append(match)
    squared = scale - 2.0 * product

    near = np.argwhere(squared < _CANCELLED * scale)
    squared[tuple(near.T)] = 0.0
    as_they_are = np.zeros((*scale.shape, 1), np.intp)
    for x, y, match in zip(left, right, matches, strict=True):
        W, V = x.fixed.swapaxes(1, 2)[:, None], y.fixed.swapaxes(1, 2)[:, None]
        _add_differences(squared, near, W, V, as_they_are, match)
        for (earlier, W), (_, V) in zip(x.joined, y.joined, strict=True):
            _add_differences(squared, near, W, V, matches[earlier], match)
    return squared


@_kernel
def _add_joined(gain, W, V, match_before):  # type: ignore[no-untyped-def]
    """gain[a, m, b, n] += Σ_et W[a, e, t, m] V[b, g, t, n], where g is matched to e.

    The weights of some b to the units matched to e are gathered side by side in one row.
    """
    n_left, n_before, n_taps, n_units = W.shape
    row = np.empty(_GATHERED * n_units)
    flat = gain.reshape(n_left, n_units, -1)
    for a in range(n_left):
        for first in range(0, len(V), _GATHERED):
            some = min(_GATHERED, len(V) - first)
            for e in range(n_before):
                for t in range(n_taps):
                    for b in range(some):
                        g = match_before[a, first + b, e]
                        for n in range(n_units):
                            row[b * n_units + n] = V[first + b, g, t, n]
                    for m in range(n_units):
                        w = W[a, e, t, m]
                        part = flat[a, m, first * n_units : (first + some) * n_units]
                        for i in range(part.size):
                            part[i] += w * row[i]


@njit(nogil=True, inline="always")
def assign(cost, column_of, price, distance, unreached, row_of, before):  # type: ignore[no-untyped-def]
    """Assign every row a column of its own so that the sum of costs is smallest.

    Shortest augmenting paths (Jonker and Volgenant 1987, Computing 38, 325-340): exact, in O(n³).
    Every column j has a price v[j]. The reduced cost of row i there is cost[i, j] − v[j], and an
    assigned row has no smaller one elsewhere. An unassigned row follows the shortest path, in
    reduced costs, to a free column: it takes the path's first column, whose row takes the next, and
    so on. Inner loops choose between values instead of branching: a third less time.

    Parameters
    ----------
    cost
        ``(n, n)`` float64.
    column_of
        ``(n,)`` intp; the column of each row is written here.
    price, distance, unreached, row_of, before
        Memory to work in, ``(n,)`` float64 and, of the last two, intp: to allocate it takes as long
        as to assign some rows.
    """
    n = len(cost)

    # A column's price is its least cost, counted from the least of each row. The row with that cost
    # takes the column, unless it has one already; after that most rows have one.
    for i in range(n):
        row_of[i] = column_of[i] = -1
        distance[i] = cost[i, 0]
        for j in range(1, n):
            distance[i] = min(distance[i], cost[i, j])
    for j in range(n):
        row, least = 0, cost[0, j] - distance[0]
        for i in range(1, n):
            is_less = cost[i, j] - distance[i] < least
            row = i if is_less else row
            least = cost[i, j] - distance[i] if is_less else least
        price[j] = least
        if column_of[row] < 0:
            column_of[row] = j
            row_of[j] = row

    for free_row in range(n):
        if column_of[free_row] >= 0:
            continue
        for j in range(n):
            distance[j] = unreached[j] = cost[free_row, j] - price[j]
            before[j] = free_row
        # Dijkstra's algorithm: continue from the nearest column until that is free. `distance` is
        # the length of the shortest path to each column, infinite in `unreached` once it is
        # reached; `before` is the last row of the path.
        while True:
            nearest, least = 0, unreached[0]
            for j in range(1, n):
                is_less = unreached[j] < least
                nearest = j if is_less else nearest
                least = unreached[j] if is_less else least
            if not least < np.inf:  # costs that are no numbers: any free column ends the path
                nearest = int(np.argmin(row_of))
            i = row_of[nearest]
            if i < 0:
                break
            unreached[nearest] = np.inf
            offset = least - (cost[i, nearest] - price[nearest])
            for j in range(n):
                through = offset + (cost[i, j] - price[j])
                is_less = (through < unreached[j]) & (unreached[j] < np.inf)
                distance[j] = through if is_less else distance[j]
                unreached[j] = through if is_less else unreached[j]
                before[j] = i if is_less else before[j]
        for j in range(n):
            if unreached[j] == np.inf:
                price[j] += distance[j] - least
        # Back along the path: each column goes to the row before it, which leaves its own.
        j = nearest
        i = -1
        while i != free_row:
            i = before[j]
            row_of[j] = i
            column_of[i], j = j, column_of[i]


@_kernel
def _match_units(gain, reach_left, reach_right, match, product):  # type: ignore[no-untyped-def]
    """Match the units of each pair to maximise gain and reach; add the gain to product."""
    n_left, n_units, n_right, _ = gain.shape
    cost = np.empty((n_units, n_units))
    price, distance, unreached = np.empty((3, n_units))
    row_of, before = np.empty((2, n_units), np.intp)
    for a in range(n_left):
        for b in range(n_right):
            for m in range(n_units):
                for n in range(n_units):
                    bound = reach_left[a, m] * reach_right[b, n]
                    cost[m, n] = -gain[a, m, b, n] - _TIE_BREAK * bound
            column_of = match[a, b]
            assign(cost, column_of, price, distance, unreached, row_of, before)
            for m in range(n_units):
                product[a, b] += gain[a, m, b, column_of[m]]


@_kernel
def _add_differences(squared, near, W, V, match_before, match):  # type: ignore[no-untyped-def]
    """squared[a, b] += Σ_etm (W[a, e, t, m] − V[b, g, t, n])², g, n matched to e, m; near pairs."""
    _, n_before, n_taps, n_units = W.shape
    for a, b in near:
        for e in range(n_before):
            g = match_before[a, b, e]
            for t in range(n_taps):
                for m in range(n_units):
                    squared[a, b] += (W[a, e, t, m] - V[b, g, t, match[a, b, m]]) ** 2
