import os
import re

import pytest

import wsbench
from wsbench.zoo.digest import layout_sha256, probe_sha256
from wsbench.zoo.schema import N_PROBE_INPUTS
from wsbench_zoos.data.sources import SOURCES, load_data
from wsbench_zoos.provider import PROVIDER
from wsbench_zoos.recipe import parse_recipe

PUBLISHED = PROVIDER.zoos()
NEEDS_MNIST = [
    pytest.mark.needs_mnist,
    pytest.mark.skipif("WSBENCH_DATA" not in os.environ, reason="set WSBENCH_DATA"),
]


@pytest.mark.parametrize("zoo_id", PUBLISHED)
def test_registry__agrees_with_the_recipe(zoo_id):
    zoo, recipe = PUBLISHED[zoo_id], parse_recipe(PROVIDER.recipe_text(zoo_id))
    n_parameters = recipe.architecture.layout().n_parameters
    assert (zoo.id, recipe.id) == (zoo_id, zoo_id)
    assert zoo.title == recipe.title
    assert zoo.models == recipe.models
    assert zoo.checkpoints == recipe.models * (recipe.epochs + 1)
    assert zoo.parameters == n_parameters
    assert zoo.embedded == SOURCES[recipe.source].embedded
    assert zoo.data_url == SOURCES[recipe.source].url
    # shuffle and gzip leave trained weights between .7 and .95 of their size
    assert 0.7 < zoo.bytes / (4 * zoo.checkpoints * n_parameters) < 0.95
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", zoo.content_digest)
    assert zoo.layout_sha256 == layout_sha256(recipe.architecture.layout())
    assert PROVIDER.layout(recipe.text) == recipe.architecture.layout()


@pytest.mark.parametrize(
    "zoo_id",
    [
        pytest.param(zoo_id, marks=[] if zoo.embedded else NEEDS_MNIST)
        for zoo_id, zoo in PUBLISHED.items()
    ],
)
def test_registry__has_the_digest_of_the_probe_inputs(zoo_id):
    recipe = parse_recipe(PROVIDER.recipe_text(zoo_id))
    inputs = load_data(recipe.source).test_images[:N_PROBE_INPUTS]
    assert PUBLISHED[zoo_id].probe_sha256 == probe_sha256(inputs)


def test_registry__is_found_by_wsbench():
    assert wsbench.published_zoos().items() >= PUBLISHED.items()
    assert "digits-mlp-v1" in PUBLISHED


def test_recipe_id__is_that_of_a_right_recipe_only(small_recipe):
    assert PROVIDER.recipe_id(small_recipe, "x.toml") == "small-mlp-v1"
    with pytest.raises(wsbench.RecipeError, match=r"x\.toml"):
        PROVIDER.recipe_id("id = 'small-mlp-v1'", "x.toml")
