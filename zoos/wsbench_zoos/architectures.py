"""Architectures: the networks that a recipe can name, and the layouts of their weights."""

from dataclasses import dataclass
from typing import ClassVar

from wsbench import Convolution, Layout


@dataclass(frozen=True)
class MLP:
    """Two hidden sigmoid layers, no biases.

    Attributes
    ----------
    widths
        Units of input, first and second hidden layer, and output.
    """

    widths: tuple[int, int, int, int]

    activation: ClassVar[str] = "sigmoid"
    batch_sizes: ClassVar[tuple[int, int]] = (4, 4)  # fixed in the kernel

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


@dataclass(frozen=True)
class CNN:
    """Two 3×3 convolutions at stride 2, each with max-pool 2 and leaky ReLU, and a linear layer.

    Attributes
    ----------
    channels
        Channels of the first and second convolution.
    """

    channels: tuple[int, int] = (16, 8)

    activation: ClassVar[str] = "leaky-relu"
    batch_sizes: ClassVar[tuple[int, int]] = (1, 12)  # smallest and largest

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
