"""Reference for the kernels: the same training in PyTorch, many models at once.

Agreement is within a tolerance, not in bits: PyTorch's order of summation differs and depends on
the machine. The tests compare the weights after 20 steps (within 1e-6).
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.func import grad, vmap
from torch.nn import functional

from wsbench import Layout
from wsbench_zoos.recipe import Training

Tensors = Sequence[torch.Tensor]
Forward = Callable[[Tensors, torch.Tensor], torch.Tensor]


def mlp_forward(parameters: Tensors, images: torch.Tensor) -> torch.Tensor:
    """Return the outputs ``(n, 10)`` of one MLP for ``(n, 14, 14)`` images."""
    h = images.flatten(1)
    for weight in parameters[:-1]:
        h = torch.sigmoid(h @ weight.T)
    return h @ parameters[-1].T


def cnn_forward(parameters: Tensors, images: torch.Tensor) -> torch.Tensor:
    """Return the outputs ``(n, 10)`` of one CNN for ``(n, 14, 14)`` images."""
    conv1, conv2, linear = parameters
    x = functional.conv2d(images[:, None], conv1, stride=2, padding=1)  # (n, 16, 7, 7)
    x = functional.leaky_relu(functional.max_pool2d(x, 2), 0.01)  # (n, 16, 3, 3)
    x = functional.conv2d(x, conv2, stride=2, padding=1)  # (n, 8, 2, 2)
    x = functional.leaky_relu(functional.max_pool2d(x, 2), 0.01)  # (n, 8, 1, 1)
    return functional.linear(x.flatten(1), linear)


def train_steps(
    forward: Forward,
    layout: Layout,
    weights: npt.NDArray[np.float32],
    batches: Sequence[tuple[torch.Tensor, torch.Tensor]],
    training: Training,
) -> npt.NDArray[np.float32]:
    """Train models side by side, one SGD step on each batch, and return their weights.

    Parameters
    ----------
    forward
        Outputs of one model from its parameters and images.
    layout
        Which slice of a row of weights is which parameter.
    weights
        ``(n_models, n_parameters)`` at the start; velocities start at zero.
    batches
        For each step the images ``(n_models, batch, 14, 14)`` and labels ``(n_models, batch)``,
        every model's own.
    training
        λ.
    """

    def loss(parameters: Tensors, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return torch.mean((forward(parameters, images) - targets) ** 2)

    gradient = vmap(grad(loss))
    flat = torch.tensor(weights)
    parameters = [flat[:, t.start : t.stop].reshape(-1, *t.shape).clone() for t in layout.tensors]
    velocities = [torch.zeros_like(p) for p in parameters]
    for images, labels in batches:
        targets = functional.one_hot(labels, 10).to(images.dtype)
        gradients = gradient(parameters, images, targets)
        for p, v, g in zip(parameters, velocities, gradients, strict=True):
            v.mul_(training.momentum).add_(g + training.weight_decay * p)
            p.sub_(training.learning_rate * v)
    return torch.cat([p.flatten(1) for p in parameters], dim=1).numpy()
