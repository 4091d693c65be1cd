import dataclasses
import json
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import wsbench
from support.command_line import COMMAND
from support.methods import FirstThree, Spy, loaded
from wsbench.evaluation.evaluate import score
from wsbench.methods.loading import FunctionMethod
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


@pytest.fixture
def zoo(make_zoo) -> wsbench.Zoo:
    """30 models of 12 weights, epochs 0 to 6."""
    return wsbench.load_zoo(make_zoo(models=30, epochs=6))


# --- what the baselines get on real digits -------------------------------------------------------


def test_evaluate__euclidean_tells_all_models_of_digits_mlp_v1_apart(digits_zoo):
    scores = evaluate("euclidean", digits_zoo).scores["identification/none"]
    for name in ("map_at_r", "rank1", "ari", "bcubed_f1", "purity"):
        assert scores[name].value == 1.0
    assert scores["map_at_r"].interval == (1.0, 1.0)
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
    assert scores[0] != scores[1]  # the bootstrap


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


# --- what a method sees --------------------------------------------------------------------------


@pytest.fixture
def spied(zoo):
    def evaluated(seed=0, **info):
        spy = Spy()
        result = evaluate(loaded(spy, **info), zoo, seed=seed)
        assert result.error is None
        return spy, result

    return evaluated


def rows_of(zoo, checkpoints) -> np.ndarray:
    row = {weights.tobytes(): i for i, weights in enumerate(zoo.weights)}
    return np.array([row[weights.tobytes()] for weights in checkpoints.weights])


def test_evaluate__fits_on_train_and_asks_about_test_models(zoo, spied):
    spy, _ = spied()
    (train,), (test, *_) = spy.fitted, spy.transformed
    assert sorted(rows_of(zoo, train)) == zoo.rows("train", range(1, 7)).tolist()
    assert sorted(rows_of(zoo, test)) == zoo.rows("test", range(1, 7)).tolist()
    assert len(spy.ordered) == 6
    for checkpoints in spy.ordered:
        rows = rows_of(zoo, checkpoints)
        assert len(set(zoo.model[rows])) == 1
        assert sorted(zoo.epoch[rows]) == [1, 2, 3, 4, 5, 6]


def test_evaluate__row_order_tells_neither_model_nor_epoch(zoo, spied):
    """Over 40 seeds the correlation of place and label scatters around 0.

    Its standard deviation is 1/√(n − 1) for n shuffled rows; the mean over 40 seeds (and, for the
    ordering views, 6 models) is allowed four of its own.
    """
    found = {name: [] for name in ("train model", "train epoch", "test model", "test epoch", "one")}
    for seed in range(40):
        spy, _ = spied(seed)
        for name, checkpoints in (("train", spy.fitted[0]), ("test", spy.transformed[0])):
            rows = rows_of(zoo, checkpoints)
            places = np.arange(len(rows))
            found[f"{name} model"].append(np.corrcoef(places, zoo.model[rows])[0, 1])
            found[f"{name} epoch"].append(np.corrcoef(places, zoo.epoch[rows])[0, 1])
        for checkpoints in spy.ordered:
            epochs = zoo.epoch[rows_of(zoo, checkpoints)]
            found["one"].append(np.corrcoef(np.arange(6), epochs)[0, 1])
    n_rows = {"train model": 108, "train epoch": 108, "test model": 36, "test epoch": 36, "one": 6}
    for name, correlations in found.items():
        deviation = 1 / np.sqrt(n_rows[name] - 1)
        assert abs(np.mean(correlations)) < 4 * deviation / np.sqrt(len(correlations)), name
        assert np.std(correlations) == pytest.approx(deviation, rel=0.5), name


def test_evaluate__asks_for_the_order_of_models_in_no_order(zoo, spied):
    """Else the n-th call would tell which model it is."""
    asked = []
    for seed in range(5):
        spy, _ = spied(seed)
        asked.append([int(zoo.model[rows_of(zoo, one)[0]]) for one in spy.ordered])
    assert len({tuple(models) for models in asked}) > 1


@pytest.mark.parametrize("attribute", ["model", "epoch", "probe_inputs"])
def test_evaluate__shows_nothing_that_was_not_declared(spied, attribute):
    spy, _ = spied()
    for checkpoints in (*spy.fitted, *spy.transformed, *spy.ordered):
        with pytest.raises(wsbench.UndeclaredNeedError):
            getattr(checkpoints, attribute)


def test_evaluate__shows_labels_in_fit_only(zoo, spied):
    spy, _ = spied(needs={"labels"})
    rows = rows_of(zoo, spy.fitted[0])
    np.testing.assert_array_equal(spy.fitted[0].model, zoo.model[rows])
    np.testing.assert_array_equal(spy.fitted[0].epoch, zoo.epoch[rows])
    for checkpoints in (*spy.transformed, *spy.ordered):
        for attribute in ("model", "epoch"):
            with pytest.raises(wsbench.UndeclaredNeedError):
                getattr(checkpoints, attribute)


def test_evaluate__shows_probe_inputs_in_every_call(zoo, spied):
    spy, _ = spied(needs={"probe_inputs"})
    for checkpoints in (*spy.fitted, *spy.transformed, *spy.ordered):
        np.testing.assert_array_equal(checkpoints.probe_inputs, zoo.probe_inputs)


def test_evaluate__a_method_cannot_write_to_what_it_is_given(zoo):
    class Vandal(FirstThree):
        def fit(self, train, *, rng):
            train.weights[:] = 0

    result = evaluate(loaded(Vandal()), zoo)
    assert "read-only" in result.error
    assert zoo.weights.any()


def test_evaluate__gives_fit_an_rng_of_the_seed(zoo):
    class Drawn(FirstThree):
        def fit(self, train, *, rng):
            self.drawn = rng.random()

    drawn = []
    for seed in (0, 0, 1):
        method = Drawn()
        evaluate(loaded(method), zoo, seed=seed)
        drawn.append(method.drawn)
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    "spec", ["sklearn.decomposition:PCA", "sklearn.preprocessing:StandardScaler"]
)
def test_evaluate__takes_a_scikit_learn_transformer_as_it_is(zoo, spec):
    result = evaluate(spec, zoo)
    assert result.error is None
    if spec.endswith("PCA"):  # a rotation: distances are those of the weights
        expected = evaluate("euclidean", zoo).scores["identification/none"]["map_at_r"].value
        assert result.scores["identification/none"]["map_at_r"].value == pytest.approx(expected)


# --- what methods may answer ---------------------------------------------------------------------


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
    assert [right[name].value for name in right] == [1.0, 1.0, 6.0]
    assert right["kendall_tau"].interval == (1.0, 1.0)
    wrong = evaluate(loaded(Oracle(-1)), zoo).scores["ordering/none"]
    assert [wrong[name].value for name in wrong] == [-1.0, 0.0, 0.0]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, np.uint8])
def test_evaluate__takes_numbers_of_any_kind(zoo, dtype):
    class Signs:
        def transform(self, checkpoints):
            return (checkpoints.weights > 0).astype(dtype)

    assert evaluate(loaded(Signs()), zoo).scores == evaluate(loaded(SignsAsList()), zoo).scores


class SignsAsList:
    def transform(self, checkpoints):
        return (checkpoints.weights > 0).astype(int).tolist()


def with_entry(change):
    def transform(checkpoints):
        embedding = np.array(checkpoints.weights, np.float64)
        change(embedding)
        return embedding

    return transform


def nan(embedding):
    embedding[2, 0] = embedding[3, 1] = np.nan


def infinite(embedding):
    embedding[0, 0] = np.inf


def huge(embedding):
    embedding[0, 0] = -1e200


BAD_EMBEDDINGS = [
    (lambda c: c.weights[:-1], "transform returned shape (35, 12), expected (36, d) with d ≥ 1"),
    (lambda c: c.weights[:, 0], "transform returned shape (36,), expected (36, d) with d ≥ 1"),
    (lambda c: c.weights[:, :0], "transform returned shape (36, 0), expected (36, d) with d ≥ 1"),
    (lambda c: c.weights.T, "transform returned shape (12, 36), expected (36, d) with d ≥ 1"),
    (lambda c: 1.0, "transform returned shape (), expected (36, d) with d ≥ 1"),
    (lambda c: float("nan"), "transform returned shape (), expected (36, d) with d ≥ 1"),
    (lambda c: None, "transform returned NoneType of object, expected numbers"),
    (lambda c: c.weights.astype(str), "transform returned ndarray of <U32, expected numbers"),
    (lambda c: c.weights + 1j, "transform returned ndarray of complex64, expected numbers"),
    (lambda c: [[1.0], [1.0, 2.0]], "inhomogeneous shape"),
    (with_entry(nan), "transform returned NaN, infinity or a number beyond 1e100 in 2 of 36 rows"),
    (with_entry(infinite), "transform returned NaN, infinity or a number beyond 1e100 in 1 of 36"),
    (with_entry(huge), "transform returned NaN, infinity or a number beyond 1e100 in 1 of 36"),
    (lambda c: 1 / 0, "ZeroDivisionError: division by zero"),
    (lambda c: exit(0), "SystemExit: 0"),
    (lambda c: c.model, 'add needs={"labels"}'),
]  # fmt: skip


@pytest.mark.parametrize(("transform", "message"), BAD_EMBEDDINGS)
def test_evaluate__keeps_the_traceback_of_a_bad_embedding(zoo, transform, message):
    method = type("Bad", (), {"transform": lambda self, checkpoints: transform(checkpoints)})
    result = evaluate(loaded(method()), zoo)
    assert message in result.error
    assert result.error.startswith("Traceback (most recent call last)")
    assert (result.scores, result.answers) == ({}, {})


def distances(change):
    def pairwise(checkpoints):
        found = wsbench.pairwise_euclidean(checkpoints.weights)
        return change(found)

    return pairwise


def asymmetric(found):
    found[0, 1] *= 1.001
    return found


def with_nan(found):
    found[1, 0] = found[0, 1] = np.nan
    return found


BAD_DISTANCES = [
    (lambda d: d[:-1], "pairwise returned shape (35, 36), expected (36, 36)"),
    (lambda d: d[:, 0], "pairwise returned shape (36,), expected (36, 36)"),
    (with_nan, "pairwise returned NaN, infinity or a number beyond 1e100 in 2 of 36 rows"),
    (asymmetric, "pairwise is not symmetric: d(i, j) and d(j, i) differ by"),
    (lambda d: d.astype(object), "pairwise returned ndarray of object, expected numbers"),
]


@pytest.mark.parametrize(("change", "message"), BAD_DISTANCES)
def test_evaluate__keeps_the_traceback_of_bad_distances(zoo, change, message):
    method = type("Bad", (), {"pairwise": lambda self, c: distances(change)(c)})
    assert message in evaluate(loaded(method()), zoo).error


@pytest.mark.parametrize(
    "order",
    [[0, 1, 2, 3, 4, 4], [0, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [[0, 1, 2, 3, 4, 5]], None,
     [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0, 1, 2, 3, 4, -1]],
)  # fmt: skip
def test_evaluate__keeps_the_traceback_of_a_bad_order(zoo, order):
    method = type("Bad", (FirstThree,), {"order": lambda self, checkpoints: order})
    error = evaluate(loaded(method()), zoo).error
    assert "order must return a permutation of 0 … 5, got" in error


def test_evaluate__lets_the_user_interrupt(zoo):
    class Slow(FirstThree):
        def fit(self, train, *, rng):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(loaded(Slow()), zoo)


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


@pytest.mark.parametrize("split", ["train", "test"])
def test_evaluate__refuses_a_zoo_without_models_of_a_split(zoo, split):
    rest = zoo.with_rows(np.flatnonzero(zoo.split != wsbench.zoo.schema.SPLITS[split]))
    with pytest.raises(
        wsbench.ZooError, match=rf"'made-up-v1' has no two checkpoints of a {split}"
    ):
        evaluate(loaded(FirstThree()), rest)


@pytest.mark.parametrize("epochs", [[0], [1], [0, 1]])
def test_evaluate__refuses_a_zoo_with_nothing_to_find(zoo, epochs):
    with pytest.raises(wsbench.ZooError, match="after epoch 0"):
        evaluate("euclidean", zoo.with_rows(zoo.rows(epochs=epochs)))


def test_evaluate__takes_the_shortest_trajectories_of_the_fewest_models(make_zoo):
    zoo = wsbench.load_zoo(make_zoo(models=5, epochs=2))
    scores = evaluate(loaded(FirstThree()), zoo).scores
    assert scores["identification/none"]["map_at_r"].value == 1.0
    assert scores["identification/none"]["margin"].value is None  # infinite: there is one model


def test_score__is_a_function_of_the_answers(zoo):
    result = evaluate(loaded(FirstThree()), zoo, seed=5)
    assert score(result.answers, result.truths, 5) == (result.scores, result.robustness)


# --- interruptions -------------------------------------------------------------------------------

SUITE = wsbench.find_suite(None, (), ["none", "int8", "permute"])


class Counting(FirstThree):
    """Counts its calls, and raises KeyboardInterrupt in a certain one."""

    def __init__(self, stop_at=None):
        self.n_calls, self._stop_at = 0, stop_at

    def transform(self, checkpoints):
        self.n_calls += 1
        if self.n_calls == self._stop_at:
            raise KeyboardInterrupt
        return super().transform(checkpoints)


def test_evaluate__goes_on_where_it_was_interrupted(zoo, tmp_path):
    whole = Counting()
    expected = wsbench.evaluate(loaded(whole), zoo, suite=SUITE)
    assert [*tmp_path.glob("parts/*")] == []
    with pytest.raises(KeyboardInterrupt):  # in the second call of the third part
        wsbench.evaluate(loaded(Counting(6)), zoo, suite=SUITE, parts=tmp_path / "parts")
    (folder,) = tmp_path.glob("parts/*")
    assert sorted(path.name for path in folder.iterdir()) == ["int8.npz", "none.npz"]
    rest, states = Counting(), []
    found = wsbench.evaluate(
        loaded(rest), zoo, suite=SUITE, parts=tmp_path / "parts", progress=states.append
    )
    assert found.scores == expected.scores
    assert rest.n_calls == whole.n_calls - 4
    assert [(s.n_parts, s.n_resumed, s.n_done) for s in states] == [(3, 2, i) for i in range(4)]
    assert not (tmp_path / "parts").exists()


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: b""])
def test_evaluate__does_a_damaged_part_again(zoo, tmp_path, damage):
    expected = wsbench.evaluate(loaded(Counting()), zoo, suite=SUITE)
    with pytest.raises(KeyboardInterrupt):
        wsbench.evaluate(loaded(Counting(6)), zoo, suite=SUITE, parts=tmp_path / "parts")
    (part,) = tmp_path.glob("parts/*/int8.npz")
    part.write_bytes(damage(part.read_bytes()))
    found = wsbench.evaluate(loaded(Counting()), zoo, suite=SUITE, parts=tmp_path / "parts")
    assert found.scores == expected.scores


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"suite": wsbench.find_suite(None, ["ordering"], ["none"])}]
)
def test_evaluate__takes_over_no_part_of_another_evaluation(zoo, tmp_path, other):
    with pytest.raises(KeyboardInterrupt):
        wsbench.evaluate(loaded(Counting(6)), zoo, suite=SUITE, parts=tmp_path / "parts")
    states = []
    options = {"suite": SUITE, "parts": tmp_path / "parts", "progress": states.append} | other
    wsbench.evaluate(loaded(Counting()), zoo, **options)
    assert states[0].n_resumed == 0


def test_evaluate__keeps_no_part_of_a_method_that_failed(zoo, tmp_path):
    class Late(Counting):
        def transform(self, checkpoints):
            if self.n_calls == 4:
                raise RuntimeError("no luck")
            return super().transform(checkpoints)

    result = wsbench.evaluate(loaded(Late()), zoo, suite=SUITE, parts=tmp_path / "parts")
    assert "no luck" in result.error
    assert not (tmp_path / "parts").exists()


def test_evaluate__killed_and_run_again_gives_the_same_record(make_zoo, tmp_path):
    """kill -9, at a moment when some parts are done."""
    folder = make_zoo(models=30, epochs=6)
    (tmp_path / "slow.py").write_text(
        "import time\nclass Slow:\n    def transform(self, checkpoints):\n"
        "        time.sleep(0.05)\n        return checkpoints.weights[:, :3]\n"
    )
    command = [
        *COMMAND, "evaluate",
        f"{tmp_path}/slow.py:Slow", "--zoo", str(folder), "--suite", "standard", "--json",
    ]  # fmt: skip
    records = wsbench.home() / "records"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while len([*records.glob("unfinished/*/*.npz")]) < 3:
        time.sleep(0.01)
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert [*records.glob("*/*.json")] == []
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ", 3 done before" in done.stderr or ", 4 done before" in done.stderr
    killed = json.loads(done.stdout)["methods"][0]["record"]
    whole = subprocess.run(
        [*command, "--records", str(tmp_path / "whole")], capture_output=True, text=True, check=True
    )
    again = json.loads(whole.stdout)["methods"][0]["record"]
    assert Path(killed).name == Path(again).name
    assert not (records / "unfinished").exists()


def test_evaluate__of_the_full_suite_has_scores_of_both_protocols_and_three_seeds(zoo):
    suite = dataclasses.replace(wsbench.find_suite("full"), perturbations=("none", "permute"))
    suite = dataclasses.replace(suite, measures_cost=False)
    result = wsbench.evaluate(loaded(FirstThree()), zoo, suite=suite)
    assert len(result.scores) == 3 * 2 * 2 * 3
    again = wsbench.evaluate(loaded(FirstThree()), zoo, suite=SUITE)
    assert result.scores["ordering/permute"] == again.scores["ordering/permute"]
    other = wsbench.evaluate(loaded(FirstThree()), zoo, suite=SUITE, seed=2)
    value = result.scores["identification/permute/standard/2"]["map_at_r"].value
    assert value == other.scores["identification/permute"]["map_at_r"].value
    assert result.scores["identification/none/all"] != result.scores["identification/none"]
