import numpy as np
import pytest
from sklearn.linear_model import Ridge

import wsbench
from wsbench.networks.checkpoints import Labels
from wsbench_baselines.statistics_epoch import StatisticsEpoch


@pytest.fixture
def fitted(digits_zoo):
    """The method fitted on the train models of a real zoo."""
    rows = digits_zoo.rows("train")
    labels = Labels(digits_zoo.model[rows], digits_zoo.epoch[rows])
    train = wsbench.Checkpoints(digits_zoo.weights[rows], digits_zoo.layout, labels=labels)
    method = StatisticsEpoch()
    method.fit(train, rng=np.random.default_rng(0))
    return method, train


def test_progress__is_that_of_ridge_regression(fitted, digits_zoo):
    method, train = fitted
    features = method.transform(train)
    expected = Ridge(alpha=100.0).fit(features, train.epoch.astype(float))
    test = digits_zoo.checkpoints("val")
    found = method.progress(test)
    predicted = expected.predict(method.transform(test)) - train.epoch.mean()
    np.testing.assert_allclose(found, predicted, atol=1e-7)


def test_progress__grows_with_the_epochs_of_unseen_models(fitted, digits_zoo):
    method, _ = fitted
    rows = digits_zoo.rows("test", epochs=[1, 5, 10, 25, 50])
    found = method.progress(wsbench.Checkpoints(digits_zoo.weights[rows], digits_zoo.layout))
    by_model = found.reshape(-1, 5)
    assert (np.diff(by_model, axis=1) > 0).mean() > 0.95


def test_order__is_that_of_the_progress(fitted, digits_zoo):
    method, _ = fitted
    test = digits_zoo.checkpoints("test")
    assert (np.diff(method.progress(test)[method.order(test)]) >= 0).all()


def test_distances__are_those_of_statistics(digits_zoo):
    few = wsbench.find_suite(None, ["identification"], ["none"])
    names = ("statistics", "statistics-epoch")
    one, other = (wsbench.evaluate(name, digits_zoo, suite=few) for name in names)
    assert one.scores == other.scores


@pytest.mark.parametrize("strength", [0, -1, float("nan")])
def test_strength__must_be_positive(strength):
    with pytest.raises(ValueError, match=r"^strength=.*: expected a positive number$"):
        StatisticsEpoch(strength)
