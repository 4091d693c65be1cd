"""A kernel's time per SGD step of one model beside PyTorch's, on the same machine, in one run.

    pytest tests/benchmarks/test_training.py --benchmark-only -n 0

The data are random, of MNIST's size and with as many zeros: a step's images come from anywhere in
47 MB, as they do when a zoo is built. The plain loop trains one model at a time, which is what the
field does; vmap trains 250 side by side and pays its overhead once for all of them.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch

from wsbench_zoos.architectures import CNN, MLP
from wsbench_zoos.data.sources import Data
from wsbench_zoos.recipe import Training
from wsbench_zoos.training.kernels.interface import create_kernel
from wsbench_zoos.training.randomness import data_order, initial_weights
from wsbench_zoos.training.torch_reference import cnn_forward, mlp_forward, train_steps

N_IMAGES, N_MODELS = 60_000, 250
ARCHITECTURES = {
    "MLP": (
        MLP((196, 10, 10, 10)),
        Training(learning_rate=0.03, momentum=0.9, weight_decay=3e-4, batch_size=4),
        mlp_forward,
    ),
    "CNN": (
        CNN(),
        Training(learning_rate=1e-3, momentum=0.9, weight_decay=1e-3, batch_size=12),
        cnn_forward,
    ),
}

pytestmark = pytest.mark.parametrize("name", ARCHITECTURES)


@cache
def data():
    rng = np.random.default_rng(0)
    images = rng.random((N_IMAGES, 14, 14), np.float32)
    images[rng.random(images.shape) < 0.74] = 0
    labels = rng.integers(10, size=N_IMAGES).astype(np.uint8)
    return Data(images, labels, images[:1000], labels[:1000])


def start(name, model):
    return initial_weights("bench", 0, model, ARCHITECTURES[name][0].layout())


@pytest.mark.parametrize("threads", [1, 2])
def test_kernel(benchmark, record_step, name, threads):
    architecture, training, _ = ARCHITECTURES[name]
    kernel = create_kernel(architecture, training, data())
    states = [kernel.start(start(name, model)) for model in range(threads)]
    orders = [data_order("bench", 0, model, 1, N_IMAGES) for model in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        benchmark.pedantic(
            lambda: list(pool.map(kernel.train_epoch, states, orders)), rounds=7, warmup_rounds=1
        )
    n_steps = threads * N_IMAGES / training.batch_size
    record_step(name, f"kernel, {_count(threads)}", benchmark.stats.stats.min / n_steps * 1e6)


def test_torch_loop(benchmark, record_step, name):
    architecture, training, forward = ARCHITECTURES[name]
    torch.set_num_threads(1)
    flat = torch.tensor(start(name, 0))
    parameters = [
        torch.nn.Parameter(flat[t.start : t.stop].reshape(t.shape).clone())
        for t in architecture.layout().tensors
    ]
    optimizer = torch.optim.SGD(
        parameters, training.learning_rate, training.momentum, weight_decay=training.weight_decay
    )
    images = torch.tensor(data().train_images)
    targets = torch.nn.functional.one_hot(torch.tensor(data().train_labels).long(), 10).float()
    n_steps = 300
    order = torch.tensor(data_order("bench", 0, 0, 1, N_IMAGES))
    batches = order[: n_steps * training.batch_size].reshape(n_steps, -1)

    def loop():
        for batch in batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(forward(parameters, images[batch]), targets[batch])
            loss.backward()
            optimizer.step()

    benchmark.pedantic(loop, rounds=5, warmup_rounds=1)
    us = benchmark.stats.stats.min / n_steps * 1e6
    record_step(name, "PyTorch, one model at a time, 1 thread", us)


@pytest.mark.parametrize("threads", [1, 2])
def test_torch_vmap(benchmark, record_step, name, threads):
    architecture, training, forward = ARCHITECTURES[name]
    torch.set_num_threads(threads)
    weights = np.array([start(name, model) for model in range(N_MODELS)])
    n_steps = 12
    images, labels = torch.tensor(data().train_images), torch.tensor(data().train_labels).long()
    orders = [data_order("bench", 0, model, 1, N_IMAGES) for model in range(N_MODELS)]
    bounds = pairwise(range(0, (n_steps + 1) * training.batch_size, training.batch_size))
    chosen = [torch.tensor(np.stack([order[a:b] for order in orders])) for a, b in bounds]
    batches = [(images[batch], labels[batch]) for batch in chosen]
    benchmark.pedantic(
        lambda: train_steps(forward, architecture.layout(), weights, batches, training),
        rounds=5,
        warmup_rounds=1,
    )
    us = benchmark.stats.stats.min / (n_steps * N_MODELS) * 1e6
    record_step(name, f"PyTorch vmap over {N_MODELS} models, {_count(threads)}", us)


def _count(threads):
    return f"{threads} thread{'s' if threads > 1 else ''}"
