from functools import cache

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from support import naive_cnn as naive
from wsbench_zoos.training.kernels.cnn import CNNKernel
from wsbench_zoos.training.kernels.simd import N_LANES
from wsbench_zoos.training.torch_reference import cnn_forward

SGD = {"learning_rate": 0.05, "momentum": 0.9, "weight_decay": 1e-2}
SHAPES = [(16, 1, 3, 3), (8, 16, 3, 3), (10, 8)]


@cache
def digits():
    """Scikit-learn's digits at 14×14: (1797, 14, 14) float32, and their classes."""
    images, labels = load_digits(return_X_y=True)
    near = np.arange(14) * 8 // 14
    images = images.reshape(-1, 8, 8)[:, near][:, :, near] / 16
    return images.astype(np.float32), labels


def kaiming(seed=0):
    rng = np.random.default_rng(seed)
    flat = [rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).ravel() for shape in SHAPES]
    return np.concatenate(flat).astype(np.float32)


def noise(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, 14, 14), dtype=np.float32), rng.integers(0, 10, n)


def kernel(train, test=None, *, batch_size=12, **sgd):
    return CNNKernel(*train, *(test or train), batch_size=batch_size, **(SGD | sgd))


def torch_parameters(flat):
    parts = np.split(flat, np.cumsum([np.prod(shape) for shape in SHAPES])[:-1])
    return [
        torch.tensor(part.reshape(shape), requires_grad=True)
        for part, shape in zip(parts, SHAPES, strict=True)
    ]


def torch_steps(flat, images, labels, batches, *, learning_rate, momentum, weight_decay):
    parameters = torch_parameters(flat)
    optimizer = torch.optim.SGD(parameters, learning_rate, momentum, weight_decay=weight_decay)
    targets = np.eye(10, dtype=np.float32)[labels]
    for batch in batches:
        outputs = cnn_forward(parameters, torch.from_numpy(images[batch]))
        loss = torch.nn.functional.mse_loss(outputs, torch.from_numpy(targets[batch]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return np.concatenate([p.detach().numpy().ravel() for p in parameters])


@pytest.mark.parametrize(("n", "batch_size"), [(29, 12), (11, 3), (5, 8), (9, 2), (4, 1)])
def test_train_epoch__gives_the_bits_of_the_naive_version(n, batch_size):
    images, labels = digits()[0][:n], digits()[1][:n]
    trainer = kernel((images, labels), batch_size=batch_size)
    state = trainer.start(kaiming())
    flat, velocity = kaiming(), np.zeros(1376, np.float32)
    for epoch in range(2):  # the last batch is a partial one, and the next epoch starts afresh
        order = np.random.default_rng(epoch).permutation(n)
        trainer.train_epoch(state, order)
        flat, velocity = naive.train_epoch(
            flat, velocity, images, labels, order, batch_size=batch_size, **SGD
        )
    assert trainer.weights(state).tobytes() == flat.tobytes()


def test_train_epoch__agrees_with_torch_after_20_steps_on_digits():
    images, labels = digits()
    n = 20 * 12 - 5
    order = np.random.default_rng(0).permutation(n)
    trainer = kernel((images[:n], labels[:n]))
    state = trainer.start(kaiming())
    trainer.train_epoch(state, order)
    batches = np.split(order, range(12, n, 12))
    expected = torch_steps(kaiming(), images, labels, batches, **SGD)
    assert np.abs(expected - kaiming()).max() > 0.05
    np.testing.assert_allclose(trainer.weights(state), expected, rtol=0, atol=1e-6)


def test_train_epoch__breaks_ties_of_the_pooling_as_torch_does():
    images, labels = noise(12)
    flat = kaiming()
    flat[:144] = 0  # all positions of all windows tie, but see different pixels
    sgd = {"learning_rate": 1e4, "momentum": 0.0, "weight_decay": 0.0}
    trainer = kernel((images, labels), **sgd)
    state = trainer.start(flat)
    trainer.train_epoch(state, np.arange(12))
    expected = torch_steps(flat, images, labels, [np.arange(12)], **sgd)[:144]
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(trainer.weights(state)[:144], expected, rtol=1e-4, atol=1e-6)


def test_train_epoch__only_decays_the_weights_on_blank_images():
    trainer = kernel((np.zeros((12, 14, 14), np.float32), np.arange(12) % 10))
    state = trainer.start(kaiming())
    trainer.train_epoch(state, np.arange(12))
    decay, learning_rate = np.float32(SGD["weight_decay"]), np.float32(SGD["learning_rate"])
    expected = kaiming() - learning_rate * (decay * kaiming())
    assert trainer.weights(state).tobytes() == expected.tobytes()


def test_train_epoch__gives_the_same_bits_twice_and_leaves_the_start_alone():
    trainer = kernel(noise(40))
    flat = kaiming()
    results = []
    for _ in range(2):
        state = trainer.start(flat)
        trainer.train_epoch(state, np.arange(40))
        results.append(trainer.weights(state).tobytes())
    assert results[0] == results[1]
    assert flat.tobytes() == kaiming().tobytes()


def test_train_epoch__keeps_unused_lanes_and_the_blank_sample_at_zero():
    trainer = kernel(digits(), batch_size=7)
    state = trainer.start(kaiming())
    trainer.train_epoch(state, np.arange(1797))
    for rows in (state.W, state.V):
        unused = rows.reshape(-1, N_LANES)[81:, 10:]
        assert not unused.any()
    # 1797 = 256 · 7 + 5: the last batch ended with three blank samples.
    for values in (state.X, state.H, state.Y, state.E, state.DH, state.DX):
        by_sample = values.reshape(8, -1)
        assert not by_sample[5:].any()
        assert by_sample[:5].any()


def test_start__round_trips_with_weights():
    trainer = kernel(noise(2))
    assert trainer.weights(trainer.start(kaiming())).tobytes() == kaiming().tobytes()


@pytest.mark.slow
def test_evaluate__equals_the_naive_version_and_torch():
    images, labels = digits()
    train, test = (images[:53], labels[:53]), (images[60:98], labels[60:98])
    trainer = kernel(train, test)
    train_loss, test_loss, accuracy = trainer.evaluate(trainer.start(kaiming()))
    naive_train_loss, _ = naive.evaluate(kaiming(), *train)
    naive_test_loss, naive_accuracy = naive.evaluate(kaiming(), *test)
    assert train_loss == np.float32(naive_train_loss)
    assert test_loss == np.float32(naive_test_loss)
    assert accuracy == np.float32(naive_accuracy)
    assert {type(value) for value in (train_loss, test_loss, accuracy)} == {np.float32}

    outputs = cnn_forward(torch_parameters(kaiming()), torch.from_numpy(test[0])).detach().numpy()
    torch_loss = np.mean((outputs - np.eye(10)[test[1]]) ** 2)
    np.testing.assert_allclose(test_loss, torch_loss, rtol=1e-6)
    assert accuracy == np.float32(np.mean(outputs.argmax(1) == test[1]))


def test_evaluate__sees_the_outputs_that_training_saw():
    images, labels = noise(12)
    trainer = kernel((images, labels), learning_rate=0.0)
    state = trainer.start(kaiming())
    trainer.train_epoch(state, np.arange(12))  # one step, which leaves its outputs in Y
    in_training = state.Y.copy()
    train_loss, _, accuracy = trainer.evaluate(state)
    assert state.Y.tobytes() == in_training.tobytes()
    outputs = in_training.reshape(12, N_LANES)[:, :10]
    errors = outputs - np.eye(10, dtype=np.float32)[labels]
    assert train_loss == np.float32(np.mean(errors.astype(np.float64) ** 2))
    assert accuracy == np.float32(np.mean(outputs.argmax(1) == labels))


def test_evaluate__does_not_depend_on_the_batch_size_and_changes_nothing():
    data = noise(31)
    scores = []
    for batch_size in (1, 4, 12):
        trainer = kernel(data, batch_size=batch_size)
        state = trainer.start(kaiming())
        scores.append(trainer.evaluate(state))
        assert trainer.evaluate(state) == scores[-1]
        assert trainer.weights(state).tobytes() == kaiming().tobytes()
    assert scores[0] == scores[1] == scores[2]


def test_evaluate__counts_the_first_of_equal_outputs():
    images, _ = noise(3)
    trainer = kernel((images, np.array([0, 1, 9])))
    _, _, accuracy = trainer.evaluate(trainer.start(np.zeros(1376, np.float32)))
    assert accuracy == np.float32(1 / 3)


@pytest.mark.slow
def test_naive_gradient__equals_central_differences():
    images, labels = noise(2)
    flat = kaiming().astype(np.float64)

    def loss(flat):
        return naive.evaluate(flat, images, labels)[0]

    gradient = naive.gradient(naive.Weights.of(flat), images, labels).flat()
    places = np.random.default_rng(0).permutation(1376)[:60]
    places = np.concatenate([places, [0, 143, 144, 1295, 1296, 1375]])
    step = 1e-6
    differences = []
    for place in places:
        around = np.tile(flat, (2, 1))
        around[:, place] += [step, -step]
        differences.append((loss(around[0]) - loss(around[1])) / (2 * step))
    np.testing.assert_allclose(gradient[places], differences, rtol=1e-6, atol=1e-9)


def test_cnn_forward__takes_many_models_under_vmap():
    images = torch.from_numpy(noise(4)[0])
    models = [torch_parameters(kaiming(seed)) for seed in range(3)]
    stacked = [torch.stack(tensors) for tensors in zip(*models, strict=True)]
    together = torch.func.vmap(cnn_forward, in_dims=(0, None))(stacked, images)
    one_by_one = torch.stack([cnn_forward(model, images) for model in models])
    torch.testing.assert_close(together, one_by_one)
