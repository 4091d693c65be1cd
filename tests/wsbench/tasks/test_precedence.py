import numpy as np
import pytest

from wsbench.networks.checkpoints import Labels
from wsbench.tasks import precedence
from wsbench.tasks.ground_truth import GroundTruth

N_MODELS, N_EPOCHS = 4, 30
TRUTH = GroundTruth(
    Labels(np.repeat(np.arange(N_MODELS), N_EPOCHS), np.tile(np.arange(1, N_EPOCHS + 1), N_MODELS))
)
N_PAIRS = N_MODELS * (10 + 10 + 5)  # gap 25 fits five times into 30 epochs


class Asked:
    """A session whose method answers from the number of each row, which stands in its weights."""

    has_progress = has_order = False

    def __init__(self, **answers):
        vars(self).update(answers, **{f"has_{name}": True for name in answers})

    def fit(self, weights, labels):
        pass


class Shown:
    """Test checkpoints that hold their own row of the truth, in another order."""

    shown_order = np.random.default_rng(0).permutation(len(TRUTH.model))
    test = shown_order[:, None]
    truth = TRUTH
    train = train_labels = None


def scored(**answers):
    found = precedence.run(Asked(**answers), Shown)
    precedence.check(found, TRUTH)
    return precedence.scores(found, TRUTH), found


def epochs(rows):
    return TRUTH.epoch[np.ravel(rows)].astype(float)


def test_run__by_progress_that_grows_is_always_right():
    scores, found = scored(progress=epochs)
    assert found["correct"].tolist() == [2] * N_PAIRS
    assert {name: one.value for name, one in scores.items()} == dict.fromkeys(scores, 1.0)


def test_run__by_progress_that_shrinks_is_always_wrong():
    scores, _ = scored(progress=lambda rows: -epochs(rows))
    assert scores["precedence"].value == -1
    assert [scores[f"gap_{gap}"].value for gap in (1, 5, 25)] == [0, 0, 0]


@pytest.mark.parametrize("answers", [{"progress": lambda rows: np.zeros(len(rows))}, {}])
def test_run__without_a_decision_is_chance(answers):
    scores, found = scored(**answers)
    assert set(found["correct"]) == {1}
    assert scores["precedence"].value == 0
    assert scores["gap_5"].value == 0.5


def test_run__by_order_takes_two_checkpoints_at_a_time():
    asked = []

    def order(rows):
        asked.append(np.ravel(rows))
        return np.argsort(epochs(rows))

    scores, _ = scored(order=order)
    assert scores["precedence"].value == 1
    gaps = [abs(int(np.diff(TRUTH.epoch[rows])[0])) for rows in asked]
    assert sorted(set(gaps)) == [1, 5, 25]
    assert len(gaps) == N_PAIRS
    first_is_earlier = [TRUTH.epoch[a] < TRUTH.epoch[b] for a, b in asked]
    assert 0.3 < np.mean(first_is_earlier) < 0.7


def test_run__an_order_that_depends_on_the_rows_place_is_at_chance():
    scores, _ = scored(order=lambda rows: np.arange(2))
    assert abs(scores["precedence"].value) < 0.3


def test_scores__by_hand_for_the_pairs_of_one_model():
    _, found = scored(progress=epochs)
    found["correct"][:10] = [0, 0, 1, 2, 2, 2, 2, 2, 2, 2]  # gap 1 of the first model: .75
    scores = precedence.scores(found, TRUTH)
    np.testing.assert_allclose(precedence.by_model(found, TRUTH), [(0.5 + 1 + 1) / 3, 1, 1, 1])
    assert scores["gap_1"].value == pytest.approx((0.75 + 3) / 4)
    assert scores["precedence"].value == pytest.approx((2.5 / 3 + 3) / 4)


def test_scores__of_a_gap_that_no_model_has_are_undefined():
    truth = GroundTruth(Labels(np.repeat(np.arange(3), 4), np.tile(np.arange(1, 5), 3)))
    found = {"correct": np.full(9, 2, np.uint8)}
    precedence.check(found, truth)
    scores = precedence.scores(found, truth)
    assert [scores[f"gap_{gap}"].value for gap in (1, 5, 25)] == [1.0, None, None]
    assert scores["precedence"].value == 1


@pytest.mark.parametrize(
    ("correct", "message"),
    [
        (np.full(3, 2, np.uint8), r"correct: got shape \(3,\), expected \(100,\)"),
        (np.full(N_PAIRS, 3, np.uint8), "correct: expected 0 .wrong., 1"),
    ],
)
def test_check__refuses_what_no_method_can_answer(correct, message):
    with pytest.raises(ValueError, match=message):
        precedence.check({"correct": correct}, TRUTH)
