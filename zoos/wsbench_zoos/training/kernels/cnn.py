"""Training and evaluation of the bias-free CNN, one model at a time, in cache.

The network sees 14×14 images: convolution 1→16, max-pool 2, leaky ReLU, convolution 16→8, max-pool
2, leaky ReLU, linear 8→10; both convolutions 3×3 at stride 2 with padding 1. The loss is the mean
squared error of one-hot targets; SGD with momentum and weight decay goes in the order of operations
of ``torch.optim.SGD``. The layers, and the letters for arrays, are in `cnn_layers`.

Training and evaluation take the same way forward, with the same bits. A prototype of an evaluation
with samples as lanes, which needs the images a second time in another order, took 395 cycles a
sample on 60,000 images, and 290 where they lay in cache; this one takes 390 and 385.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import float32 as f32

from wsbench_zoos.training.kernels.cnn_layers import (
    IMAGE,
    MAP,
    N_WEIGHTS,
    SIDE,
    conv1,
    conv1_backward,
    conv2,
    conv2_backward,
    linear,
    linear_backward,
)
from wsbench_zoos.training.kernels.numba_policy import kernel, part
from wsbench_zoos.training.kernels.simd import N_LANES, aligned, load, splat, store

Floats = npt.NDArray[np.float32]

N_CLASSES = 10
_CONV2, _FC = 16 * 9, 16 * 9 + 8 * 16 * 9  # where these layers begin in the flat weights


class CNNState(NamedTuple):
    """One model in training: the arrays of `cnn_layers`, of the model itself and of one batch."""

    W: Floats
    V: Floats
    G: Floats  # zero between steps
    X: Floats
    MX: Floats
    DX: Floats
    H: Floats
    MH: Floats
    DH: Floats
    Y: Floats
    E: Floats
    R: Floats


class CNNKernel:
    """Trains and evaluates CNNs on one data set, which all threads share.

    Parameters
    ----------
    images, labels
        Training set: (n, 14, 14) float32, and (n,) classes 0 … 9.
    test_images, test_labels
        Test set, the same.
    learning_rate, momentum, weight_decay
        As in ``torch.optim.SGD``.
    batch_size
        Samples a step; the last batch of an epoch has those that are left.
    """

    def __init__(
        self,
        images: Floats,
        labels: npt.NDArray[np.integer],
        test_images: Floats,
        test_labels: npt.NDArray[np.integer],
        *,
        learning_rate: float,
        momentum: float,
        weight_decay: float,
        batch_size: int,
    ) -> None:
        self._batch_size = batch_size
        self._n_room = batch_size + batch_size % 2  # the layers take pairs
        self._train = _DataSet(images, labels, self._n_room)
        self._test = _DataSet(test_images, test_labels, self._n_room)
        self._sgd = np.array([learning_rate, momentum, weight_decay], np.float32)

    def start(self, weights: Floats) -> CNNState:
        """Return the state of a model at these flat ``(1376,)`` weights, with zero velocity."""
        rows = np.zeros((N_WEIGHTS // N_LANES, N_LANES), np.float32)
        rows[:9] = weights[:_CONV2].reshape(16, 9).T
        rows[9:81] = weights[_CONV2:_FC].reshape(8, 16, 9).swapaxes(1, 2).reshape(72, 16)
        rows[81:, :N_CLASSES] = weights[_FC:].reshape(N_CLASSES, 8).T
        map_, units, lanes = self._n_room * MAP, self._n_room * 8, self._n_room * N_LANES
        sizes = (N_WEIGHTS, N_WEIGHTS, map_, map_, map_, units, units, units, lanes, lanes, 4 * 256)
        return CNNState(aligned(rows), *(aligned(np.zeros(size, np.float32)) for size in sizes))

    def weights(self, state: CNNState) -> Floats:
        """Return the flat ``(1376,)`` float32 weights: (16, 1, 3, 3), (8, 16, 3, 3), (10, 8)."""
        rows = state.W.reshape(-1, N_LANES)
        conv2 = rows[9:81].reshape(8, 9, 16).swapaxes(1, 2)
        return np.concatenate([rows[:9].T.ravel(), conv2.ravel(), rows[81:, :N_CLASSES].T.ravel()])

    def train_epoch(self, state: CNNState, order: npt.NDArray[np.integer]) -> None:
        """Train on every sample once, in ``order``, the last batch with those that are left."""
        n = len(order)
        n_steps = -(-n // self._batch_size)
        by_batch = np.full((n_steps, self._batch_size), n, np.intp)
        by_batch.reshape(-1)[:n] = order
        # Blank samples fill the room, and one batch more: the last step still looks ahead.
        padded = np.full((n_steps + 1, self._n_room), n, np.intp)
        padded[:-1, : self._batch_size] = by_batch
        _train(state, *self._train.arrays, padded.ravel(), n, self._batch_size, self._sgd)

    def evaluate(self, state: CNNState) -> tuple[np.float32, np.float32, np.float32]:
        """Return training loss, test loss and test accuracy."""
        train_loss, _ = _evaluate(state, *self._train.arrays, self._train.order)
        test_loss, accuracy = _evaluate(state, *self._test.arrays, self._test.order)
        return np.float32(train_loss), np.float32(test_loss), np.float32(accuracy)


class _DataSet:
    """Images, targets and classes as the kernels read them, and a blank sample after the last.

    The blank sample fills batches up. Image and target are zero, and a network without biases
    gives zero for it: its error, and all it adds to a gradient, is exactly zero.
    """

    def __init__(self, images: Floats, labels: npt.NDArray[np.integer], n_room: int) -> None:
        n = len(images)
        targets = np.eye(N_CLASSES + 1, N_LANES, dtype=np.float32)
        targets[N_CLASSES] = 0
        classes = np.append(labels, N_CLASSES).astype(np.intp)
        self.arrays = aligned(padded_images(images)), aligned(targets), classes
        self.order = np.minimum(np.arange(n + 2 * n_room), n)


def padded_images(images: Floats) -> Floats:
    """Return (n + 1, 176): what the convolution sees of (n, 14, 14), with its padding, and a blank.

    The last two rows and columns of an image only reach the seventh row and column of the first
    convolution, which the pooling leaves out.
    """
    seen = np.zeros((len(images) + 1, SIDE, SIDE), np.float32)
    seen[:-1, 1:, 1:] = images[:, : SIDE - 1, : SIDE - 1]
    padded = np.zeros((len(seen), IMAGE), np.float32)
    padded[:, : SIDE * SIDE] = seen.reshape(len(seen), -1)
    return padded


# images (n + 1, 176)  targets (11, k)  classes (n + 1)  order (steps + 1, s)
@kernel
def _train(state, images, targets, classes, order, n, batch_size, sgd):
    """Train for one epoch on n samples; order: (steps + 1, room for a batch), filled with n."""
    W, V, G, X, MX, DX, H, MH, DH, Y, E, R = state
    n_room = H.size // 8
    for step in range(order.size // n_room - 1):
        first = step * n_room
        conv1(W, images, order, first, X, MX)
        conv2(W, X, R, H, MH)
        linear(W, H, Y)
        n_samples = min(batch_size, n - step * batch_size)
        scale = f32(2.0) / f32(N_CLASSES * n_samples)
        _error(Y, targets, classes, order, first, scale, E)
        linear_backward(W, E, H, R, G, DH)
        conv2_backward(W, X, DH, MH, G, DX)
        conv1_backward(images, order, first, X, MX, DX, G)
        _descend(W, V, G, sgd)


# Y (s, k)  targets (11, k)  classes (n + 1)  order (s) → E (s, k)
@part
def _error(Y, targets, classes, order, first, scale, E):
    """E[s] = scale (Y[s] - target[s])."""
    for s in range(0, Y.size, N_LANES):
        target = load(targets, classes[order[first + s // N_LANES]] * N_LANES)
        store(E, s, scale * (load(Y, s) - target))


# W, V, G (t, c), (o, t, c), (o, k)
@part
def _descend(W, V, G, sgd):
    """One SGD step, which uses the gradient up: G is zero after it."""
    learning_rate, momentum, decay = sgd[0], sgd[1], sgd[2]
    for i in range(0, N_WEIGHTS, N_LANES):
        w = load(W, i)
        v = momentum * load(V, i) + (load(G, i) + decay * w)
        store(W, i, w - learning_rate * v)
        store(V, i, v)
        store(G, i, splat(f32(0.0)))


# images (n + 1, 176)  targets (11, k)  classes (n + 1)  order (s)
@kernel
def _evaluate(state, images, targets, classes, order):
    """Mean loss and accuracy over all samples except the blank one."""
    W, _, _, X, MX, _, H, MH, _, Y, E, R = state
    n = classes.size - 1
    n_room = H.size // 8
    total, n_hits = 0.0, 0
    for first in range(0, n, n_room):
        conv1(W, images, order, first, X, MX)
        conv2(W, X, R, H, MH)
        linear(W, H, Y)
        _error(Y, targets, classes, order, first, f32(1.0), E)
        for s in range(min(n_room, n - first)):
            total += _squares(E, s * N_LANES)
            n_hits += _first_greatest(Y, s * N_LANES) == classes[first + s]
    return total / (n * N_CLASSES), n_hits / n


# E (k)
@part
def _squares(E, i):
    """Sum of the squares of ten numbers, in double precision."""
    total = 0.0
    for k in range(i, i + N_CLASSES):
        error = float(E[k])
        total += error * error
    return total


# Y (k)
@part
def _first_greatest(Y, i):
    """Return which of ten numbers is the greatest, the first of equals, without a branch."""
    best, greatest = 0, Y[i]
    for k in range(1, N_CLASSES):
        y = Y[i + k]
        best = k if y > greatest else best
        greatest = y if y > greatest else greatest
    return best
