"""Retrieval and perturbations as a method meets them; the rest is held by test_evaluate."""

import numpy as np
import pytest

import wsbench
from support.methods import Spy, loaded
from wsbench.methods.session import InProcess, Session
from wsbench.networks.symmetries import permute_hidden
from wsbench.networks.widening import widen_hidden, widened
from wsbench.seeding import generator
from wsbench.tasks.blinded_zoo import BlindedZoo
from wsbench.tasks.catalogue import TASKS


@pytest.fixture
def zoo(make_zoo) -> wsbench.Zoo:
    """30 models of 12 weights, epochs 0 to 6, six of them in test."""
    return wsbench.load_zoo(make_zoo(models=30, epochs=6))


def answers(method, blinded, perturbation, task):
    """Return a method's answers to a task, asked in a session of its own."""
    shown = blinded.under(perturbation)
    zoo = blinded.zoo
    session = Session(InProcess(loaded(method)), shown.layout, zoo.probe_inputs, shown.seed)
    return TASKS[task].run(session, shown)


def rows(weights):
    return sorted(row.tobytes() for row in weights)


def test_under__perturbs_train_and_test_before_the_method_sees_them(zoo):
    spy = Spy()
    answers(spy, BlindedZoo(zoo, "standard", 0), "int8", "identification")
    for checkpoints, split in ((spy.fitted[0], "train"), (spy.transformed[0], "test")):
        seen = checkpoints.weights
        originals = zoo.weights[zoo.rows(split, range(1, 7))]
        assert rows(seen) != rows(originals)
        levels = [
            np.unique(np.abs(row[tensor.start : tensor.stop])).size
            for row in seen
            for tensor in zoo.layout.tensors
        ]
        assert max(levels) <= 6  # of six weights
        nearest = np.abs(seen[:, None] - originals).max(axis=2).min(axis=1)
        assert nearest.max() < np.abs(originals).max() / 127


def test_under__permutes_every_checkpoint_otherwise_and_the_same_way_for_every_method(zoo):
    first, second = Spy(), Spy()
    for spy in (first, second):
        answers(spy, BlindedZoo(zoo, "standard", 5), "permute", "identification")
    np.testing.assert_array_equal(first.transformed[0].weights, second.transformed[0].weights)
    blinded = BlindedZoo(zoo, "standard", 5)
    rng = generator(5, "transform", "permute", "test")
    expected = permute_hidden(blinded.test("none"), zoo.layout, rng)
    np.testing.assert_array_equal(first.transformed[0].weights, expected)


def test_under__shows_wider_networks_with_their_layout(zoo):
    spy = Spy()
    blinded = BlindedZoo(zoo, "standard", 5)
    answers(spy, blinded, "widen", "identification")
    assert blinded.under("permute").layout == zoo.layout
    for seen, split in ((spy.fitted[0], "train"), (spy.transformed[0], "test")):
        assert seen.layout == widened(zoo.layout)
        assert seen.weights.shape[1] == seen.layout.n_parameters > zoo.layout.n_parameters
        assert len(seen) == len(zoo.rows(split, range(1, 7)))
    rng = generator(5, "transform", "widen", "test")
    expected = widen_hidden(blinded.test("none"), zoo.layout, rng)
    np.testing.assert_array_equal(spy.transformed[0].weights, expected)


def test_retrieval__asks_about_perturbed_queries_among_the_gallery_as_it_was(zoo):
    spy = Spy()
    blinded = BlindedZoo(zoo, "standard", 0)
    answers(spy, blinded, "int4", "retrieval")
    (fitted,), (asked,) = spy.fitted, spy.transformed
    assert rows(fitted.weights) == rows(zoo.weights[zoo.rows("train", range(1, 7))])  # as they were
    gallery = zoo.weights[(zoo.epoch > 0) & ~np.isin(np.arange(len(zoo.model)), zoo.rows("train"))]
    queries = blinded.test("int4")
    assert rows(asked.weights) == rows(np.concatenate([gallery, queries]))


def test_retrieval__without_a_perturbation_finds_every_copy(zoo):
    blinded = BlindedZoo(zoo, "standard", 0)
    found = answers(Spy(), blinded, "none", "retrieval")
    scores = TASKS["retrieval"].scores(found, blinded.truth)
    assert scores["rank1"].value == scores["tpr_at_1_fpr"].value == 1.0


def test_retrieval__of_a_method_that_says_nothing_is_at_chance(zoo):
    """The answers are about ties alone: each query finds its own six of 72 entries by chance."""

    class Nothing:
        def transform(self, checkpoints):
            return np.zeros((len(checkpoints), 1))

    precision = []
    for seed in range(40):
        blinded = BlindedZoo(zoo, "standard", seed)
        found = answers(Nothing(), blinded, "none", "retrieval")
        scores = TASKS["retrieval"].scores(found, blinded.truth)
        precision.append(scores["rank1"].value)
        assert scores["tpr_at_1_fpr"].value == 0.0
    # 36 queries in 40 zoos, each right with 6/72: a standard error of .0073.
    assert np.mean(precision) == pytest.approx(6 / 72, abs=4 * 0.0073)


def test_blinded_zoo__the_protocol_all_fits_on_and_asks_about_every_model(zoo):
    spy = Spy()
    blinded = BlindedZoo(zoo, "all", 0)
    answers(spy, blinded, "none", "identification")
    everything = rows(zoo.weights[zoo.epoch > 0])
    assert rows(spy.fitted[0].weights) == rows(spy.transformed[0].weights) == everything
    assert len(blinded.truth.rows_by_model()) == 30


def test_blinded_zoo__renumbering_and_shuffling_a_zoo_changes_no_score_of_any_task(zoo):
    rng = np.random.default_rng(0)
    order, names = rng.permutation(len(zoo.model)), rng.permutation(30).astype(np.int32)
    other = wsbench.Zoo(**vars(zoo) | {"model": names[zoo.model]}).with_rows(order)
    for perturbation in ("permute", "svd-5", "int4"):
        scores = []
        for one in (zoo, other):
            blinded = BlindedZoo(one, "standard", 3)
            scores.append(
                {
                    name: task.scores(answers(Spy(), blinded, perturbation, name), blinded.truth)
                    for name, task in TASKS.items()
                }
            )
        assert scores[0] == scores[1]


def test_at_last_epoch__gives_one_checkpoint_of_each_test_model(zoo):
    blinded = BlindedZoo(zoo, "standard", 0)
    last = blinded.at_last_epoch(blinded.test("none"))
    np.testing.assert_array_equal(last, zoo.weights[zoo.rows("test", [6])])
