import numpy as np
import pytest

from wsbench.networks.checkpoints import Labels
from wsbench.tasks import sparse_identification
from wsbench.tasks.ground_truth import GroundTruth

N_MODELS = 5


def truth_of(n_epochs):
    epochs = np.tile(np.arange(1, n_epochs + 1), N_MODELS)
    return GroundTruth(Labels(np.repeat(np.arange(N_MODELS), n_epochs), epochs))


class Asked:
    """A session whose method answers from the numbers that stand in its weights."""

    def __init__(self, place_of):
        self.place_of, self.asked = place_of, []

    def fit(self, weights, labels):
        pass

    def distances(self, weights):
        self.asked.append(np.ravel(weights))
        places = self.place_of(np.ravel(weights))
        return np.abs(np.subtract.outer(places, places)).astype(float)


def shown_of(truth):
    class Shown:
        shown_order = np.random.default_rng(0).permutation(len(truth.model))
        test = shown_order[:, None]
        train = train_labels = None
        seed = 0

    Shown.truth = truth
    return Shown


@pytest.mark.parametrize(
    ("n_epochs", "sparse"),
    [(50, [2, 10, 50]), (10, [1, 2, 10]), (4, [1, 4]), (2, [1, 2]), (100, [4, 20, 100])],
)
def test_run__asks_about_three_epochs_and_about_the_ends(n_epochs, sparse):
    truth = truth_of(n_epochs)
    session = Asked(lambda rows: 1000 * truth.model[rows] + truth.epoch[rows])
    found = sparse_identification.run(session, shown_of(truth))
    few, ends = session.asked
    assert sorted(set(truth.epoch[few])) == sparse
    assert sorted(set(truth.epoch[ends])) == [1, n_epochs]
    assert len(few) == N_MODELS * len(sparse)
    sparse_identification.check(found, truth)
    scores = sparse_identification.scores(found, truth)
    assert {name: one.value for name, one in scores.items()} == {"map_at_r": 1.0, "ends": 1.0}


def test_scores__of_a_method_that_finds_all_but_the_first_epoch():
    truth = truth_of(50)

    def places(rows):
        is_first = truth.epoch[rows] == 1
        return np.where(is_first, -1e6 - 10.0 * rows, 1000 * truth.model[rows] + truth.epoch[rows])

    found = sparse_identification.run(Asked(places), shown_of(truth))
    scores = sparse_identification.scores(found, truth)
    assert scores["map_at_r"].value == 1
    assert scores["ends"].value < 0.3


def test_check__refuses_bits_that_no_distances_give():
    truth = truth_of(50)
    session = Asked(lambda rows: 1000 * truth.model[rows] + truth.epoch[rows])
    found = sparse_identification.run(session, shown_of(truth))
    found["relevant_ends"] = found["relevant_ends"] | 1
    with pytest.raises(ValueError, match="relevant_ends: expected 1 bits of each row"):
        sparse_identification.check(found, truth)
