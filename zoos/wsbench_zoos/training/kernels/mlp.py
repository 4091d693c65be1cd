"""Training and evaluation of the bias-free sigmoid MLP, one model at a time, in L1 cache.

The network is y = W3ᵀ σ(W2ᵀ σ(W1ᵀ x)) with the mean squared error of one-hot targets. SGD with
momentum and weight decay runs in the order of operations of ``torch.optim.SGD``. The layers, and
the axis letters, are in `mlp_layers`.

A weight matrix is stored as one row of 16 lanes per input unit, (inputs, 16). The two small ones
are stored a second time, transposed, for the backward pass. Both copies get the same products in
the same order, so their bits are the same.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import float32 as f32

from wsbench_zoos.training.kernels.mlp_layers import (
    BATCH_SIZE,
    BLOCK,
    activate,
    activate_block,
    add_share,
    backward,
    dense,
    dense_block,
    descend,
    error,
    gradient,
    score_block,
    store_4,
    update,
    zeros_4,
)
from wsbench_zoos.training.kernels.numba_policy import kernel, part
from wsbench_zoos.training.kernels.simd import N_LANES, aligned, load, prefetch

Floats = npt.NDArray[np.float32]


class MLPState(NamedTuple):
    """One model in training: each matrix as flat lanes, followed by its velocity."""

    W1: Floats
    V1: Floats
    W2: Floats
    V2: Floats
    W2T: Floats
    V2T: Floats
    W3: Floats
    V3: Floats
    W3T: Floats
    V3T: Floats


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
        # Sample n is blank; it fills up the last batch of an epoch.
        blank = np.zeros((1, widths[0]), np.float32)
        self._images = np.concatenate([images.reshape(len(images), -1), blank]).ravel()
        self._targets = aligned(np.append(_one_hot(labels, N_LANES), np.zeros(N_LANES, np.float32)))
        self._train = _Blocks(images, labels, n_outputs)
        self._test = _Blocks(test_images, test_labels, n_outputs)
        hidden = np.array(widths[1:3])[:, None]
        self._masks = aligned((np.arange(N_LANES) < hidden).astype(np.float32))
        self._sgd = np.array([learning_rate, momentum, weight_decay], np.float32)

    def start(self, weights: Floats) -> MLPState:
        """Return the state at these flat ``(n_parameters,)`` weights, with zero velocity."""
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
        return MLPState(*matrices)

    def weights(self, state: MLPState) -> Floats:
        """Return the flat ``(n_parameters,)`` float32 weights, each matrix as (outputs, inputs)."""
        matrices = (state.W1, state.W2, state.W3)
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
        _train(state, *arrays, padded, n, n_steps, self._sgd)

    def evaluate(self, state: MLPState) -> tuple[np.float32, np.float32, np.float32]:
        """Return training loss, test loss and test accuracy."""
        matrices = (state.W1, state.W2, state.W3)
        widths = np.array(self.widths, np.intp)
        train_loss, _ = _evaluate(*matrices, widths, *self._train.arrays)
        test_loss, accuracy = _evaluate(*matrices, widths, *self._test.arrays)
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
        n_blocks = -(-len(rows) // BLOCK)
        padded = np.zeros((n_blocks * BLOCK, rows.shape[1]), np.float32)
        padded[: len(rows)] = rows
        return aligned(padded.reshape(n_blocks, BLOCK, -1).swapaxes(1, 2))


# images (n, p)  order (samples)
@part
def _starts(order, i, n_in):
    """Return where the images of samples order[i : i + 4] begin."""
    return order[i] * n_in, order[i + 1] * n_in, order[i + 2] * n_in, order[i + 3] * n_in


# W1 (p, l)  W2, W3 (u, l)  masks (2, l)  images (n + 1, p)  targets (n + 1, l)
@kernel
def _train(state, masks, images, targets, order, n, n_steps, sgd):
    """Train for one epoch of n_steps batches.

    The pass over W1, by far the largest matrix, serves two steps at once. While a row is in a
    register it gets its update from this batch and gives its share of the next batch's
    activations, so each row is loaded and stored once a step.
    """
    W1, V1, W2, V2, W2T, V2T, W3, V3, W3T, V3T = state
    n_in = W1.size // N_LANES
    n1, n2, n_out = W2.size // N_LANES, W3.size // N_LANES, W3T.size // N_LANES
    learning_rate, momentum, decay = sgd
    H1 = np.zeros(BATCH_SIZE * N_LANES, np.float32)
    H2 = np.zeros(BATCH_SIZE * N_LANES, np.float32)
    E = np.zeros(BATCH_SIZE * N_LANES, np.float32)
    D1 = np.zeros(BATCH_SIZE * N_LANES, np.float32)
    D2 = np.zeros(BATCH_SIZE * N_LANES, np.float32)

    # z: the first layer's sums for the batch to come, whose images begin at `coming`.
    coming = _starts(order, 0, n_in)
    z = zeros_4()
    for p in range(n_in):
        z = add_share(z, images, coming, p, load(W1, p * N_LANES))

    for step in range(n_steps):
        i = step * BATCH_SIZE
        n_real = min(n - i, BATCH_SIZE)
        scale = f32(2.0) / f32(n_real * n_out)

        # Forward.
        h1 = activate(z, masks, 0)
        store_4(H1, 0, N_LANES, h1)
        h2 = activate(dense(W2, n1, H1), masks, 1)
        store_4(H2, 0, N_LANES, h2)

        # Backward: gradients of the loss at the output and at the sums of both hidden layers.
        e = error(dense(W3, n2, H2), targets, order, i, n, scale)
        store_4(E, 0, N_LANES, e)
        d2 = backward(dense(W3T, n_out, E), h2)
        store_4(D2, 0, N_LANES, d2)
        store_4(D1, 0, N_LANES, backward(dense(W2T, n2, D2), h1))

        # Update; the first layer together with the next batch's forward pass through it.
        update(W3, V3, n2, H2, E, sgd)
        update(W3T, V3T, n_out, E, H2, sgd)
        update(W2, V2, n1, H1, D2, sgd)
        update(W2T, V2T, n2, D2, H1, sgd)
        current, coming = _starts(order, i, n_in), _starts(order, i + BATCH_SIZE, n_in)
        z = zeros_4()
        for line in range(0, n_in, N_LANES):
            for b in range(BATCH_SIZE):
                prefetch(images, order[i + 2 * BATCH_SIZE + b] * n_in + line)
            for p in range(line, min(line + N_LANES, n_in)):
                g = gradient(images, current, p, D1)
                w = descend(W1, V1, p, g, learning_rate, momentum, decay)
                z = add_share(z, images, coming, p, w)


# W1, W2, W3 (u, l)  images (n / 32, p, s)  targets (n / 32, v, s)
@kernel
def _evaluate(W1, W2, W3, widths, images, targets, n):
    """Return mean loss and accuracy over n samples, in blocks of 32."""
    n_in, n1, n2, n_out = widths
    Z1 = np.zeros(N_LANES * BLOCK, np.float32)
    Z2 = np.zeros(N_LANES * BLOCK, np.float32)
    Y = np.zeros(N_LANES * BLOCK, np.float32)
    squares = np.zeros(N_LANES, np.float32)
    hits = np.zeros(N_LANES, np.float32)
    total, n_hits = 0.0, 0.0
    for start in range(0, n, BLOCK):
        dense_block(W1, n_in, n1, images, start * n_in, Z1)
        activate_block(Z1, n1)
        dense_block(W2, n1, n2, Z1, 0, Z2)
        activate_block(Z2, n2)
        dense_block(W3, n2, n_out, Z2, 0, Y)
        for half in range(0, min(BLOCK, n - start), N_LANES):
            score_block(Y, targets, start * n_out + half, half, n_out, squares, hits)
            for sample in range(min(N_LANES, n - start - half)):
                total += squares[sample]
                n_hits += hits[sample]
    return total / (n * n_out), n_hits / n
