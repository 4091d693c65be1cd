"""Invariances of a method: measured, by applying each symmetry to the networks."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from wsbench.errors import FormatError
from wsbench.networks.forward import activations
from wsbench.networks.layout import Layout
from wsbench.networks.symmetries import ACTIONS, APPLIES_TO, obstacle
from wsbench.seeding import generator
from wsbench.typing import Distances, Floats

# Answers that differ by at most this share of the largest distance are equal up to rounding.
TOLERANCE = 1e-5


def distances_before_and_after(
    symmetry: str,
    distances_of: Callable[[Floats, Layout], Distances],
    weights: Floats,
    layout: Layout,
    inputs: Floats,
) -> tuple[Distances, Distances]:
    """Return the distances of checkpoints before and after a symmetry acts on each.

    Each checkpoint gets its own group element.

    Parameters
    ----------
    symmetry
        A key of `wsbench.networks.symmetries.ACTIONS`.
    distances_of
        Takes weights and layout.
    weights
        ``(n_checkpoints, n_parameters)``.
    layout
        Theirs. If networks with its activation do not have the symmetry, an activation that has it
        takes its place.
    inputs
        ``(n_inputs, …)``; on them, the networks' outputs are compared before and after.

    Raises
    ------
    FormatError
        If the layout's networks do not have the symmetry, or the forward pass does not support
        them.
    """
    if layout.activation not in APPLIES_TO[symmetry]:
        layout = replace(layout, activation=APPLIES_TO[symmetry][-1])
    if reason := obstacle(symmetry, layout):
        raise FormatError(f"{symmetry}: {reason}")
    changed = ACTIONS[symmetry](weights, layout, generator(0, "conformance", symmetry))
    function = activations(weights, layout, inputs, "output")
    still = activations(changed, layout, inputs, "output")
    change, largest = np.abs(function - still).max(), np.abs(function).max()
    if not change <= 1e-4 * largest:
        raise FormatError(
            f"{symmetry} changes the outputs of networks of this layout with activation"
            f" {layout.activation!r} by {change:.1g}, where the largest is {largest:.1g}"
        )
    return distances_of(weights, layout), distances_of(changed, layout)


def holds(before: Distances, after: Distances) -> bool:
    """Return whether distances are equal up to rounding, and not all zero."""
    return bool(np.abs(before).max() > 0) and unchanged(before, after)


def unchanged(before: Distances, after: Distances) -> bool:
    """Return whether distances are equal up to rounding."""
    scale = float(max(np.abs(before).max(), np.abs(after).max()))
    return bool(np.abs(before - after).max() <= TOLERANCE * scale)
