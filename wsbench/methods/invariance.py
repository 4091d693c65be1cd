"""Whether a method sees a symmetry of the networks: measured, by applying the group action."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from wsbench.errors import FormatError
from wsbench.networks.forward import activations
from wsbench.networks.layout import Layout
from wsbench.networks.symmetries import ACTIONS, APPLIES_TO
from wsbench.seeding import generator

Distances = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

# Where two answers should be equal they may differ by rounding, by this part of the largest.
TOLERANCE = 1e-5


def distances_before_and_after(
    symmetry: str,
    distances_of: Callable[[Floats, Layout], Distances],
    weights: Floats,
    layout: Layout,
    inputs: Floats,
) -> tuple[Distances, Distances]:
    """Return the distances of checkpoints, and those after each was changed by a symmetry.

    Every checkpoint is changed by an element of the group of its own.

    Parameters
    ----------
    symmetry
        A key of `wsbench.networks.symmetries.ACTIONS`.
    distances_of
        Takes weights and layout.
    weights
        ``(n_checkpoints, n_parameters)``.
    layout
        Theirs. If the symmetry is none of networks with its activation, another takes its place.
    inputs
        ``(n_inputs, …)``, to see that the action does not change what the networks compute.
    """
    if layout.activation not in APPLIES_TO[symmetry]:
        layout = replace(layout, activation=APPLIES_TO[symmetry][-1])
    changed = ACTIONS[symmetry](weights, layout, generator(0, "conformance", symmetry))
    function = activations(weights, layout, inputs, "output")
    still = activations(changed, layout, inputs, "output")
    if np.abs(function - still).max() > 1e-4 * np.abs(function).max():
        raise FormatError(
            f"{symmetry} changes what networks of this layout with activation"
            f" {layout.activation!r} compute: do the axes name the hidden units right?"
        )
    return distances_of(weights, layout), distances_of(changed, layout)


def holds(before: Distances, after: Distances) -> bool:
    """Return whether distances are the same but for rounding, and are not all zero."""
    scale = float(max(np.abs(before).max(), np.abs(after).max()))
    return scale > 0 and bool(np.abs(before - after).max() <= TOLERANCE * scale)
