"""Training and evaluation of the bias-free sigmoid MLP, one model at a time, in L1 cache.

The network is y = W3ᵀ σ(W2ᵀ σ(W1ᵀ x)) with the mean squared error of one-hot targets, trained by
SGD with momentum and weight decay in the order of operations of ``torch.optim.SGD``.

Axis letters: n samples, p pixels, u/v units of a layer, b the four samples of a batch, l 16 lanes.
A weight matrix is kept as one row of 16 lanes per input unit, (inputs, 16), its columns beyond the
layer's width zero for ever; the two small ones are kept a second time transposed, for the backward
pass, and both copies get the same products in the same order and so the same bits.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import float32 as f32
from numba import njit

from wsbench_zoos.training.kernels.simd import (
    N_LANES,
    aligned,
    broadcast,
    load,
    prefetch,
    sigmoid,
    splat,
    store,
    where_greater,
)

Floats = npt.NDArray[np.float32]

BATCH_SIZE = 4
_BLOCK = 2 * N_LANES  # samples that the evaluation takes at once: their pixels fit in L1


@dataclass(frozen=True)
class MLPState:
    """One model in training: each matrix as flat lanes, followed by its velocity."""

    matrices: tuple[Floats, ...]  # W1, V1, W2, V2, W2ᵀ, V2ᵀ, W3, V3, W3ᵀ, V3ᵀ
    widths: tuple[int, int, int, int]


class MLPKernel:
    """Trains and evaluates MLPs on one data set, which all threads share.

    Parameters
    ----------
    widths
        Units of input, first and second hidden layer, and output; all but the input at most 16.
    images, labels
        Training set: (n, rows, columns) float32 in [0, 1], and (n,) classes.
    test_images, test_labels
        Test set, the same.
    learning_rate, momentum, weight_decay
        As in ``torch.optim.SGD``.
    """

    def __init__(
        self,
        widths: tuple[int, int, int, int],
        images: Floats,
        labels: npt.NDArray[np.integer],
        test_images: Floats,
        test_labels: npt.NDArray[np.integer],
        *,
        learning_rate: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        self.widths = widths
        n_outputs = widths[-1]
        self._n_train = len(images)
        # Sample n is a blank one, which fills up the last batch of an epoch.
        blank = np.zeros((1, widths[0]), np.float32)
        self._images = np.concatenate([images.reshape(len(images), -1), blank]).ravel()
        self._targets = aligned(np.append(_one_hot(labels, N_LANES), np.zeros(N_LANES, np.float32)))
        self._train = _Blocks(images, labels, n_outputs)
        self._test = _Blocks(test_images, test_labels, n_outputs)
        hidden = np.array(widths[1:3])[:, None]
        self._masks = aligned((np.arange(N_LANES) < hidden).astype(np.float32))
        self._sgd = np.array([learning_rate, momentum, weight_decay], np.float32)

    def start(self, weights: Floats) -> MLPState:
        """Return the state of a model at these flat ``(n_parameters,)`` weights, at rest."""
        inputs, hidden1, hidden2, outputs = self.widths
        w1, w2, w3 = np.split(weights, np.cumsum([hidden1 * inputs, hidden2 * hidden1]))
        w1 = w1.reshape(hidden1, inputs).T
        w2 = w2.reshape(hidden2, hidden1).T
        w3 = w3.reshape(outputs, hidden2).T
        matrices: list[Floats] = []
        for w in (w1, w2, w2.T, w3, w3.T):
            rows = np.zeros((len(w), N_LANES), np.float32)
            rows[:, : w.shape[1]] = w
            matrices += [aligned(rows), aligned(np.zeros(rows.size, np.float32))]
        return MLPState(tuple(matrices), self.widths)

    def weights(self, state: MLPState) -> Floats:
        """Return the flat ``(n_parameters,)`` float32 weights, each matrix as (outputs, inputs)."""
        matrices = (state.matrices[0], state.matrices[2], state.matrices[6])
        flat: list[Floats] = [
            np.ravel(matrix.reshape(-1, N_LANES)[:, :width].T)
            for matrix, width in zip(matrices, self.widths[1:], strict=True)
        ]
        weights: Floats = np.concatenate(flat)
        return weights

    def train_epoch(self, state: MLPState, order: npt.NDArray[np.integer]) -> None:
        """Train on every sample once, in ``order``, four at a time; the last batch has the rest."""
        n = self._n_train
        n_steps = -(-n // BATCH_SIZE)
        # Two batches more than there are: the last step still looks ahead.
        padded = np.full((n_steps + 2) * BATCH_SIZE, n, np.intp)
        padded[:n] = order
        arrays = (self._masks, self._images, self._targets)
        _train(*state.matrices, *arrays, padded, n, n_steps, self._sgd)

    def evaluate(self, state: MLPState) -> tuple[np.float32, np.float32, np.float32]:
        """Return training loss, test loss and test accuracy."""
        w1, w2, w3 = state.matrices[0], state.matrices[2], state.matrices[6]
        widths = np.array(self.widths, np.intp)
        train_loss, _ = _evaluate(w1, w2, w3, widths, *self._train.arrays)
        test_loss, accuracy = _evaluate(w1, w2, w3, widths, *self._test.arrays)
        return np.float32(train_loss), np.float32(test_loss), np.float32(accuracy)


def _one_hot(labels: npt.NDArray[np.integer], width: int) -> Floats:
    one_hot: Floats = (labels[:, None] == np.arange(width)).astype(np.float32)
    return one_hot


class _Blocks:
    """A data set for evaluation: blocks of 32 samples, the samples of a block in the last axis."""

    def __init__(self, images: Floats, labels: npt.NDArray[np.integer], n_outputs: int) -> None:
        pixels = images.reshape(len(images), -1)
        targets = _one_hot(labels, n_outputs)
        self.arrays = (self._blocked(pixels), self._blocked(targets), len(images))

    @staticmethod
    def _blocked(rows: Floats) -> Floats:
        n_blocks = -(-len(rows) // _BLOCK)
        padded = np.zeros((n_blocks * _BLOCK, rows.shape[1]), np.float32)
        padded[: len(rows)] = rows
        return aligned(padded.reshape(n_blocks, _BLOCK, -1).swapaxes(1, 2))


# --- training: lanes are the units of a layer --------------------------------------------------


@njit
def _dense(W, n, X):  # type: ignore[no-untyped-def]
    """z[b] = Σ_u X[b, u] W[u] over n rows, for the four samples of X (4, 16)."""
    w = load(W, 0)
    z0 = broadcast(X, 0) * w
    z1 = broadcast(X, 16) * w
    z2 = broadcast(X, 32) * w
    z3 = broadcast(X, 48) * w
    for u in range(1, n):
        w = load(W, u * N_LANES)
        z0 = z0 + broadcast(X, u) * w
        z1 = z1 + broadcast(X, 16 + u) * w
        z2 = z2 + broadcast(X, 32 + u) * w
        z3 = z3 + broadcast(X, 48 + u) * w
    return z0, z1, z2, z3


@njit
def _keep(X, x0, x1, x2, x3):  # type: ignore[no-untyped-def]
    """Store the lanes of four samples in X (4, 16)."""
    store(X, 0, x0)
    store(X, 16, x1)
    store(X, 32, x2)
    store(X, 48, x3)


@njit
def _active(z, masks, layer):  # type: ignore[no-untyped-def]
    """σ(z), and zero in the lanes beyond the layer's width, where it would be one half."""
    return sigmoid(z) * load(masks, layer)


@njit
def _slope(h):  # type: ignore[no-untyped-def]
    """Differentiate the logistic function where its value is h."""
    return h * (f32(1.0) - h)


@njit
def _descend(W, V, u, gradient, learning_rate, momentum, decay):  # type: ignore[no-untyped-def]
    """One SGD step on row u of W, with its velocity in V; returns the new row."""
    w = load(W, u * N_LANES)
    v = momentum * load(V, u * N_LANES) + (gradient + decay * w)
    w = w - learning_rate * v
    store(V, u * N_LANES, v)
    store(W, u * N_LANES, w)
    return w


@njit
def _update(W, V, n, X, d0, d1, d2, d3, sgd):  # type: ignore[no-untyped-def]
    """One SGD step on n rows of W, whose gradient is Σ_b X[b, u] d[b]."""
    for u in range(n):
        g = broadcast(X, u) * d0 + broadcast(X, 16 + u) * d1
        g = g + broadcast(X, 32 + u) * d2 + broadcast(X, 48 + u) * d3
        _descend(W, V, u, g, sgd[0], sgd[1], sgd[2])


@njit
def _error(y, targets, sample, n, scale):  # type: ignore[no-untyped-def]
    """Gradient of the loss at the output y; zero for the blank sample n."""
    if sample == n:
        scale = f32(0.0)
    return scale * (y - load(targets, sample * N_LANES))


@njit(nogil=True)
def _train(  # type: ignore[no-untyped-def]
    W1, V1, W2, V2, W2T, V2T, W3, V3, W3T, V3T, masks, images, targets, order, n, n_steps, sgd
):
    """Train for one epoch of n_steps batches.

    The pass over W1, by far the largest matrix, serves two steps at once: while a row is in a
    register it gets its update from this batch and at once gives its share of the next batch's
    activations, so each row is loaded and stored once a step.
    """
    n_in = W1.size // N_LANES
    n1, n2, n_out = W2.size // N_LANES, W3.size // N_LANES, W3T.size // N_LANES
    learning_rate, momentum, decay = sgd
    H1 = np.zeros(4 * N_LANES, np.float32)
    H2 = np.zeros(4 * N_LANES, np.float32)
    E = np.zeros(4 * N_LANES, np.float32)
    D2 = np.zeros(4 * N_LANES, np.float32)

    # a0 … a3: where the images of the batch to come begin; z0 … z3: its first-layer activations.
    a0, a1, a2, a3 = order[0] * n_in, order[1] * n_in, order[2] * n_in, order[3] * n_in
    z0 = splat(f32(0.0))
    z1, z2, z3 = z0, z0, z0
    for p in range(n_in):
        w = load(W1, p * N_LANES)
        z0 = z0 + broadcast(images, a0 + p) * w
        z1 = z1 + broadcast(images, a1 + p) * w
        z2 = z2 + broadcast(images, a2 + p) * w
        z3 = z3 + broadcast(images, a3 + p) * w

    for step in range(n_steps):
        i = step * BATCH_SIZE
        n_real = min(n - i, BATCH_SIZE)
        scale = f32(2.0) / f32(n_real * n_out)

        # Forward.
        g0, g1 = _active(z0, masks, 0), _active(z1, masks, 0)
        g2, g3 = _active(z2, masks, 0), _active(z3, masks, 0)
        _keep(H1, g0, g1, g2, g3)
        z0, z1, z2, z3 = _dense(W2, n1, H1)
        h0, h1 = _active(z0, masks, 16), _active(z1, masks, 16)
        h2, h3 = _active(z2, masks, 16), _active(z3, masks, 16)
        _keep(H2, h0, h1, h2, h3)
        z0, z1, z2, z3 = _dense(W3, n2, H2)

        # Backward: e at the output, d at the second hidden layer, c at the first.
        e0 = _error(z0, targets, order[i], n, scale)
        e1 = _error(z1, targets, order[i + 1], n, scale)
        e2 = _error(z2, targets, order[i + 2], n, scale)
        e3 = _error(z3, targets, order[i + 3], n, scale)
        _keep(E, e0, e1, e2, e3)
        z0, z1, z2, z3 = _dense(W3T, n_out, E)
        d0, d1, d2, d3 = z0 * _slope(h0), z1 * _slope(h1), z2 * _slope(h2), z3 * _slope(h3)
        _keep(D2, d0, d1, d2, d3)
        z0, z1, z2, z3 = _dense(W2T, n2, D2)
        c0, c1, c2, c3 = z0 * _slope(g0), z1 * _slope(g1), z2 * _slope(g2), z3 * _slope(g3)

        # Update, the first layer together with the next batch's way through it.
        _update(W3, V3, n2, H2, e0, e1, e2, e3, sgd)
        _update(W3T, V3T, n_out, E, h0, h1, h2, h3, sgd)
        _update(W2, V2, n1, H1, d0, d1, d2, d3, sgd)
        _update(W2T, V2T, n2, D2, g0, g1, g2, g3, sgd)
        b0, b1, b2, b3 = a0, a1, a2, a3
        a0, a1 = order[i + 4] * n_in, order[i + 5] * n_in
        a2, a3 = order[i + 6] * n_in, order[i + 7] * n_in
        z0 = splat(f32(0.0))
        z1, z2, z3 = z0, z0, z0
        for line in range(0, n_in, N_LANES):
            for b in range(BATCH_SIZE):
                prefetch(images, order[i + 2 * BATCH_SIZE + b] * n_in + line)
            for p in range(line, min(line + N_LANES, n_in)):
                g = broadcast(images, b0 + p) * c0 + broadcast(images, b1 + p) * c1
                g = g + broadcast(images, b2 + p) * c2 + broadcast(images, b3 + p) * c3
                w = _descend(W1, V1, p, g, learning_rate, momentum, decay)
                z0 = z0 + broadcast(images, a0 + p) * w
                z1 = z1 + broadcast(images, a1 + p) * w
                z2 = z2 + broadcast(images, a2 + p) * w
                z3 = z3 + broadcast(images, a3 + p) * w


# --- evaluation: lanes are samples; the sums run in the same order as in training --------------


@njit
def _layer(W, n_in, n_out, X, first, Z):  # type: ignore[no-untyped-def]
    """Z[v] = Σ_u W[u, v] X[first + u] for 32 samples: X (n_in, 32), Z (n_out up to 16, 32).

    Four units at a time, so that eight sums run side by side; W has zero units after the last.
    """
    for v in range(0, n_out, 4):
        a0 = splat(f32(0.0))
        a1, b0, b1, c0, c1, d0, d1 = a0, a0, a0, a0, a0, a0, a0
        for u in range(n_in):
            x0, x1 = load(X, first + u * _BLOCK), load(X, first + u * _BLOCK + 16)
            w = u * N_LANES + v
            a0, a1 = a0 + broadcast(W, w) * x0, a1 + broadcast(W, w) * x1
            b0, b1 = b0 + broadcast(W, w + 1) * x0, b1 + broadcast(W, w + 1) * x1
            c0, c1 = c0 + broadcast(W, w + 2) * x0, c1 + broadcast(W, w + 2) * x1
            d0, d1 = d0 + broadcast(W, w + 3) * x0, d1 + broadcast(W, w + 3) * x1
        z = v * _BLOCK
        _store_pair(Z, z, a0, a1)
        _store_pair(Z, z + _BLOCK, b0, b1)
        _store_pair(Z, z + 2 * _BLOCK, c0, c1)
        _store_pair(Z, z + 3 * _BLOCK, d0, d1)


@njit
def _store_pair(Z, z, low, high):  # type: ignore[no-untyped-def]
    store(Z, z, low)
    store(Z, z + N_LANES, high)


@njit
def _activate(Z, n):  # type: ignore[no-untyped-def]
    for i in range(0, n * _BLOCK, N_LANES):
        store(Z, i, sigmoid(load(Z, i)))


@njit(nogil=True)
def _evaluate(W1, W2, W3, widths, images, targets, n):  # type: ignore[no-untyped-def]
    """Mean loss and accuracy over n samples, in blocks: images (n / 32, p, 32)."""
    n_in, n1, n2, n_out = widths
    Z1 = np.zeros(N_LANES * _BLOCK, np.float32)
    Z2 = np.zeros(N_LANES * _BLOCK, np.float32)
    Y = np.zeros(N_LANES * _BLOCK, np.float32)
    squares = np.zeros(N_LANES, np.float32)
    hits = np.zeros(N_LANES, np.float32)
    total, n_hits = 0.0, 0.0
    for start in range(0, n, _BLOCK):
        _layer(W1, n_in, n1, images, start * n_in, Z1)
        _activate(Z1, n1)
        _layer(W2, n1, n2, Z1, 0, Z2)
        _activate(Z2, n2)
        _layer(W3, n2, n_out, Z2, 0, Y)
        for part in range(0, min(_BLOCK, n - start), N_LANES):
            _score(Y, targets, start * n_out + part, part, n_out, squares, hits)
            for sample in range(min(N_LANES, n - start - part)):
                total += squares[sample]
                n_hits += hits[sample]
    return total / (n * n_out), n_hits / n


@njit
def _score(Y, targets, t, y, n_out, squares, hits):  # type: ignore[no-untyped-def]
    """Sum of squared errors, and 1 where the first largest output is the class, of 16 samples."""
    best, hit = load(Y, y), load(targets, t)
    error = best - hit
    total = error * error
    for v in range(1, n_out):
        output, target = load(Y, y + v * _BLOCK), load(targets, t + v * _BLOCK)
        error = output - target
        total = total + error * error
        hit = where_greater(output, best, target, hit)
        best = where_greater(output, best, output, best)
    store(squares, 0, total)
    store(hits, 0, hit)
