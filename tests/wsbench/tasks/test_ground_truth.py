from dataclasses import replace

import numpy as np
import pytest

import wsbench
from wsbench.networks.checkpoints import Labels
from wsbench.tasks.blinded_zoo import BlindedZoo
from wsbench.tasks.ground_truth import GroundTruth, compact, published_truth
from wsbench.zoo.schema import TEST, TRAIN


def regular(n_models, n_epochs):
    model, epoch = np.divmod(np.arange(n_models * n_epochs), n_epochs)
    return GroundTruth(Labels(model, epoch + 1))


def test_rows_by_model__is_one_array_for_each_model():
    truth = GroundTruth(Labels(np.array([4, 4, 9, 9, 9]), np.array([1, 3, 1, 2, 3])))
    assert [rows.tolist() for rows in truth.rows_by_model()] == [[0, 1], [2, 3, 4]]


@pytest.mark.parametrize(
    ("n_models", "n_epochs", "n_each"), [(10, 50, 25), (50, 50, 5), (250, 50, 1), (2, 3, 3)]
)
def test_queries__are_as_many_of_each_model_and_at_most_250(n_models, n_epochs, n_each):
    truth = regular(n_models, n_epochs)
    queries = truth.queries
    assert len(queries) == n_models * n_each <= 250
    assert (np.diff(queries) > 0).all()
    assert np.bincount(truth.model[queries]).tolist() == n_models * [n_each]


def test_queries__are_spread_over_the_trajectory_and_hold_its_end():
    truth = regular(50, 50)
    assert truth.epoch[truth.queries][:5].tolist() == [1, 13, 25, 37, 50]
    assert set(regular(250, 50).epoch[regular(250, 50).queries]) == {50}


def test_sample__takes_all_where_there_are_fewer():
    truth = GroundTruth(Labels(np.array([0, 0, 1, 1, 1]), np.array([1, 2, 1, 2, 3])))
    assert truth.sample(3).tolist() == [0, 1, 2, 3, 4]
    assert truth.sample(2).tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize(("largest", "dtype"), [(255, np.uint8), (256, np.uint16)])
def test_compact__takes_the_smallest_type_that_holds_them(largest, dtype):
    rows = np.array([0, largest])
    assert compact(rows).dtype == dtype
    assert compact(rows).tolist() == rows.tolist()


@pytest.mark.parametrize("protocol", ["standard", "all"])
def test_published_truth__is_what_methods_are_asked_about(publisher, made_up_zoo, protocol):
    found = published_truth(wsbench.published_zoos()[made_up_zoo.id], protocol)
    truth = BlindedZoo(made_up_zoo, protocol, 0).truth
    for name in ("model", "epoch", "gallery"):
        np.testing.assert_array_equal(getattr(found, name), getattr(truth, name))


@pytest.mark.parametrize("protocol", ["standard", "all"])
def test_published_truth__of_fresh_models_is_what_methods_are_asked_about(
    publisher, made_up_zoo, protocol
):
    zoo = wsbench.published_zoos()[made_up_zoo.id]
    found = published_truth(zoo, protocol, is_fresh=True)
    split = wsbench.split_of_models(made_up_zoo.id, zoo.models)
    n_test = np.count_nonzero(split == TEST)
    models = np.isin(made_up_zoo.model, np.arange(n_test))
    others = made_up_zoo.with_rows(np.flatnonzero(models))
    fresh = replace(others, split=np.full_like(others.split, TEST))
    truth = BlindedZoo(fresh, protocol, 0, made_up_zoo).truth
    for name in ("model", "epoch", "gallery"):
        np.testing.assert_array_equal(getattr(found, name), getattr(truth, name))
    assert (set(found.gallery) == set(range(n_test))) == (protocol == "all")


@pytest.mark.parametrize("zoo_id", ["digits-mlp-v1", "mnist-cnn-v1"])
def test_published_truth__of_a_real_zoo_has_its_test_models(zoo_id):
    zoo = wsbench.published_zoos()[zoo_id]
    found = published_truth(zoo, "standard")
    assert len(np.unique(found.model)) == zoo.models // 5
    assert (found.epoch.min(), found.epoch.max()) == (1, 50)
    split = wsbench.split_of_models(zoo_id, zoo.models)
    assert set(found.gallery) == set(np.flatnonzero(split != TRAIN))
    each = max(1, 250 // (zoo.models // 5))
    assert len(found.gallery) == each * np.count_nonzero(split != TRAIN)
