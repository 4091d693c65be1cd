"""Samples: the checkpoints on which a method is checked, made up or from a zoo."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from wsbench.errors import ZooError
from wsbench.networks.checkpoints import Labels
from wsbench.networks.layout import Layout
from wsbench.seeding import generator
from wsbench.typing import Floats

if TYPE_CHECKING:
    from wsbench.zoo.zoo import Zoo

# More checkpoints than parameters, so that a method may have as many components as either.
_N_MODELS, _N_EPOCHS = 10, 12

_N_FITTED, _N_ASKED, _N_ZOO_EPOCHS = 15, 4, 8  # of a zoo: its train models, test models, epochs


@dataclass(frozen=True, eq=False)
class Sample:
    """Checkpoints of a few models, in a random order.

    Attributes
    ----------
    layout, inputs
        Of the networks, and inputs for their activations.
    train, labels
        The checkpoints that a method is fitted on.
    asked
        Those that it is asked about.
    """

    layout: Layout
    inputs: Floats
    train: Floats
    labels: Labels
    asked: Floats


def tiny_layout(activation: str) -> Layout:
    """Return the layout of the MLP 12-6-5-3 of the made-up sample."""
    return Layout.of(
        [
            ("fc1.weight", (6, 12), ("hidden-1", "input")),
            ("fc2.weight", (5, 6), ("hidden-2", "hidden-1")),
            ("fc3.weight", (3, 5), ("output", "hidden-2")),
        ],
        activation,
    )


def made_up_sample() -> Sample:
    """Return ten random walks of twelve epochs, to fit a method on and to ask it about."""
    layout = tiny_layout("sigmoid")
    rng = generator(0, "conformance")
    n, p = _N_MODELS * _N_EPOCHS, layout.n_parameters
    start = rng.standard_normal((_N_MODELS, 1, p))
    steps = rng.standard_normal((_N_MODELS, _N_EPOCHS, p)) * 0.3
    trajectories = start + np.cumsum(steps / np.arange(1, _N_EPOCHS + 1)[:, None], axis=1)
    shuffle = rng.permutation(n)
    weights = trajectories.reshape(n, p)[shuffle].astype(np.float32)
    inputs = rng.random((40, 12), dtype=np.float32)
    labels = Labels(
        np.repeat(np.arange(_N_MODELS, dtype=np.int32), _N_EPOCHS)[shuffle],
        np.tile(np.arange(1, _N_EPOCHS + 1, dtype=np.int16), _N_MODELS)[shuffle],
    )
    return Sample(layout, inputs, weights, labels, weights)


def zoo_sample(zoo: "Zoo") -> Sample:
    """Return checkpoints of up to 15 train and 4 test models, 8 epochs of each.

    Raises
    ------
    ZooError
        If the zoo has no train or no test models, or no epoch after initialisation.
    """
    train, asked = _some(zoo, "train", _N_FITTED), _some(zoo, "test", _N_ASKED)
    labels = Labels(zoo.model[train], zoo.epoch[train])
    return Sample(zoo.layout, zoo.probe_inputs, zoo.weights[train], labels, zoo.weights[asked])


def _some(zoo: "Zoo", split: str, n_models: int) -> npt.NDArray[np.intp]:
    """Return rows of the first models of a split, at epochs from 1 to the last, shuffled."""
    rows = zoo.rows(split)
    rows = rows[zoo.epoch[rows] > 0]
    if not len(rows):
        raise ZooError(f"zoo {zoo.id!r}: no checkpoint of a {split} model after initialisation")
    epochs = np.unique(zoo.epoch[rows])
    places = np.linspace(0, len(epochs) - 1, min(len(epochs), _N_ZOO_EPOCHS)).round().astype(int)
    models = np.unique(zoo.model[rows])[:n_models]
    kept = np.isin(zoo.model[rows], models) & np.isin(zoo.epoch[rows], epochs[places])
    shuffled: npt.NDArray[np.intp] = generator(0, "conformance", split).permutation(rows[kept])
    return shuffled
