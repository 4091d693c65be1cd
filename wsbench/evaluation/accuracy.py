"""Accuracy of the networks after each perturbation."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from wsbench.errors import DataError, IntegrityError, RecipeError
from wsbench.networks.perturbations import layout_after
from wsbench.tasks.blinded_zoo import BlindedZoo
from wsbench.zoo.providers import provider_of_recipe
from wsbench.zoo.zoo import Zoo


def network_accuracy(zoo: Zoo, perturbations: Sequence[str], seed: int = 0) -> dict[str, float]:
    """Compute the test models' mean test accuracy at the last epoch after each perturbation.

    Parameters
    ----------
    zoo
        There are accuracies only if an installed package can train its recipe.
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
    return dict(accuracy_after(BlindedZoo(zoo, "standard", seed), tuple(perturbations)))


@lru_cache(maxsize=2)
def accuracy_after(blinded: BlindedZoo, perturbations: tuple[str, ...]) -> Mapping[str, float]:
    """Compute what `network_accuracy` does, of a zoo that is blinded already.

    It is kept for the next method: under suite standard it takes 30 s (mnist-cnn-v1).
    """
    zoo = blinded.zoo
    found = {}
    try:
        provider = provider_of_recipe(zoo.recipe_text)
        for name in perturbations:
            networks = blinded.at_last_epoch(blinded.test(name))
            layout = layout_after(name, zoo.layout)
            columns = provider.evaluate_networks(zoo.recipe_text, networks, layout)
            values = columns["test_accuracy"].astype(np.float64)
            found[name] = float(np.mean(np.sort(values)))
    except (RecipeError, DataError, IntegrityError):
        return {}
    return found
