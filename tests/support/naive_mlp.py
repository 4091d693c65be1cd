"""The MLP's training written out in loops, in any float type: the first rung of the kernel.

In float32 every sum runs in the kernel's order, so that the kernel must agree bit for bit, given
the kernel's exponential; in float64 it stands for exact arithmetic.
"""

import numpy as np


def forward(weights, image, exp):
    """Activations of the two hidden layers and the output, for one flat image."""
    w1, w2, w3 = weights  # each (outputs, inputs)
    one = image.dtype.type(1)
    h1 = one / (one + exp(-_product(w1, image)))
    h2 = one / (one + exp(-_product(w2, h1)))
    return h1, h2, _product(w3, h2)


def _product(matrix, vector):
    total = np.zeros(len(matrix), vector.dtype)
    for u in range(len(vector)):
        total = total + vector[u] * matrix[:, u]
    return total


def loss(weights, images, labels, exp=np.exp):
    """Mean squared error of one-hot targets over samples and outputs."""
    outputs = np.array([forward(weights, image, exp)[2] for image in images])
    return np.mean((outputs - np.eye(outputs.shape[1])[labels]) ** 2)


def gradients(weights, images, labels, exp=np.exp):
    """The loss's gradient in each matrix, samples added in order."""
    _, w2, w3 = weights
    kind = images.dtype.type
    scale = kind(2) / kind(len(images) * len(w3))
    total = [np.zeros_like(w) for w in weights]
    for image, label in zip(images, labels, strict=True):
        h1, h2, y = forward(weights, image, exp)
        target = np.eye(len(w3), dtype=kind)[label]
        e = scale * (y - target)
        d2 = _product(w3.T, e) * (h2 * (kind(1) - h2))
        d1 = _product(w2.T, d2) * (h1 * (kind(1) - h1))
        for g, delta, x in zip(total, (d1, d2, e), (image, h1, h2), strict=True):
            g += delta[:, None] * x[None, :]
    return total


def step(weights, velocities, images, labels, sgd, exp=np.exp):
    """One step of SGD, in place; sgd is (learning rate, momentum, weight decay)."""
    learning_rate, momentum, decay = sgd
    for w, v, g in zip(weights, velocities, gradients(weights, images, labels, exp), strict=True):
        v[:] = momentum * v + (g + decay * w)
        w[:] = w - learning_rate * v
