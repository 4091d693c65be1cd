"""The architectures that recipes can name: their layout and the kernel that trains them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from wsbench import Convolution, Layout

if TYPE_CHECKING:
    from wsbench_zoos.data.sources import Data
    from wsbench_zoos.recipe import Training

Floats = npt.NDArray[np.float32]


class Kernel(Protocol):
    """What the build needs of a training kernel; ``state`` is the kernel's own affair."""

    def start(self, weights: Floats) -> Any:
        """Return the state of a model at these flat weights, at rest."""

    def train_epoch(self, state: Any, order: npt.NDArray[np.integer]) -> None:
        """Train on every sample once, in this order."""

    def weights(self, state: Any) -> Floats:
        """Return the flat weights."""

    def evaluate(self, state: Any) -> tuple[np.float32, np.float32, np.float32]:
        """Return training loss, test loss and test accuracy."""


@dataclass(frozen=True)
class MLP:
    """Two hidden sigmoid layers, no biases."""

    widths: tuple[int, int, int, int]

    kind: ClassVar[str] = "mlp"
    activation: ClassVar[str] = "sigmoid"
    batch_size: ClassVar[int] = 4  # the kernel's

    def layout(self) -> Layout:
        """Return the layout of the flat weights."""
        inputs, hidden1, hidden2, outputs = self.widths
        return Layout.of(
            [
                ("fc1.weight", (hidden1, inputs), ("hidden-1", "input")),
                ("fc2.weight", (hidden2, hidden1), ("hidden-2", "hidden-1")),
                ("fc3.weight", (outputs, hidden2), ("output", "hidden-2")),
            ],
            self.activation,
        )

    def kernel(self, data: Data, training: Training) -> Kernel:
        """Return the kernel that trains this architecture on this data."""
        from wsbench_zoos.training.kernels.mlp import MLPKernel

        return MLPKernel(
            self.widths,
            data.train_images,
            data.train_labels,
            data.test_images,
            data.test_labels,
            learning_rate=training.learning_rate,
            momentum=training.momentum,
            weight_decay=training.weight_decay,
        )


@dataclass(frozen=True)
class CNN:
    """Two 3×3 convolutions at stride 2, each with max-pool 2 and leaky ReLU, and a linear layer."""

    channels: tuple[int, int] = (16, 8)

    kind: ClassVar[str] = "cnn"
    activation: ClassVar[str] = "leaky-relu"
    batch_size: ClassVar[int] = 12

    def layout(self) -> Layout:
        """Return the layout of the flat weights."""
        first, second = self.channels
        taps = ("row", "column")
        return Layout.of(
            [
                ("conv1.weight", (first, 1, 3, 3), ("hidden-1", "input", *taps)),
                ("conv2.weight", (second, first, 3, 3), ("hidden-2", "hidden-1", *taps)),
                ("fc.weight", (10, second), ("output", "hidden-2")),
            ],
            self.activation,
            dict.fromkeys(("conv1.weight", "conv2.weight"), Convolution(2, padding=1, pool=2)),
        )

    def kernel(self, data: Data, training: Training) -> Kernel:
        """Return the kernel that trains this architecture on this data."""
        from wsbench_zoos.training.kernels.cnn import CNNKernel

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
