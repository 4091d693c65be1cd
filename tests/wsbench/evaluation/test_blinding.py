"""What a method sees of a zoo, and what it does not."""

import numpy as np
import pytest

import wsbench
from support.methods import FirstThree, Spy, loaded

CLEAN = wsbench.find_suite(None, ["identification", "ordering"], ["none"])


def evaluate(method, zoo, **options) -> wsbench.Evaluation:
    return wsbench.evaluate(method, zoo, **{"suite": CLEAN} | options)


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
    # Fitted for each task, and again for its invariances.
    (train, *others), (test, *_) = spy.fitted, spy.transformed
    assert len(others) == 2
    assert sorted(rows_of(zoo, train)) == zoo.rows("train", range(1, 7)).tolist()
    for again in others:
        np.testing.assert_array_equal(again.weights, train.weights)
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
