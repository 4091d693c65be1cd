"""Metadata of a zoo: everything except its arrays."""

from dataclasses import dataclass

from wsbench.networks.layout import Layout


@dataclass(frozen=True)
class DataOrigin:
    """The data that the models of a zoo were trained on, for the zoo's card.

    Attributes
    ----------
    name
        The data set, and its makers.
    url, license
        Its home page; the SPDX identifier of its license.
    preparation
        The steps from the original data to the networks' inputs.
    n_train, n_test
        Numbers of samples that train, and that give test loss and test accuracy.
    """

    name: str
    url: str
    license: str
    preparation: str
    n_train: int
    n_test: int


@dataclass(frozen=True)
class ZooMetadata:
    """A zoo's metadata, except what its arrays determine.

    Attributes
    ----------
    id, recipe, layout, license, created_by
        The root attributes of ``zoo.h5``, see `schema.ATTRIBUTES`.
    data
        The training data; None if unknown.
    publisher
        The publisher of this id; None for an unpublished zoo.
    """

    id: str
    recipe: str
    layout: Layout
    license: str
    created_by: str
    data: DataOrigin | None = None
    publisher: str | None = None

    def texts(self) -> dict[str, str]:
        """Return the root attributes of ``zoo.h5`` that do not follow from its arrays."""
        return {
            "id": self.id,
            "recipe": self.recipe,
            "layout": self.layout.to_json(),
            "created_by": self.created_by,
            "license": self.license,
        }
