"""Layers of the MLP: training on the four samples of a batch, evaluation on blocks of 32 samples.

Axis letters: u/v units of a layer, b the 4 samples of a batch, s the 32 samples of a block,
l 16 lanes. ``4 × (l)`` is a tuple with the lanes of each sample of a batch.

In training the lanes are the units of a layer: ``W (u, l)`` has one row of 16 lanes for each input
unit, and its columns beyond the layer's width are zero and stay so. In evaluation the lanes are
samples. All arrays are flat. Both sum in the same order, so they give the same bits.
"""

from numba import float32 as f32

from wsbench_zoos.training.kernels.numba_policy import part
from wsbench_zoos.training.kernels.simd import (
    N_LANES,
    broadcast,
    load,
    sigmoid,
    splat,
    store,
    where_greater,
)

BATCH_SIZE = 4
BLOCK = 2 * N_LANES  # samples that the evaluation takes at once: their pixels fit in L1
ROWS = (0, N_LANES, 2 * N_LANES, 3 * N_LANES)  # where each sample's lanes begin in (b, l)


# --- training: lanes are the units of a layer --------------------------------------------------


# X (b, u)  starts 4  w (l) → 4 × (l)
@part
def share(X, starts, u, w):
    """Return X[b, u] w for each sample b, whose row begins at ``starts[b]``."""
    return (
        broadcast(X, starts[0] + u) * w,
        broadcast(X, starts[1] + u) * w,
        broadcast(X, starts[2] + u) * w,
        broadcast(X, starts[3] + u) * w,
    )


# z 4 × (l)  X (b, u)  starts 4  w (l) → 4 × (l)
@part
def add_share(z, X, starts, u, w):
    """Return z[b] + X[b, u] w for each sample b."""
    return (
        z[0] + broadcast(X, starts[0] + u) * w,
        z[1] + broadcast(X, starts[1] + u) * w,
        z[2] + broadcast(X, starts[2] + u) * w,
        z[3] + broadcast(X, starts[3] + u) * w,
    )


# → 4 × (l)
@part
def zeros_4():
    """Return four times sixteen zeros."""
    zero = splat(f32(0.0))
    return zero, zero, zero, zero


# W (u, l)  X (b, u) → 4 × (l)
@part
def dense(W, n, X):
    """Return z[b] = Σ_u X[b, u] W[u] over n units."""
    z = share(X, ROWS, 0, load(W, 0))
    for u in range(1, n):
        z = add_share(z, X, ROWS, u, load(W, u * N_LANES))
    return z


# X (b, …)  x 4 × (l)
@part
def store_4(X, i, step, x):
    """Store the lanes of four rows, which begin ``step`` apart, the first at ``X[i]``."""
    store(X, i, x[0])
    store(X, i + step, x[1])
    store(X, i + 2 * step, x[2])
    store(X, i + 3 * step, x[3])


# z 4 × (l)  masks (2, l) → 4 × (l)
@part
def activate(z, masks, layer):
    """Return σ(z), and zero in the lanes beyond the layer's width, where it would be one half."""
    mask = load(masks, layer * N_LANES)
    return sigmoid(z[0]) * mask, sigmoid(z[1]) * mask, sigmoid(z[2]) * mask, sigmoid(z[3]) * mask


# z, h 4 × (l) → 4 × (l)
@part
def backward(z, h):
    """Return z σ', the derivative of the logistic function where its value is h."""
    return (
        z[0] * (h[0] * (f32(1.0) - h[0])),
        z[1] * (h[1] * (f32(1.0) - h[1])),
        z[2] * (h[2] * (f32(1.0) - h[2])),
        z[3] * (h[3] * (f32(1.0) - h[3])),
    )


# y 4 × (l)  targets (n, l)  order (samples) → 4 × (l)
@part
def error(y, targets, order, i, n, scale):
    """Return the gradient of the loss at the outputs of samples order[i : i + 4]."""
    return (
        _error(y[0], targets, order[i], n, scale),
        _error(y[1], targets, order[i + 1], n, scale),
        _error(y[2], targets, order[i + 2], n, scale),
        _error(y[3], targets, order[i + 3], n, scale),
    )


# y (l)  targets (n, l) → (l)
@part
def _error(y, targets, sample, n, scale):
    """Return the gradient of the loss at the output y; zero for the blank sample n."""
    if sample == n:
        scale = f32(0.0)
    return scale * (y - load(targets, sample * N_LANES))


# X (b, u)  starts 4  D (b, l) → (l)
@part
def gradient(X, starts, u, D):
    """Return Σ_b X[b, u] D[b].

    D is read from memory for each row: as a tuple of registers it took the MLP's step 12 % longer
    with AVX2, whose 16 registers the sums of the next batch need (spills, 72 instructions a row
    against 61).
    """
    return (
        broadcast(X, starts[0] + u) * load(D, ROWS[0])
        + broadcast(X, starts[1] + u) * load(D, ROWS[1])
        + broadcast(X, starts[2] + u) * load(D, ROWS[2])
        + broadcast(X, starts[3] + u) * load(D, ROWS[3])
    )


# W, V (u, l)  g (l) → (l)
@part
def descend(W, V, u, g, learning_rate, momentum, decay):
    """Take one SGD step on row u of W, with its velocity in V; return the new row."""
    w = load(W, u * N_LANES)
    v = momentum * load(V, u * N_LANES) + (g + decay * w)
    w = w - learning_rate * v
    store(V, u * N_LANES, v)
    store(W, u * N_LANES, w)
    return w


# W, V (u, l)  X (b, u)  D (b, l)
@part
def update(W, V, n, X, D, sgd):
    """Take one SGD step on n rows of W, whose gradient is Σ_b X[b, u] D[b]."""
    for u in range(n):
        descend(W, V, u, gradient(X, ROWS, u, D), sgd[0], sgd[1], sgd[2])


# --- evaluation: lanes are samples -------------------------------------------------------------


# W (u, v)  X (u, s) → Z (v, s)
@part
def dense_block(W, n_in, n_out, X, first, Z):
    """Z[v] = Σ_u W[u, v] X[first + u] for 32 samples.

    Four units at a time, so that eight sums run side by side; W has zero units after the last.
    The sums are single values: as two 4-tuples the evaluation took 3 to 7 % longer (400 images,
    three processes of 1,200 alternating runs each, the minima compared, AVX2).
    """
    for v in range(0, n_out, 4):
        a0 = splat(f32(0.0))
        a1, b0, b1, c0, c1, d0, d1 = a0, a0, a0, a0, a0, a0, a0
        for u in range(n_in):
            x0, x1 = load(X, first + u * BLOCK), load(X, first + u * BLOCK + N_LANES)
            w = u * N_LANES + v
            a0, a1 = a0 + broadcast(W, w) * x0, a1 + broadcast(W, w) * x1
            b0, b1 = b0 + broadcast(W, w + 1) * x0, b1 + broadcast(W, w + 1) * x1
            c0, c1 = c0 + broadcast(W, w + 2) * x0, c1 + broadcast(W, w + 2) * x1
            d0, d1 = d0 + broadcast(W, w + 3) * x0, d1 + broadcast(W, w + 3) * x1
        store_4(Z, v * BLOCK, BLOCK, (a0, b0, c0, d0))
        store_4(Z, v * BLOCK + N_LANES, BLOCK, (a1, b1, c1, d1))


# Z (u, s)
@part
def activate_block(Z, n):
    """Replace the first n rows by their logistic function."""
    for i in range(0, n * BLOCK, N_LANES):
        store(Z, i, sigmoid(load(Z, i)))


# Y, targets (v, s) → squares, hits (l)
@part
def score_block(Y, targets, t, y, n_out, squares, hits):
    """Sum of squared errors, and 1 where the first largest output is the class, of 16 samples."""
    best, hit = load(Y, y), load(targets, t)
    error = best - hit
    total = error * error
    for v in range(1, n_out):
        output, target = load(Y, y + v * BLOCK), load(targets, t + v * BLOCK)
        error = output - target
        total = total + error * error
        hit = where_greater(output, best, target, hit)
        best = where_greater(output, best, output, best)
    store(squares, 0, total)
    store(hits, 0, hit)
