import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbench.networks.checkpoints import Labels
from wsbench.tasks import retrieval
from wsbench.tasks.ground_truth import GroundTruth

# Models 4 and 9 are in test, two checkpoints each, and with 7 in the gallery.
TRUTH = GroundTruth(
    Labels(np.array([4, 4, 9, 9]), np.array([1, 2, 1, 2])), np.array([4, 4, 7, 7, 9, 9])
)
QUERIES = np.array([0.1, 1.1, 8.2, 3.9])  # the last is near a sibling
GALLERY = np.array([0.0, 1.0, 4.0, 5.0, 8.0, 9.0])
SEEN = (np.array([2, 0, 3, 1]), np.array([5, 0, 3, 1, 4, 2]))


def answers(queries=QUERIES, seen=SEEN):
    distances = np.abs(np.subtract.outer(queries[seen[0]], GALLERY[seen[1]]))
    return retrieval.answers(distances, TRUTH, seen, 0)


def test_answers__are_the_models_of_the_nearest_and_ranks_of_own_and_sibling():
    found = answers()
    assert found["found"].tolist() == [[4, 4], [4, 4], [9, 9], [7, 7]]
    own, sibling = found["near"]
    # Distances to the own model .1 .1 .2 4.1, to a sibling 3.9 2.9 3.2 .1; rounding splits ties.
    assert (np.argsort(own) == np.argsort([0.1, 0.1000001, 0.2, 4.1])).all()
    assert sibling[3] < own[2] < sibling[1] < sibling[2] < sibling[0] < own[3]


def test_answers__do_not_depend_on_the_order_in_which_rows_are_seen():
    rng = np.random.default_rng(0)
    for _ in range(5):
        other = answers(seen=(rng.permutation(4), rng.permutation(6)))
        for name, array in answers().items():
            np.testing.assert_array_equal(array, other[name])


def test_scores__by_hand():
    scores = retrieval.scores(answers(), TRUTH)
    assert scores["map_at_r"].value == pytest.approx((1 + 0.5) / 2)
    assert scores["rank1"].value == pytest.approx(3 / 4)
    np.testing.assert_allclose(retrieval.by_model(answers(), TRUTH), [1, 0.5])


def test_scores__the_true_positive_rate_counts_what_is_nearer_than_any_sibling():
    near = answers(np.array([0.1, 1.1, 8.2, 6.6]))  # own 1.4 away, sibling 1.6
    assert retrieval.scores(near, TRUTH)["tpr_at_1_fpr"].value == 1.0
    far = answers(np.array([0.1, 1.1, 8.2, 6.4]))  # own 1.6 away, sibling 1.4
    assert retrieval.scores(far, TRUTH)["tpr_at_1_fpr"].value == 3 / 4


def test_scores__equal_distances_accept_nothing():
    """A method that cannot tell anything apart must not have found the copies."""
    seen = (np.arange(4), np.arange(6))
    found = retrieval.answers(np.ones((4, 6)), TRUTH, seen, 0)
    assert retrieval.scores(found, TRUTH)["tpr_at_1_fpr"].value == 0.0


def test_check__accepts_what_methods_answer():
    retrieval.check(answers(), TRUTH)


def changed(name, place, value):
    found = answers()
    found[name][place] = value
    return found


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (answers() | {"found": answers()["found"][:, :1]}, r"found: got shape \(4, 1\)"),
        (answers() | {"near": answers()["near"][:1]}, r"near: got shape \(1, 4\)"),
        (changed("found", (0, 0), 5), "found: names models that are not in the gallery"),
    ],
)
def test_check__refuses_what_no_method_can_answer(found, message):
    with pytest.raises(ValueError, match=message):
        retrieval.check(found, TRUTH)


def test_check__refuses_a_model_named_more_often_than_the_gallery_holds_it():
    truth = GroundTruth(TRUTH.labels, np.array([4, 7, 7, 9, 9]))
    with pytest.raises(ValueError, match="found: names model 4 more often than the gallery"):
        retrieval.check(answers(), truth)


def test_check__refuses_ranks_by_which_the_other_would_be_found_first():
    own, sibling = answers()["near"]
    always_nearer = np.stack([np.arange(4), 4 + np.arange(4)]).astype(np.uint8)
    with pytest.raises(ValueError, match="near: contradicts found for 1 of 4 queries"):
        retrieval.check(answers() | {"near": always_nearer}, TRUTH)
    with pytest.raises(ValueError, match="near: contradicts found for 4 of 4 queries"):
        retrieval.check(answers() | {"near": np.stack([sibling, own])}, TRUTH)


def test_check__refuses_ranks_with_gaps():
    near = answers()["near"].astype(np.uint16)
    near[near == near.max()] += 100  # the same order
    with pytest.raises(ValueError, match="near: expected the ranks 0 to 6, each at least once"):
        retrieval.check(answers() | {"near": near}, TRUTH)


@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_check__accepts_every_answer_of_distances(seed, is_tied, has_siblings):
    rng = np.random.default_rng(seed)
    truth = (
        TRUTH if has_siblings else GroundTruth(Labels(np.full(3, 4), np.arange(3)), np.full(3, 4))
    )
    distances = rng.random((len(truth.queries), len(truth.gallery)))
    distances = np.round(3 * distances) if is_tied else distances
    seen = rng.permutation(len(truth.queries)), rng.permutation(len(truth.gallery))
    retrieval.check(retrieval.answers(distances, truth, seen, seed), truth)
