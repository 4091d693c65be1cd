"""What a transform does to the networks: their accuracy, which says what surviving it is worth."""

from collections.abc import Sequence

import numpy as np

from wsbench.errors import DataError, IntegrityError
from wsbench.evaluation.blinded_zoo import BlindedZoo
from wsbench.zoo.verification.claims import CannotCheckError, provider_of_recipe
from wsbench.zoo.zoo import Zoo


def accuracy_after(zoo: Zoo, transforms: Sequence[str], seed: int = 0) -> dict[str, float]:
    """Compute the mean test accuracy of the test models, at the last epoch, after each transform.

    Parameters
    ----------
    zoo
        Of a recipe that an installed package can train.
    transforms
        Their names.
    seed
        As in `wsbench.evaluate`.

    Returns
    -------
    accuracy
        Transform to accuracy in [0, 1]; empty if no installed package knows the recipe, or the data
        that the networks were tested on are not on this machine.
    """
    trial = BlindedZoo(zoo, "standard", seed)
    networks = [trial.at_last_epoch(trial.transformed(name, "test")) for name in transforms]
    try:
        provider = provider_of_recipe(zoo.recipe_text)
        columns = provider.evaluate_networks(zoo.recipe_text, np.concatenate(networks))
    except (CannotCheckError, DataError, IntegrityError):
        return {}
    by_transform = np.split(columns["test_accuracy"].astype(np.float64), len(transforms))
    return {
        name: float(np.mean(np.sort(values)))
        for name, values in zip(transforms, by_transform, strict=True)
    }
