"""Layers of the CNN, forward and backward, on the samples of one batch.

Axis letters: s samples of the batch, an even number; p the 9 cells of the 3×3 map between the
layers; t the 9 taps of a filter; c the 16 channels of the first convolution; o the 8 of the second;
k 16 outputs, of which 10 are used; r 16 rows to be summed. Letters that stand last are lanes.

======  ============  =====================================================================
array   axes          meaning
======  ============  =====================================================================
images  (n, 176)      images as `cnn.padded_images` makes them
W       (t, c)        weights of the first convolution, followed by
        (o, t, c)     those of the second, from `CONV2` on, and
        (o, k)        those of the linear layer, from `FC` on; k ≥ 10 is zero and stays so
V, G    like W        velocity, and sum of gradients over the batch
X       (s, p, c)     activations after the first convolution, pooling and leaky ReLU
H       (s, o)        activations after the second
Y, E    (s, k)        outputs, and gradient of the loss at the outputs
DX, DH  like X, H     gradient of the loss at X, and at what the second leaky ReLU was given
MX, MH  like X, H     which position of its pooling window was the maximum: 0, 1, 2 or 3
R       (4, r, 16)    products to be summed, for each position of a pooling window
======  ============  =====================================================================

All are flat. ``order[first + s]`` is the number of the batch's sample s. Each sum below is written
in the order in which it is taken; every kernel has its naive twin in the tests, equal in all bits.
"""

from numba import float32 as f32

from wsbench_zoos.training.kernels.numba_policy import part
from wsbench_zoos.training.kernels.simd import (
    N_LANES,
    broadcast,
    load,
    prefetch,
    row_sums,
    splat,
    store,
    where_greater,
)

SIDE = 13  # of a stored image: a row and a column of padding, and the 12 of 14 that are ever seen
IMAGE = 176  # floats from one stored image to the next: 13², and up to a whole cache line
MAP = 9 * N_LANES  # floats of one sample in X, of one filter bank of 9 taps in W
CONV2 = MAP
FC = CONV2 + 8 * MAP
N_WEIGHTS = FC + 8 * N_LANES

# Floats between what neighbouring positions of a pooling window see in the image, at stride 2.
_RIGHT, _BELOW = 2, 2 * SIDE
# A position of the second pooling window sees a block of 2×2 cells of the map; the rest of its
# filter hangs over the border. Floats from the block's first cell to each of the four:
_BLOCK = (0, N_LANES, 3 * N_LANES, 4 * N_LANES)
_SLOPE = f32(0.01)


# x, y (l) → (l)
@part
def _leaky(x, y):
    """Return y times the derivative of the leaky ReLU at x, the same as at its activation."""
    return where_greater(x, splat(f32(0.0)), y, _SLOPE * y)


# z0 … z3 (l) → (l), (l)
@part
def _first_maximum(z0, z1, z2, z3):
    """Return the maximum and which one it is, the first of equals."""
    z, m = z0, splat(f32(0.0))
    m = where_greater(z1, z, splat(f32(1.0)), m)
    z = where_greater(z1, z, z1, z)
    m = where_greater(z2, z, splat(f32(2.0)), m)
    z = where_greater(z2, z, z2, z)
    m = where_greater(z3, z, splat(f32(3.0)), m)
    z = where_greater(z3, z, z3, z)
    return z, m


# A (t, l) → 9 × (l)
@part
def _load_9(A, i):
    return (
        load(A, i), load(A, i + 16), load(A, i + 32),
        load(A, i + 48), load(A, i + 64), load(A, i + 80),
        load(A, i + 96), load(A, i + 112), load(A, i + 128),
    )  # fmt: skip


# images (n, 176)  w 9 × (c) → (c)
@part
def _convolve(images, i, w):
    """Σ_t pixel[t] w[t] over the 3×3 pixels from i on."""
    z = (
        broadcast(images, i) * w[0]
        + broadcast(images, i + 1) * w[1]
        + broadcast(images, i + 2) * w[2]
    )
    i += SIDE
    z = (
        z
        + broadcast(images, i) * w[3]
        + broadcast(images, i + 1) * w[4]
        + broadcast(images, i + 2) * w[5]
    )
    i += SIDE
    return (
        z
        + broadcast(images, i) * w[6]
        + broadcast(images, i + 1) * w[7]
        + broadcast(images, i + 2) * w[8]
    )


# W (t, c)  images (n, 176) → X, MX (s, p, c)
@part
def conv1(W, images, order, first, X, MX):
    """Images → X, MX; and asks for the images of the next batch, early enough to be there."""
    w = _load_9(W, 0)
    n_samples = X.size // MAP
    for s in range(n_samples):
        for line in range(0, IMAGE, 16):  # 2.3 µs a step, 6.1 without it (n = 60,000)
            prefetch(images, order[first + n_samples + s] * IMAGE + line)
        for p in range(9):
            i = order[first + s] * IMAGE + _corner(p)
            z, m = _first_maximum(
                _convolve(images, i, w),
                _convolve(images, i + _RIGHT, w),
                _convolve(images, i + _BELOW, w),
                _convolve(images, i + _BELOW + _RIGHT, w),
            )
            store(X, s * MAP + p * N_LANES, _leaky(z, z))
            store(MX, s * MAP + p * N_LANES, m)


@part
def _corner(p):
    """First of the 5×5 pixels of an image that cell p sees."""
    return p // 3 * 4 * SIDE + p % 3 * 4


# W (o, t, c)  X (s, p, c) → H, MH (s, o)
@part
def conv2(W, X, R, H, MH):
    """X → H, MH, two samples at a time: the 16 rows of R, and lanes of the result, are (s, o)."""
    for pair in range(0, H.size, N_LANES):
        for s in range(2):
            x = _load_9(X, (pair // 8 + s) * MAP)
            for o in range(8):
                w = _load_9(W, CONV2 + o * MAP)
                r = (s * 8 + o) * N_LANES
                z0 = x[0] * w[4] + x[1] * w[5] + x[3] * w[7] + x[4] * w[8]
                z1 = x[1] * w[3] + x[2] * w[4] + x[4] * w[6] + x[5] * w[7]
                z2 = x[3] * w[1] + x[4] * w[2] + x[6] * w[4] + x[7] * w[5]
                z3 = x[4] * w[0] + x[5] * w[1] + x[7] * w[3] + x[8] * w[4]
                store(R, r, z0)
                store(R, r + 256, z1)
                store(R, r + 512, z2)
                store(R, r + 768, z3)
        z, m = _first_maximum(row_sums(R, 0), row_sums(R, 256), row_sums(R, 512), row_sums(R, 768))
        store(H, pair, _leaky(z, z))
        store(MH, pair, m)


# W (o, k)  H (s, o) → Y (s, k)
@part
def linear(W, H, Y):
    """Y[s] = Σ_o H[s, o] W[o]."""
    for s in range(Y.size // N_LANES):
        y = broadcast(H, s * 8) * load(W, FC)
        for o in range(1, 8):
            y = y + broadcast(H, s * 8 + o) * load(W, FC + o * N_LANES)
        store(Y, s * N_LANES, y)


# W (o, k)  E (s, k)  H (s, o) → G (o, k), DH (s, o)
@part
def linear_backward(W, E, H, R, G, DH):
    """G[o] += Σ_s H[s, o] E[s]; DH[s, o] = Σ_k E[s, k] W[o, k], through the leaky ReLU."""
    for o in range(8):
        g = load(G, FC + o * N_LANES)
        for s in range(E.size // N_LANES):
            g = g + broadcast(H, s * 8 + o) * load(E, s * N_LANES)
        store(G, FC + o * N_LANES, g)
    for pair in range(0, H.size, N_LANES):
        for s in range(2):  # rows of R as in conv2
            e = load(E, (pair // 8 + s) * N_LANES)
            for o in range(8):
                store(R, (s * 8 + o) * N_LANES, e * load(W, FC + o * N_LANES))
        store(DH, pair, _leaky(load(H, pair), row_sums(R, 0)))


# W (o, t, c)  X (s, p, c)  DH, MH (s, o) → G (o, t, c), DX (s, p, c)
@part
def conv2_backward(W, X, DH, MH, G, DX):
    """G[o, t] += Σ_s DH[s, o] X[s, p]; DX[s, p] = Σ_o DH[s, o] W[o, t].

    Only the position that was the maximum counts: there, four cells p meet four taps t. In the map
    as in the filter, rows are three lanes apart, so one offset leads from pair to pair.
    """
    for s in range(DH.size // 8):
        for p in range(9):
            store(DX, s * MAP + p * N_LANES, splat(f32(0.0)))
        for o in range(8):
            d = broadcast(DH, s * 8 + o)
            m = int(MH[s * 8 + o])
            p = m + m // 2  # 0, 1, 3 or 4: the block's first cell, which meets tap 4 - p
            x = s * MAP + p * N_LANES
            w = CONV2 + o * MAP + (4 - p) * N_LANES
            for i in _BLOCK:
                _add(G, w + i, d * load(X, x + i))
                _add(DX, x + i, d * load(W, w + i))


@part
def _add(A, i, a):
    store(A, i, load(A, i) + a)


# images (n, 176)  X, MX, DX (s, p, c) → G (t, c)
@part
def conv1_backward(images, order, first, X, MX, DX, G):
    """G[t] += Σ_s Σ_p d[s, p] pixel[s, p, t], the pixels those of the position of the maximum.

    Choosing the pixels by masks takes 151 cycles a sample, multiplying those of all four positions
    by masked d 266.
    """
    g0, g1, g2, g3, g4, g5, g6, g7, g8 = _load_9(G, 0)
    for s in range(X.size // MAP):
        for p in range(9):
            at = s * MAP + p * N_LANES
            d, m = _leaky(load(X, at), load(DX, at)), load(MX, at)
            i = order[first + s] * IMAGE + _corner(p)
            g0 = g0 + d * _winner(images, i, m)
            g1 = g1 + d * _winner(images, i + 1, m)
            g2 = g2 + d * _winner(images, i + 2, m)
            i += SIDE
            g3 = g3 + d * _winner(images, i, m)
            g4 = g4 + d * _winner(images, i + 1, m)
            g5 = g5 + d * _winner(images, i + 2, m)
            i += SIDE
            g6 = g6 + d * _winner(images, i, m)
            g7 = g7 + d * _winner(images, i + 1, m)
            g8 = g8 + d * _winner(images, i + 2, m)
    for t, g in enumerate((g0, g1, g2, g3, g4, g5, g6, g7, g8)):
        store(G, t * N_LANES, g)


# images (n, 176)  m (c) → (c)
@part
def _winner(images, i, m):
    """In each lane, the pixel that a tap saw at position m; at position 0 it saw pixel i."""
    x = broadcast(images, i)
    x = where_greater(m, splat(f32(0.0)), broadcast(images, i + _RIGHT), x)
    x = where_greater(m, splat(f32(1.0)), broadcast(images, i + _BELOW), x)
    return where_greater(m, splat(f32(2.0)), broadcast(images, i + _BELOW + _RIGHT), x)
