"""Networks of PyTorch modules with random tensors, and the layout and flat weights of the same."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from wsbench import Convolution, Layout

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "identity": nn.Identity,
    "leaky-relu": lambda: nn.LeakyReLU(0.01),
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
}

# Per network: shape of an input, and its layers, each a list of modules before the activation.
ARCHITECTURES: dict[str, tuple[tuple[int, ...], Callable[[], list[list[nn.Module]]]]] = {
    "linear": (
        (12,),
        lambda: [
            [nn.Linear(12, 6, bias=False)],
            [nn.Linear(6, 5, bias=False)],
            [nn.Linear(5, 3, bias=False)],
        ],
    ),
    "linear, bias": ((12,), lambda: [[nn.Linear(12, 6)], [nn.Linear(6, 5)], [nn.Linear(5, 3)]]),
    "linear, bias, batch norm": (
        (12,),
        lambda: [
            [nn.Linear(12, 6, bias=False), nn.BatchNorm1d(6)],
            [nn.Linear(6, 5), nn.BatchNorm1d(5)],
            [nn.Linear(5, 3), nn.BatchNorm1d(3)],
        ],
    ),
    "convolution, bias": (
        (1, 9, 8),
        lambda: [
            [nn.Conv2d(1, 5, (3, 2), stride=2, padding=1)],
            [nn.Conv2d(5, 4, 2)],
            [nn.Flatten(), nn.Linear(4 * 4 * 4, 3)],
        ],
    ),
    "convolution, pooling": (
        (3, 11, 11),
        lambda: [
            [nn.Conv2d(3, 6, 3, padding=1, bias=False), nn.MaxPool2d(2)],
            [nn.Conv2d(6, 4, 3), nn.MaxPool2d(3)],
            [nn.Flatten(), nn.Linear(4, 3, bias=False)],
        ],
    ),
    "convolution, bias, batch norm, pooling": (
        (2, 11, 10),
        lambda: [
            [nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), nn.MaxPool2d(2)],
            [nn.Conv2d(6, 4, 3, bias=False), nn.BatchNorm2d(4)],
            [nn.Flatten(), nn.Linear(4 * 3 * 3, 3)],
        ],
    ),
}
_ROLES = {"weight": "scale", "bias": "shift", "running_mean": "mean", "running_var": "variance"}


@dataclass(frozen=True)
class TorchNetworks:
    """Checkpoints of one architecture, as modules and as flat weights."""

    layout: Layout
    weights: np.ndarray
    inputs: np.ndarray
    modules: list[list[nn.Module]]

    def answers(self) -> dict[str, np.ndarray]:
        """What PyTorch computes for each group, (n_checkpoints, n_units, n_samples)."""
        found: dict[str, list[np.ndarray]] = {}
        for modules in self.modules:
            x = torch.tensor(self.inputs)
            for i, module in enumerate(modules):
                x = module(x)
                group = f"hidden-{i + 1}" if i + 1 < len(modules) else "output"
                samples_last = x.movedim(0, -1).flatten(1) if x.ndim > 1 else x
                found.setdefault(group, []).append(samples_last.numpy())
        return {group: np.array(arrays) for group, arrays in found.items()}


def torch_networks(name: str, activation: str, n: int = 4, seed: int = 0) -> TorchNetworks:
    """Return n networks with random tensors, running statistics too."""
    rng = np.random.default_rng(seed)
    shape, build = ARCHITECTURES[name]
    networks, rows = [], []
    for _ in range(n):
        built = build()
        modules, tensors = [], []
        for layer in built:
            tensors += [_randomise(tensor, role, rng) for *_, tensor, role in _tensors(layer)]
            last = [] if layer is built[-1] else [ACTIVATIONS[activation]()]
            modules.append(nn.Sequential(*layer, *last).eval().requires_grad_(False))
        networks.append(modules)
        rows.append(np.concatenate([tensor.reshape(-1) for tensor in tensors]))
    inputs = rng.standard_normal((20, *shape)).astype(np.float32)
    return TorchNetworks(_layout(shape, build(), activation), np.array(rows), inputs, networks)


def _randomise(tensor: torch.Tensor, role: str, rng: np.random.Generator) -> np.ndarray:
    values = rng.standard_normal(tuple(tensor.shape)).astype(np.float32)
    if role == "variance":
        values = rng.random(tuple(tensor.shape), dtype=np.float32) * 3 + np.float32(0.05)
    tensor.data.copy_(torch.tensor(values))
    return values


def _tensors(layer: list[nn.Module]) -> list[tuple[nn.Module, str, torch.Tensor, str]]:
    """Name, tensor and role of each floating-point entry of the state_dict, in its order."""
    return [
        (module, name, tensor, _ROLES[name] if "Norm" in type(module).__name__ else name)
        for module in layer
        for name, tensor in module.state_dict(keep_vars=True).items()
        if name != "num_batches_tracked"
    ]


def _layout(shape: tuple[int, ...], built: list[list[nn.Module]], activation: str) -> Layout:
    tensors, convolutions, units = [], {}, "input"
    x = torch.zeros(2, *shape)
    for i, layer in enumerate(built):
        mine = f"hidden-{i + 1}" if layer is not built[-1] else "output"
        image = tuple(x.shape[1:])
        for module, name, tensor, role in _tensors(layer):
            full = f"{i}.{type(module).__name__}.{name}"
            size = tuple(tensor.shape)
            if role != "weight":
                tensors.append((full, size, (mine,), role))
            elif isinstance(module, nn.Conv2d) or len(image) == 1:
                tensors.append((full, size, (mine, units, "row", "column")[: len(size)]))
            else:
                tensors.append((full, (size[0], *image), (mine, units, "row", "column")))
            if isinstance(module, nn.Conv2d) and role == "weight":
                pools = [m.kernel_size for m in layer if isinstance(m, nn.MaxPool2d)]
                how = Convolution(module.stride[0], module.padding[0], *pools)
                convolutions[full] = how
        x, units = nn.Sequential(*layer)(x), mine
    return Layout.of(tensors, activation, convolutions)
