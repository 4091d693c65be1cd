"""Measured properties of a method: its invariances, and whether it is transductive."""

import numpy as np

from wsbench.methods.invariance import distances_before_and_after, holds, unchanged
from wsbench.methods.session import Port, Session
from wsbench.networks.symmetries import ACTIONS
from wsbench.tasks.blinded_zoo import BlindedCheckpoints, BlindedZoo
from wsbench.typing import Floats
from wsbench.zoo.zoo import Zoo

_N_MEASURED = 20  # checkpoints on which invariances are measured
_N_MODELS_MEASURED = 4  # models on which is measured whether a method is transductive


def measured_properties(port: Port, blinded: BlindedZoo) -> tuple[tuple[str, ...], bool]:
    """Return the invariances of a fitted method, and whether it is transductive."""
    zoo, shown = blinded.zoo, blinded.under("none")
    session = Session(port, shown.layout, zoo.probe_inputs, blinded.seed)
    session.fit(shown.train, shown.train_labels)
    return _invariances(session, zoo, shown.test[:_N_MEASURED]), _is_transductive(session, shown)


def _is_transductive(session: Session, shown: BlindedCheckpoints) -> bool:
    """Return whether distances change where checkpoints between the two are left out."""
    truth = shown.truth
    some = np.concatenate(truth.rows_by_model()[:_N_MODELS_MEASURED])
    rows = np.flatnonzero(np.isin(shown.shown_order, some))
    few = np.flatnonzero(np.isin(shown.shown_order[rows], truth.sparse))
    whole = session.distances(shown.test[rows])
    part = session.distances(shown.test[rows[few]])
    return not unchanged(whole[np.ix_(few, few)], part)


def _invariances(session: Session, zoo: Zoo, weights: Floats) -> tuple[str, ...]:
    """Return the symmetries under which the distances of a fitted method stay."""
    held = []
    for symmetry in ACTIONS:
        try:
            before, after = distances_before_and_after(
                symmetry, session.distances, weights, zoo.layout, zoo.probe_inputs
            )
        except Exception:  # it has answered every task, and fails on another activation
            continue
        if holds(before, after):
            held.append(symmetry)
    return tuple(held)
