"""Interface of the kernels, and the kernel of each architecture."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from wsbench_zoos.architectures import MLP
from wsbench_zoos.data.sources import Data
from wsbench_zoos.recipe import Architecture, Training
from wsbench_zoos.training.kernels.cnn import CNNKernel
from wsbench_zoos.training.kernels.mlp import MLPKernel

Floats = npt.NDArray[np.float32]


class Kernel(Protocol):
    """Training and evaluation of one model at a time; each kernel has its own type of state."""

    def start(self, weights: Floats) -> Any:
        """Return the state of a model at these flat weights, with zero velocity."""

    def train_epoch(self, state: Any, order: npt.NDArray[np.integer]) -> None:
        """Train on every sample once, in this order."""

    def weights(self, state: Any) -> Floats:
        """Return the flat weights."""

    def evaluate(self, state: Any) -> tuple[np.float32, np.float32, np.float32]:
        """Return training loss, test loss and test accuracy."""


def create_kernel(architecture: Architecture, training: Training, data: Data) -> Kernel:
    """Return the kernel that trains this architecture on this data."""
    if isinstance(architecture, MLP):
        return MLPKernel(
            architecture.widths,
            data.train_images,
            data.train_labels,
            data.test_images,
            data.test_labels,
            learning_rate=training.learning_rate,
            momentum=training.momentum,
            weight_decay=training.weight_decay,
        )
    return CNNKernel(
        data.train_images,
        data.train_labels,
        data.test_images,
        data.test_labels,
        learning_rate=training.learning_rate,
        momentum=training.momentum,
        weight_decay=training.weight_decay,
        batch_size=training.batch_size,
    )
