import dataclasses

import numpy as np
import pytest

import wsbench
from support.methods import FirstThree, Spy, loaded
from wsbench.methods.loading import FunctionMethod
from wsbench.tasks.scoring import score_answers
from wsbench_baselines.svd import SVD

CLEAN = wsbench.find_suite(None, ["identification", "ordering"], ["none"])


def evaluate(method, zoo, **options) -> wsbench.Evaluation:
    return wsbench.evaluate(method, zoo, **{"suite": CLEAN} | options)


class Fitted:
    """A least-squares projection, through LAPACK: what may differ in last digits."""

    def fit(self, train, *, rng):
        self._v = np.linalg.svd(train.weights, full_matrices=False)[2][:4].T

    def transform(self, checkpoints):
        return checkpoints.weights @ self._v


class CityBlock:
    def pairwise(self, checkpoints):
        w = checkpoints.weights[:, :3]
        return np.abs(w[:, None] - w).sum(axis=2)


class BySize(FirstThree):
    def order(self, checkpoints):
        return np.argsort((checkpoints.weights**2).sum(axis=1))


METHODS = [FirstThree, Fitted, CityBlock, BySize, SVD]


# --- what the baselines get on real digits -------------------------------------------------------


def test_evaluate__euclidean_tells_all_models_of_digits_mlp_v1_apart(digits_zoo):
    scores = evaluate("euclidean", digits_zoo).scores["identification/none"]
    for name in ("map_at_r", "rank1", "ari", "bcubed_f1", "purity"):
        assert scores[name].value == 1.0
    assert scores["map_at_r"].interval == (pytest.approx(0.025 ** (1 / 10)), 1.0)
    assert scores["margin"].value > 1


def test_evaluate__random_is_at_chance_on_digits_mlp_v1(digits_zoo):
    """10 models of 50 checkpoints: R = 49 of 499 others.

    Expected is MAP@R = Σ p/i·(1 + (i − 1)·(R − 1)/498) / R over i = 1 … R, with p = 49/499, which
    is .0176; random embeddings scattered around it with a standard deviation of .0011 (60 drawn),
    rank-1 by .017, τ by .031. Four of these are allowed.
    """
    scores = evaluate("random", digits_zoo).scores
    r, p = 49, 49 / 499
    chance = sum(p / i * (1 + (i - 1) * (r - 1) / 498) for i in range(1, r + 1)) / r
    assert chance == pytest.approx(0.0176, abs=5e-5)
    assert scores["identification/none"]["map_at_r"].value == pytest.approx(chance, abs=0.0044)
    assert scores["identification/none"]["rank1"].value == pytest.approx(p, abs=0.068)
    assert scores["identification/none"]["ari"].value == pytest.approx(0, abs=0.01)
    assert scores["ordering/none"]["kendall_tau"].value == pytest.approx(0, abs=0.124)
    assert scores["ordering/none"]["ordered_pairs"].value == pytest.approx(1 / 50, abs=0.03)


@pytest.mark.parametrize("name", ["euclidean", "random"])
def test_evaluate__shuffled_and_renumbered_digits_mlp_v1_has_the_same_scores(digits_zoo, name):
    expected = evaluate(name, digits_zoo).scores
    rng = np.random.default_rng(1)
    renumbered = dataclasses.replace(
        digits_zoo, model=rng.permutation(50).astype(np.int32)[digits_zoo.model]
    )
    assert evaluate(name, renumbered.with_rows(rng.permutation(2550))).scores == expected


# --- what must not matter ------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(5))
def test_evaluate__rows_and_numbers_of_a_zoo_change_no_digit_of_any_score(zoo, method, seed):
    """Of methods through LAPACK too: they get the same bits in the same order."""
    expected = evaluate(loaded(method()), zoo).scores
    assert -1 < expected["ordering/none"]["kendall_tau"].value < 1
    rng = np.random.default_rng(seed)
    numbers = np.sort(rng.choice(1000, 30, replace=False))[rng.permutation(30)].astype(np.int32)
    renumbered = dataclasses.replace(zoo, model=numbers[zoo.model])
    for other in (zoo, renumbered):
        shuffled = other.with_rows(rng.permutation(len(zoo.weights)))
        assert evaluate(loaded(method()), shuffled).scores == expected
    assert evaluate(loaded(method()), renumbered).scores == expected


@pytest.mark.parametrize("method", METHODS)
def test_evaluate__same_seed_same_scores_and_answers(zoo, method):
    first, second = (evaluate(loaded(method()), zoo, seed=3) for _ in range(2))
    assert first.scores == second.scores
    for task, arrays in first.answers.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(second.answers[task][name], array, strict=True)


@pytest.mark.parametrize("method", METHODS)
def test_evaluate__another_seed_breaks_ties_otherwise_and_changes_little(zoo, method):
    scores = [evaluate(loaded(method()), zoo, seed=seed).scores for seed in (0, 1)]
    for name in ("map_at_r", "rank1", "ari", "purity", "margin"):
        a, b = (one["identification/none"][name].value for one in scores)
        assert a == pytest.approx(b, rel=1e-6)  # no ties here; LAPACK saw another order


def test_evaluate__initialisation_is_left_out(zoo):
    changed = zoo.weights.copy()
    changed[zoo.epoch == 0] = 77
    expected = evaluate(loaded(FirstThree()), zoo)
    found = evaluate(loaded(FirstThree()), dataclasses.replace(zoo, weights=changed))
    assert found.scores == expected.scores
    assert found.truths["standard"].epoch.min() == 1
    without = zoo.with_rows(zoo.rows(epochs=range(1, 7)))
    assert evaluate(loaded(FirstThree()), without).scores == expected.scores


def test_evaluate__takes_names_paths_and_seeds_of_any_size(make_zoo):
    folder = make_zoo()
    for seed in (-1, 2**63):
        found = evaluate("euclidean", str(folder), seed=seed)
        assert (found.error, found.seed, found.zoo_id) == (None, seed, "made-up-v1")
    assert found.zoo_digest == wsbench.load_zoo(folder).content_digest


# --- what methods may answer ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec", ["sklearn.decomposition:PCA", "sklearn.preprocessing:StandardScaler"]
)
def test_evaluate__takes_a_scikit_learn_transformer_as_it_is(zoo, spec):
    result = evaluate(spec, zoo)
    assert result.error is None
    if spec.endswith("PCA"):  # a rotation: distances are those of the weights
        expected = evaluate("euclidean", zoo).scores["identification/none"]["map_at_r"].value
        assert result.scores["identification/none"]["map_at_r"].value == pytest.approx(expected)


def test_evaluate__a_distance_method_equals_the_embedding_with_these_distances(zoo):
    class Euclid:
        def pairwise(self, checkpoints):
            return wsbench.pairwise_euclidean(checkpoints.weights[:, :3])

    assert evaluate(loaded(Euclid()), zoo).scores == evaluate(loaded(FirstThree()), zoo).scores


def test_evaluate__distances_come_before_an_embedding(zoo):
    class Both(CityBlock):
        def transform(self, checkpoints):
            raise AssertionError("not asked")

    assert evaluate(loaded(Both()), zoo).scores == evaluate(loaded(CityBlock()), zoo).scores


def test_evaluate__an_order_method_that_knows_gets_everything_right(zoo):
    epoch = {weights.tobytes(): e for weights, e in zip(zoo.weights, zoo.epoch, strict=True)}

    class Oracle(FirstThree):
        def __init__(self, direction):
            self._direction = direction

        def order(self, checkpoints):
            keys = [self._direction * epoch[row.tobytes()] for row in checkpoints.weights]
            return np.argsort(keys)

    right = evaluate(loaded(Oracle(1)), zoo).scores["ordering/none"]
    assert {name: score.value for name, score in right.items()} == {
        "abs_tau": 1.0, "direction": 1.0, "kendall_tau": 1.0, "ordered_pairs": 1.0,
        "ordered_initial": 6.0,
    }  # fmt: skip
    assert right["abs_tau"].interval == (pytest.approx(0.025 ** (1 / 6)), 1.0)
    wrong = evaluate(loaded(Oracle(-1)), zoo).scores["ordering/none"]
    assert {name: score.value for name, score in wrong.items()} == {
        "abs_tau": 1.0, "direction": 0.0, "kendall_tau": -1.0, "ordered_pairs": 0.0,
        "ordered_initial": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8])
def test_evaluate__takes_numbers_of_any_kind(zoo, dtype):
    class Signs:
        def transform(self, checkpoints):
            return (checkpoints.weights > 0).astype(dtype)

    assert evaluate(loaded(Signs()), zoo).scores == evaluate(loaded(SignsAsList()), zoo).scores


class SignsAsList:
    def transform(self, checkpoints):
        return (checkpoints.weights > 0).astype(int).tolist()


# --- what an evaluation holds --------------------------------------------------------------------


def test_evaluate__measures_what_the_method_does_not_see(zoo):
    def norms(weights):
        return np.sort(np.abs(weights.astype(float)), axis=1)

    result = evaluate(loaded(FunctionMethod(norms, {})), zoo)
    assert result.invariances == ("hidden-permutation", "sign-flip")
    assert wsbench.evaluate("euclidean", zoo).invariances == ()


def test_evaluate__a_method_that_fails_under_another_activation_keeps_its_scores(zoo):
    class Picky:
        def transform(self, checkpoints):
            if checkpoints.layout.activation != zoo.layout.activation:
                raise ValueError("not these")
            return np.sort(checkpoints.weights.astype(float), axis=1)

    result = evaluate(loaded(Picky()), zoo)
    assert result.error is None
    assert result.scores
    assert result.invariances == ("hidden-permutation",)


def test_evaluate__measures_each_part(zoo):
    seconds = evaluate(loaded(Spy()), zoo).seconds
    assert set(seconds) == {"fit", "embed", "order"}
    assert all(value > 0 for value in seconds.values())


def test_evaluate__takes_the_shortest_trajectories_of_the_fewest_models(make_zoo):
    zoo = wsbench.load_zoo(make_zoo(models=5, epochs=2))
    scores = evaluate(loaded(FirstThree()), zoo).scores
    assert scores["identification/none"]["map_at_r"].value == 1.0
    assert scores["identification/none"]["margin"].value is None  # infinite: there is one model


def test_score__is_a_function_of_the_answers(zoo):
    result = evaluate(loaded(FirstThree()), zoo, seed=5)
    scored = score_answers(result.answers, result.truths, result.suite.tracks)
    assert vars(scored) == {
        name: getattr(result, name) for name in ("scores", "robustness", "tracks")
    }


def test_evaluate__of_the_full_suite_has_scores_of_both_protocols_and_three_seeds(zoo):
    standard = wsbench.find_suite(None, (), ["none", "permute"])
    suite = dataclasses.replace(wsbench.find_suite("full"), perturbations=("none", "permute"))
    suite = dataclasses.replace(suite, measures_cost=False)
    result = wsbench.evaluate(loaded(FirstThree()), zoo, suite=suite)
    assert len(result.scores) == (5 * 2 - 1) * 2 * 3  # retrieval is not asked under none
    again = wsbench.evaluate(loaded(FirstThree()), zoo, suite=standard)
    assert result.scores["ordering/permute"] == again.scores["ordering/permute"]
    other = wsbench.evaluate(loaded(FirstThree()), zoo, suite=standard, seed=2)
    value = result.scores["identification/permute/standard/2"]["map_at_r"].value
    assert value == other.scores["identification/permute"]["map_at_r"].value
    assert result.scores["identification/none/all"] != result.scores["identification/none"]
