"""What a zoo says about itself beside its arrays."""

from dataclasses import dataclass

from wsbench.networks.layout import Layout


@dataclass(frozen=True)
class DataOrigin:
    """The data that the models of a zoo were trained on, for the zoo's card.

    Attributes
    ----------
    name
        What it is and who made it.
    url, license
        Where it is found; its SPDX identifier.
    preparation
        What was done to it before training.
    n_train, n_test
        How many samples train, and how many give test loss and test accuracy.
    """

    name: str
    url: str
    license: str
    preparation: str
    n_train: int
    n_test: int


@dataclass(frozen=True)
class ZooMetadata:
    """What a zoo says about itself, but for what follows from its arrays.

    Attributes
    ----------
    id, recipe, layout, license, created_by
        The root attributes of ``zoo.h5``, see `schema.ATTRIBUTES`.
    data
        What the models were trained on; None if that is not known.
    publisher
        Who publishes a zoo under this id; None if nobody does.
    """

    id: str
    recipe: str
    layout: Layout
    license: str
    created_by: str
    data: DataOrigin | None = None
    publisher: str | None = None
