"""Accuracy of the networks after each perturbation."""

from collections.abc import Sequence

import numpy as np

from wsbench.errors import DataError, IntegrityError
from wsbench.evaluation.blinded_zoo import BlindedZoo
from wsbench.zoo.verification.claims import CannotCheckError, provider_of_recipe
from wsbench.zoo.zoo import Zoo


def accuracy_after(zoo: Zoo, perturbations: Sequence[str], seed: int = 0) -> dict[str, float]:
    """Compute the test models' mean test accuracy at the last epoch after each perturbation.

    Parameters
    ----------
    zoo
        Of a recipe that an installed package can train.
    perturbations
        Their names.
    seed
        As in `wsbench.evaluate`.

    Returns
    -------
    accuracy
        Perturbation to accuracy in [0, 1]. Empty if no installed package knows the recipe, or if
        the test data are not on this machine.
    """
    trial = BlindedZoo(zoo, "standard", seed)
    networks = [trial.at_last_epoch(trial.transformed(name, "test")) for name in perturbations]
    try:
        provider = provider_of_recipe(zoo.recipe_text)
        columns = provider.evaluate_networks(zoo.recipe_text, np.concatenate(networks))
    except (CannotCheckError, DataError, IntegrityError):
        return {}
    by_perturbation = np.split(columns["test_accuracy"].astype(np.float64), len(perturbations))
    return {
        name: float(np.mean(np.sort(values)))
        for name, values in zip(perturbations, by_perturbation, strict=True)
    }
