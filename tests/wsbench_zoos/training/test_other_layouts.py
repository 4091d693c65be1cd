"""Scores by the forward pass, against those of the kernels."""

from importlib.resources import files

import numpy as np
import pytest

from wsbench.networks.widening import widen_hidden, widened
from wsbench_zoos.provider import PROVIDER
from wsbench_zoos.recipe import parse_recipe
from wsbench_zoos.training.other_layouts import score_networks
from wsbench_zoos.training.randomness import initial_weights
from wsbench_zoos.training.training import score_checkpoints

RECIPES = ["digits-mlp-v1", "digits-cnn-v1"]


@pytest.fixture(params=RECIPES)
def networks(request):
    """A recipe's text, its layout, and the initial weights of four models."""
    text = (files("wsbench_zoos") / "recipes" / f"{request.param}.toml").read_text()
    recipe = parse_recipe(text)
    layout = recipe.architecture.layout()
    rows = [initial_weights(recipe.id, recipe.seed, model, layout) for model in range(4)]
    return text, layout, np.array(rows)


def assert_same_scores(found, expected):
    assert list(found) == ["test_loss", "test_accuracy"]
    for name, scores in found.items():
        assert scores.dtype == expected[name].dtype == np.float32
        np.testing.assert_allclose(scores, expected[name], rtol=1e-5)


def test_score_networks__gives_the_scores_of_the_kernels(networks):
    text, layout, weights = networks
    assert_same_scores(score_networks(text, weights, layout), score_checkpoints(text, weights))


def test_evaluate_networks__of_wider_networks_gives_the_scores_as_written(networks):
    text, layout, weights = networks
    wide = widen_hidden(weights, layout, np.random.default_rng(0))
    found = PROVIDER.evaluate_networks(text, wide, widened(layout))
    assert_same_scores(found, PROVIDER.evaluate_networks(text, weights))


def test_evaluate_networks__of_the_recipes_layout_is_by_the_kernels_to_the_bit(networks):
    text, layout, weights = networks
    found = PROVIDER.evaluate_networks(text, weights, layout)
    for name, scores in score_checkpoints(text, weights).items():
        np.testing.assert_array_equal(found[name], scores)
