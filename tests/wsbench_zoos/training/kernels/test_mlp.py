from itertools import pairwise

import numpy as np
import pytest
import torch
from numba import njit

from support import naive_mlp as naive
from wsbench_zoos.architectures import MLP
from wsbench_zoos.data import sources
from wsbench_zoos.recipe import Training
from wsbench_zoos.training.kernels import simd
from wsbench_zoos.training.kernels.mlp import BATCH_SIZE, MLPKernel
from wsbench_zoos.training.kernels.simd import N_LANES, load, store
from wsbench_zoos.training.randomness import initial_weights
from wsbench_zoos.training.torch_reference import mlp_forward, train_steps

WIDTHS = (196, 10, 10, 10)
SGD = {"learning_rate": 0.03, "momentum": 0.9, "weight_decay": 3e-4}


@njit
def _exp_of_16(x, y):
    store(y, 0, simd.exp(load(x, 0)))


def kernel_exp(x):
    padded, result = np.zeros(N_LANES, np.float32), np.zeros(N_LANES, np.float32)
    padded[: len(x)] = x
    _exp_of_16(padded, result)
    return result[: len(x)]


@pytest.fixture(scope="module")
def digits():
    return sources.load_data("digits")


def make_kernel(digits, n, widths=WIDTHS):
    return MLPKernel(
        widths,
        digits.train_images[:n],
        digits.train_labels[:n],
        digits.test_images,
        digits.test_labels,
        **SGD,
    )


def start_weights(widths=WIDTHS, model=0):
    return initial_weights("test", 0, model, MLP(widths).layout())


def matrices(weights, widths=WIDTHS):
    shapes = [(v, u) for u, v in pairwise(widths)]
    parts = np.split(weights, np.cumsum([a * b for a, b in shapes])[:-1])
    return [part.reshape(shape).copy() for part, shape in zip(parts, shapes, strict=True)]


@pytest.mark.parametrize("widths", [WIDTHS, (196, 16, 16, 10), (196, 1, 3, 10)])
def test_weights__are_those_it_started_with(digits, widths):
    kernel = make_kernel(digits, 8, widths)
    weights = start_weights(widths)
    np.testing.assert_array_equal(kernel.weights(kernel.start(weights)), weights)


@pytest.mark.parametrize("widths", [WIDTHS, (196, 16, 5, 10)])
@pytest.mark.parametrize("n", [4, 8, 11])
def test_train_epoch__gives_the_bits_of_the_naive_loops(digits, widths, n):
    """n = 11: the last batch has three samples."""
    kernel = make_kernel(digits, n, widths)
    start = start_weights(widths)
    state = kernel.start(start)
    order = np.random.default_rng(0).permutation(n)
    expected = matrices(start, widths)
    velocities = [np.zeros_like(w) for w in expected]
    for _ in range(2):
        kernel.train_epoch(state, order)
        for first in range(0, n, BATCH_SIZE):
            batch = order[first : first + BATCH_SIZE]
            images = digits.train_images[batch].reshape(len(batch), -1)
            sgd = [np.float32(value) for value in SGD.values()]
            labels = digits.train_labels[batch]
            naive.step(expected, velocities, images, labels, sgd, kernel_exp)
    np.testing.assert_array_equal(
        kernel.weights(state), np.concatenate([w.ravel() for w in expected])
    )


def test_naive_gradient__agrees_with_finite_differences(digits):
    rng = np.random.default_rng(1)
    weights = [w.astype(np.float64) for w in matrices(start_weights())]
    images = digits.train_images[:5].reshape(5, -1).astype(np.float64)
    labels = digits.train_labels[:5]
    for w, g in zip(weights, naive.gradients(weights, images, labels), strict=True):
        for _ in range(10):
            place = tuple(rng.integers(w.shape))
            value, h = w[place], 1e-5
            w[place] = value + h
            above = naive.loss(weights, images, labels)
            w[place] = value - h
            below = naive.loss(weights, images, labels)
            w[place] = value
            np.testing.assert_allclose(g[place], (above - below) / (2 * h), rtol=1e-5, atol=1e-10)


@pytest.mark.slow
def test_train_epoch__agrees_with_torch_after_20_steps_on_digits(digits):
    n, n_models = 20 * BATCH_SIZE, 3
    kernel = make_kernel(digits, n)
    orders = [np.random.default_rng(m).permutation(n) for m in range(n_models)]
    starts = np.array([start_weights(model=m) for m in range(n_models)])
    trained = []
    for weights, order in zip(starts, orders, strict=True):
        state = kernel.start(weights)
        kernel.train_epoch(state, order)
        trained.append(kernel.weights(state))
    images, labels = torch.tensor(digits.train_images), torch.tensor(digits.train_labels).long()
    steps = np.stack(orders).reshape(n_models, 20, BATCH_SIZE)
    batches = [(images[steps[:, s]], labels[steps[:, s]]) for s in range(20)]
    training = Training(**SGD, batch_size=BATCH_SIZE)
    reference = train_steps(mlp_forward, MLP(WIDTHS).layout(), starts, batches, training)
    assert np.abs(reference - starts).max() > 0.01  # they did train
    np.testing.assert_allclose(trained, reference, rtol=0, atol=1e-6)


def test_train_epoch__is_the_same_as_torch_optim_sgd_with_a_partial_last_batch(digits):
    kernel = make_kernel(digits, 10)
    state = kernel.start(start_weights())
    order = np.arange(10)
    parameters = [torch.nn.Parameter(torch.tensor(w)) for w in matrices(start_weights())]
    optimizer = torch.optim.SGD(
        parameters, lr=SGD["learning_rate"], momentum=SGD["momentum"],
        weight_decay=SGD["weight_decay"],
    )  # fmt: skip
    for _ in range(3):
        kernel.train_epoch(state, order)
        for batch in torch.tensor(order).split(BATCH_SIZE):
            outputs = mlp_forward(parameters, torch.tensor(digits.train_images)[batch])
            labels = torch.tensor(digits.train_labels)[batch].long()
            targets = torch.nn.functional.one_hot(labels, 10).float()
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(outputs, targets).backward()
            optimizer.step()
    reference = np.concatenate([p.detach().numpy().ravel() for p in parameters])
    np.testing.assert_allclose(kernel.weights(state), reference, rtol=0, atol=1e-6)


@pytest.mark.parametrize("n", [1, 31, 32, 33, 1437])
def test_evaluate__agrees_with_torch(digits, n):
    kernel = make_kernel(digits, n)
    train_loss, test_loss, accuracy = kernel.evaluate(kernel.start(start_weights()))
    parameters = [torch.tensor(w) for w in matrices(start_weights())]

    def reference(images, labels):
        outputs = mlp_forward(parameters, torch.tensor(images))
        labels = torch.tensor(labels).long()
        loss = torch.nn.functional.mse_loss(
            outputs, torch.nn.functional.one_hot(labels, 10).float()
        )
        return loss.item(), (outputs.argmax(dim=1) == labels).double().mean().item()

    expected, _ = reference(digits.train_images[:n], digits.train_labels[:n])
    np.testing.assert_allclose(train_loss, expected, rtol=1e-5)
    expected, expected_accuracy = reference(digits.test_images, digits.test_labels)
    np.testing.assert_allclose(test_loss, expected, rtol=1e-5)
    assert accuracy == np.float32(expected_accuracy)


def test_evaluate__has_the_bits_of_the_naive_forward(digits):
    kernel = make_kernel(digits, 7)
    weights = matrices(start_weights())
    squares = []
    for image, label in zip(digits.train_images[:7], digits.train_labels[:7], strict=True):
        outputs = naive.forward(weights, image.ravel(), kernel_exp)[2]
        total = np.float32(0)
        for difference in outputs - np.eye(10, dtype=np.float32)[label]:
            total += difference * difference
        squares.append(float(total))
    train_loss, _, _ = kernel.evaluate(kernel.start(start_weights()))
    assert train_loss == np.float32(sum(squares) / 70)


def test_train_epoch__keeps_the_lanes_beyond_a_layers_width_at_zero(digits):
    kernel = make_kernel(digits, 40)
    state = kernel.start(start_weights())
    kernel.train_epoch(state, np.arange(40))
    for matrix in state:
        assert not matrix.reshape(-1, N_LANES)[:, 10:].any()


def test_train_epoch__keeps_both_copies_of_a_matrix_equal(digits):
    kernel = make_kernel(digits, 40)
    state = kernel.start(start_weights())
    kernel.train_epoch(state, np.arange(40))
    rows = [matrix.reshape(-1, N_LANES)[:10, :10] for matrix in state]
    for upright, transposed in ((2, 4), (3, 5), (6, 8), (7, 9)):
        np.testing.assert_array_equal(rows[upright], rows[transposed].T)


def test_train_epoch__lowers_the_loss(digits):
    kernel = make_kernel(digits, 1437)
    state = kernel.start(start_weights())
    before = kernel.evaluate(state)[0]
    for epoch in range(5):
        kernel.train_epoch(state, np.random.default_rng(epoch).permutation(1437))
    assert kernel.evaluate(state)[0] < before / 4
