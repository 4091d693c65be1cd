import numpy as np
import pytest

from wsbench.networks.checkpoints import Labels
from wsbench.tasks import ordering
from wsbench.tasks.ground_truth import GroundTruth

TRUTH = GroundTruth(Labels(np.array([4, 4, 4, 9, 9, 9]), np.array([1, 2, 3, 1, 2, 3])))
SEEN = np.array([1, 3, 0, 5, 2, 4])  # model 4 at 0, 2, 4; model 9 at 1, 3, 5


def answers(order=lambda rows: np.arange(len(rows))):
    return ordering.answers(order, TRUTH, SEEN)


def test_answers__asks_for_each_model_once_with_its_rows_as_seen():
    asked = []

    def backwards(rows):
        asked.append(rows.tolist())
        return np.arange(len(rows))[::-1]

    found = answers(backwards)
    assert asked == [[0, 2, 4], [1, 3, 5]]
    assert found["order"].tolist() == [2, 0, 1, 4, 5, 3]


def test_answers__asks_for_the_model_first_that_was_seen_first():
    asked = []

    def note(rows):
        asked.append(rows[0])
        return np.arange(len(rows))

    found = ordering.answers(note, TRUTH, SEEN[::-1])
    assert asked == [0, 1]
    assert found["order"].tolist() == [2, 0, 1, 4, 5, 3]


def test_scores__by_hand():
    # Model 4 is seen as epochs 2, 1, 3 and put in the order 1, 2, 3; model 9 is seen, and left, as
    # epochs 1, 3, 2.
    found = answers(lambda rows: np.array([1, 0, 2]) if rows[0] == 0 else np.arange(3))
    scores = ordering.scores(found, TRUTH)
    assert scores["abs_tau"].value == pytest.approx((1 + 1 / 3) / 2)
    assert scores["kendall_tau"].value == pytest.approx((1 + 1 / 3) / 2)
    assert scores["direction"].value == 1
    assert scores["ordered_pairs"].value == pytest.approx((1 + 0) / 2)
    assert scores["ordered_initial"].value == pytest.approx((3 + 1) / 2)
    assert scores["abs_tau"].interval is None  # of two models
    np.testing.assert_allclose(ordering.by_model(found, TRUTH), [1, 1 / 3])


def test_scores__tell_an_order_from_its_direction():
    # Model 4 is put in the order 3, 2, 1; model 9 is left as epochs 1, 3, 2.
    found = answers(lambda rows: np.array([2, 0, 1]) if rows[0] == 0 else np.arange(3))
    scores = ordering.scores(found, TRUTH)
    assert scores["abs_tau"].value == pytest.approx((1 + 1 / 3) / 2)
    assert scores["kendall_tau"].value == pytest.approx((-1 + 1 / 3) / 2)
    assert scores["direction"].value == 0.5


def test_order_by_linkage__puts_early_large_steps_first():
    steps = np.array([8.0, 4.0, 2.0, 1.0, 0.5])
    places = np.concatenate([[0], np.cumsum(steps)])
    rng = np.random.default_rng(0)
    shuffle = rng.permutation(6)
    distances = np.abs(np.subtract.outer(places[shuffle], places[shuffle]))
    order = shuffle[ordering.order_by_linkage(distances, rng)]
    assert order[:4].tolist() == [0, 1, 2, 3]  # the last two share a height
    assert sorted(order[4:]) == [4, 5]


def test_check__accepts_what_methods_answer():
    ordering.check(answers(), TRUTH)


@pytest.mark.parametrize(
    "order", [[0, 1, 2, 3, 4], [0, 1, 1, 3, 4, 5], [3, 4, 5, 0, 1, 2], [0, 1, 2, 3, 4, 10**6]]
)
def test_check__refuses_what_is_no_order_of_each_model(order):
    with pytest.raises(ValueError, match="order: must hold the rows of each model"):
        ordering.check({"order": np.array(order)}, TRUTH)
