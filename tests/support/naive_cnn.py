"""The CNN in numpy loops: in float32 its sums run in the order of `kernels.cnn`, bit for bit; in
float64 its gradients are compared with finite differences."""

from functools import reduce
from operator import add
from typing import NamedTuple

import numpy as np


class Weights(NamedTuple):
    conv1: np.ndarray  # (16, 1, 3, 3)
    conv2: np.ndarray  # (8, 16, 3, 3)
    linear: np.ndarray  # (10, 8)

    @classmethod
    def of(cls, flat):
        conv1, conv2, linear = np.split(flat, [144, 144 + 1152])
        return cls(conv1.reshape(16, 1, 3, 3), conv2.reshape(8, 16, 3, 3), linear.reshape(10, 8))

    def flat(self):
        return np.concatenate([w.ravel() for w in self])


def pairwise_sum(terms):
    """Sum over the first axis, padded to 16: of neighbours, then of neighbouring sums, …"""
    sums = np.zeros((16, *terms.shape[1:]), terms.dtype)
    sums[: len(terms)] = terms
    while len(sums) > 1:
        sums = sums[0::2] + sums[1::2]
    return sums[0]


def windows(maps):
    """The 3×3 windows of (channels, rows, columns) at stride 2 with padding 1: y, x, window."""
    padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
    size = (maps.shape[1] + 1) // 2
    for y in range(size):
        for x in range(size):
            yield y, x, padded[:, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3]


def convolve(filters, maps):
    """Sum over the taps in row-major order for each channel, then pairwise over the channels."""
    size = (maps.shape[1] + 1) // 2
    z = np.empty((len(filters), size, size), maps.dtype)
    for y, x, window in windows(maps):
        for o, taps in enumerate(filters):
            terms = [taps[:, i, j] * window[:, i, j] for i in range(3) for j in range(3)]
            z[o, y, x] = pairwise_sum(reduce(add, terms))
    return z


def pool(z):
    """2×2 maxima, and where each is in z: the first of equals in row-major order."""
    channels, rows, columns = len(z), z.shape[1] // 2, z.shape[2] // 2
    maxima = np.empty((channels, rows, columns), z.dtype)
    places = np.empty((channels, rows, columns, 2), int)
    for c, y, x in np.ndindex(maxima.shape):
        block = z[c, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
        i, j = divmod(int(block.argmax()), 2)
        maxima[c, y, x] = block[i, j]
        places[c, y, x] = 2 * y + i, 2 * x + j
    return maxima, places


def leaky(x, y):
    return np.where(x > 0, y, y.dtype.type(0.01) * y)


def forward(weights, image):
    """Activations and places of the maxima after each convolution, and the outputs."""
    z, places1 = pool(convolve(weights.conv1, image[None]))
    x = leaky(z, z)  # (16, 3, 3)
    z, places2 = pool(convolve(weights.conv2, x))
    h = leaky(z, z).ravel()  # (8,)
    outputs = reduce(add, [h[o] * weights.linear[:, o] for o in range(8)])
    return x, places1, h, places2, outputs


def add_gradient(gradient, weights, image, target, scale):
    """Add what one sample gives to the gradient of scale / 2 times the sum of squared errors."""
    x, places1, h, places2, outputs = forward(weights, image)
    error = scale * (outputs - target)
    gradient.linear[...] += error[:, None] * h
    dh = leaky(h, pairwise_sum(error[:, None] * weights.linear))

    dx = np.zeros_like(x)
    x_windows = {(y, x_): window for y, x_, window in windows(x)}
    for o in range(8):
        y, x_ = places2[o, 0, 0]
        gradient.conv2[o] += dh[o] * x_windows[y, x_]
        for i, j in np.ndindex(3, 3):
            row, column = 2 * y + i - 1, 2 * x_ + j - 1
            if 0 <= row < 3 and 0 <= column < 3:
                dx[:, row, column] += dh[o] * weights.conv2[o, :, i, j]

    d = leaky(x, dx)
    image_windows = {(y, x_): window for y, x_, window in windows(image[None])}
    for row, column in np.ndindex(3, 3):
        for c in range(16):
            y, x_ = places1[c, row, column]
            gradient.conv1[c] += d[c, row, column] * image_windows[y, x_]


def gradient(weights, images, labels):
    """Gradient of the mean squared error of one batch."""
    dtype = weights.conv1.dtype
    total = Weights(*(np.zeros_like(w) for w in weights))
    scale = dtype.type(2) / dtype.type(10 * len(images))
    for image, label in zip(images.astype(dtype), labels, strict=True):
        add_gradient(total, weights, image, np.eye(10, dtype=dtype)[label], scale)
    return total


def train_epoch(
    flat, velocity, images, labels, order, *, learning_rate, momentum, weight_decay, batch_size
):
    """Weights and velocity after one epoch, in the data type of ``flat``."""
    to = flat.dtype.type
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        g = gradient(Weights.of(flat), images[batch], labels[batch]).flat()
        velocity = to(momentum) * velocity + (g + to(weight_decay) * flat)
        flat = flat - to(learning_rate) * velocity
    return flat, velocity


def evaluate(flat, images, labels):
    """Mean loss and accuracy, summed in float64."""
    weights = Weights.of(flat)
    total, n_hits = 0.0, 0
    for image, label in zip(images.astype(flat.dtype), labels, strict=True):
        outputs = forward(weights, image)[-1]
        errors = (outputs - np.eye(10, dtype=flat.dtype)[label]).astype(np.float64)
        total += reduce(add, errors * errors)
        n_hits += outputs.argmax() == label
    return total / (10 * len(images)), n_hits / len(images)
