"""Identity of a zoo: the digest, layout and probe inputs that its id or recipe determines.

The content digest covers columns and recipe. Other names of the axes, or constant probe inputs,
would change scores under the same digest: with them, `euclidean` undid a permutation and scored 1.
"""

from wsbench.networks.layout import Layout
from wsbench.typing import Floats
from wsbench.zoo.digest import layout_sha256, probe_sha256
from wsbench.zoo.providers import PublishedZoo, provider_of_recipe, published_zoos


def published_under(digest: str) -> PublishedZoo | None:
    """Return the published zoo of a content digest, or None."""
    return next((zoo for zoo in published_zoos().values() if zoo.content_digest == digest), None)


def network_faults(
    recipe_text: str, digest: str, layout: Layout, probe_inputs: Floats
) -> list[str]:
    """Compare layout and probe inputs with those published, or the layout with the recipe's.

    Parameters
    ----------
    recipe_text, digest, layout, probe_inputs
        Of the zoo.

    Raises
    ------
    RecipeError
        If there is nothing to compare with: no installed package knows the recipe.
    """
    published = published_under(digest)
    faults = []
    if published and published.layout_sha256:
        if layout_sha256(layout) != published.layout_sha256:
            faults.append(f"the layout differs from the one published with {published.id}")
    elif provider_of_recipe(recipe_text).layout(recipe_text) != layout:
        faults.append("the layout differs from the one that the recipe determines")
    if (
        published
        and published.probe_sha256
        and (probe_sha256(probe_inputs) != published.probe_sha256)
    ):
        faults.append(f"the probe inputs differ from those published with {published.id}")
    return faults
