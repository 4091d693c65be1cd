"""Methods that know the published zoo: on fresh models they score as honest ones do."""

import pytest

import wsbench

RECIPE_CHANGES = (
    ('id = "small-mlp-v1"', 'id = "known-mlp-v1"'),
    ("models = 5", "models = 30"),
    ("epochs = 3", "epochs = 6"),
)

METHODS = '''
from pathlib import Path

import numpy as np
import wsbench
from wsbench.networks.symmetries import permute_hidden
from wsbench.seeding import generator

HOME = Path(__file__).parent


class Honest:
    """Distances between the weights."""

    def pairwise(self, checkpoints):
        return wsbench.pairwise_euclidean(checkpoints.weights)


class Regenerator(Honest):
    """Draws the permutations of the published test rows again, and undoes them."""

    def pairwise(self, checkpoints):
        n, p = checkpoints.weights.shape
        numbers = np.tile(np.arange(p, dtype=np.float32), (n, 1))
        rng = generator(0, "transform", "permute", "test")
        sources = permute_hidden(numbers, checkpoints.layout, rng).astype(int)
        undone = np.empty_like(checkpoints.weights)
        np.put_along_axis(undone, sources, checkpoints.weights, axis=1)
        return wsbench.pairwise_euclidean(undone)


def key(row):
    """Return what a permutation of the hidden units leaves of a row."""
    return np.sort(row).tobytes()


class Lookup(Honest):
    """Finds the model of a row in the zoos on this machine."""

    def pairwise(self, checkpoints):
        known = {}
        for place in sorted(HOME.rglob("zoo.h5")):
            zoo = wsbench.load_zoo(place.parent)
            for row, model in zip(zoo.weights, zoo.model, strict=True):
                known[key(row)] = f"{zoo.id} {model}"
        distances = super().pairwise(checkpoints)
        models = np.array([known.get(key(row), "") for row in checkpoints.weights])
        same = (models[:, None] == models) & (models != "")
        return np.where(same, distances * 1e-6, distances)


class Memoriser(Honest):
    """Moves the rows that it was fitted on away: they are never the answer."""

    def fit(self, train, *, rng):
        self._seen = {key(row) for row in train.weights}

    def pairwise(self, checkpoints):
        distances = super().pairwise(checkpoints)
        seen = np.array([key(row) in self._seen for row in checkpoints.weights])
        distances = distances + 1e6 * (seen[:, None] | seen)
        np.fill_diagonal(distances, 0.0)
        return distances
'''


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with the published zoo in it."""
    return tmp_path_factory.mktemp("cheats")


@pytest.fixture(scope="module")
def zoo(home, small_recipe):
    for before, after in RECIPE_CHANGES:
        assert before in small_recipe
        small_recipe = small_recipe.replace(before, after)
    (home / "known.toml").write_text(small_recipe)
    folder = wsbench.build_zoo(home / "known.toml", out=home / "zoos" / "known-mlp-v1", workers=2)
    return wsbench.load_zoo(folder)


@pytest.fixture(scope="module")
def methods(home):
    (home / "methods.py").write_text(METHODS)
    return home / "methods.py"


def scores(method, methods, home, monkeypatch, zoo, text=None):
    """Return the primary scores by entry, on the published models or on fresh ones."""
    monkeypatch.setenv("WSBENCH_HOME", str(home))
    suite = wsbench.find_suite(None, ["identification", "retrieval"], ["none", "permute"])
    if text is not None:
        zoo = wsbench.fresh_zoo(zoo, suite.describe(), text, keep=False)
    result = wsbench.evaluate(f"{methods}:{method}", zoo, suite=suite)
    assert result.error is None
    return {
        entry: by_name[wsbench.primary_score(entry.partition("/")[0]).name].value
        for entry, by_name in result.scores.items()
    }


@pytest.fixture
def ask(methods, home, monkeypatch, zoo):
    return lambda method, text=None: scores(method, methods, home, monkeypatch, zoo, text)


@pytest.mark.parametrize("cheat", ["Regenerator", "Lookup"])
def test_cheat__gains_on_the_published_zoo_and_nothing_on_a_fresh_one(ask, cheat):
    honest = ask("Honest")
    assert honest["identification/permute"] < 0.3
    assert ask(cheat)["identification/permute"] > 0.9
    on_fresh = ask("Honest", "a text of tomorrow")
    found = ask(cheat, "a text of tomorrow")
    if cheat == "Lookup":
        assert found == on_fresh
    else:  # it scrambles the networks once more
        assert abs(found["identification/permute"] - on_fresh["identification/permute"]) < 0.1
        assert found["identification/none"] < on_fresh["identification/none"]


@pytest.mark.parametrize("text", [None, "a text of tomorrow"])
def test_memoriser__gains_nothing_on_published_or_fresh_models(ask, text):
    assert ask("Memoriser", text) == ask("Honest", text)


def test_fresh_zoo__that_is_not_kept_is_not_on_disk(zoo, home, monkeypatch):
    monkeypatch.setenv("WSBENCH_HOME", str(home))
    fresh = wsbench.fresh_zoo(zoo, "smoke 2", "a text", keep=False)
    assert len(fresh.zoo.weights)
    assert not list((home / "fresh").rglob("zoo.h5"))
