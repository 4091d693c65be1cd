import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from wsbench.networks.checkpoints import Labels
from wsbench.tasks import identification
from wsbench.tasks.ground_truth import GroundTruth
from wsbench.tasks.score import Score

# Two models of three checkpoints on a line, and the order in which a method saw them.
TRUTH = GroundTruth(Labels(np.array([4, 4, 4, 9, 9, 9]), np.array([1, 2, 3, 1, 2, 3])))
PLACES = np.array([0.0, 1.5, 2.5, 10.0, 11.0, 11.9])
SEEN = np.array([1, 3, 0, 5, 2, 4])


def answers(seen=SEEN, places=PLACES, seed=0):
    distances = np.abs(np.subtract.outer(places[seen], places[seen]))
    return identification.answers(distances, TRUTH, seen, seed)


def test_answers__are_neighbours_and_clusters_by_model_and_epoch_and_the_margin():
    found = answers()
    assert found["neighbours"].tolist() == [[1, 2], [2, 0], [1, 0], [4, 5], [5, 3], [4, 3]]
    assert found["relevant"].tolist() == [[0b11000000]] * 6
    clusters = found["clusters"].tolist()
    assert clusters[:3] == 3 * clusters[:1] != clusters[3:] == 3 * clusters[3:4]
    np.testing.assert_allclose(found["margin"], [7.5, 1.5])


def test_answers__do_not_depend_on_the_order_in_which_rows_are_seen():
    for seed in range(5):
        other = answers(np.random.default_rng(seed).permutation(6))
        assert other["neighbours"].tolist() == answers()["neighbours"].tolist()
        assert identification.scores(other, TRUTH) == identification.scores(answers(), TRUTH)


def test_answers__numbering_models_otherwise_changes_no_score_where_all_is_tied():
    """The method sees the same rows in the same order; only their numbers are others."""
    distances = 1.0 - np.eye(6)
    swapped = np.array([3, 4, 5, 0, 1, 2])  # model 4 is called 9 and 9 is called 4
    for seed in range(5):
        one, other = (
            identification.answers(distances, TRUTH, seen, seed) for seen in (SEEN, swapped[SEEN])
        )
        assert identification.scores(one, TRUTH) == identification.scores(other, TRUTH)


def test_answers__keep_neighbours_of_the_queries_only():
    truth = GroundTruth(Labels(np.repeat(np.arange(125), 4), np.tile(np.arange(1, 5), 125)))
    rng = np.random.default_rng(0)
    points, seen = rng.normal(size=(500, 2)), rng.permutation(500)
    distances = np.linalg.norm(points[seen][:, None] - points[seen], axis=2)
    found = identification.answers(distances, truth, seen, 0)
    assert found["neighbours"].shape == (250, 3)
    whole = np.linalg.norm(points[truth.queries][:, None] - points, axis=2)
    np.testing.assert_array_equal(found["neighbours"], np.argsort(whole, axis=1)[:, 1:4])
    assert found["relevant"].shape == (500, 1)
    identification.check(found, truth)


def test_scores__of_models_apart_are_perfect():
    scores = identification.scores(answers(), TRUTH)
    assert {name: one.value for name, one in scores.items()} == {
        "map_at_r": 1.0, "rank1": 1.0, "ari": 1.0, "bcubed_f1": 1.0, "purity": 1.0,
        "margin": pytest.approx(5.0),
    }  # fmt: skip


@pytest.mark.parametrize("n_models", [1, 2, 3])
def test_scores__have_an_interval_over_three_models_or_more(n_models):
    truth = GroundTruth(Labels(np.repeat(np.arange(n_models), 2), np.tile([1, 2], n_models)))
    distances = 1.0 * (truth.model[:, None] != truth.model)
    found = identification.answers(distances, truth, np.arange(2 * n_models), 0)
    scores = identification.scores(found, truth)
    low = 0.025 ** (1 / 3)
    interval = (pytest.approx(low), 1.0) if n_models == 3 else None
    assert (scores["map_at_r"].value, scores["map_at_r"].interval) == (1.0, interval)
    intervals = [name for name, one in scores.items() if one.interval]
    assert intervals == ["map_at_r"] * (n_models == 3)


def test_scores__by_hand_for_a_wrong_neighbour_and_cluster():
    wrong = answers()
    wrong["relevant"][0] = 0b01000000  # the first is of the other model: AP = (1/2)/2
    wrong["relevant"][2] = 0b10000000  # the second is: AP = 1/2
    wrong["clusters"] = np.array([0, 0, 1, 1, 1, 1])
    scores = identification.scores(wrong, TRUTH)
    assert scores["map_at_r"].value == pytest.approx(((0.25 + 1 + 0.5) / 3 + 1) / 2)
    assert scores["rank1"].value == pytest.approx((2 / 3 + 1) / 2)
    assert scores["purity"].value == pytest.approx((1 + 3 / 4) / 2)
    assert scores["ari"].value == pytest.approx(adjusted_rand_score(TRUTH.model, wrong["clusters"]))
    by_model = identification.by_model(wrong, TRUTH)
    np.testing.assert_allclose(by_model, [(0.25 + 1 + 0.5) / 3, 1])


def test_scores__an_infinite_margin_is_none():
    found = answers() | {"margin": np.array([np.inf, 0.0])}
    assert identification.scores(found, TRUTH)["margin"] == Score(None)


def test_check__accepts_what_methods_answer():
    identification.check(answers(), TRUTH)


def changed(name, place, value):
    def change(found):
        found[name] = found[name].copy()
        found[name][place] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.update(neighbours=a["neighbours"][:, :1]), r"neighbours: got shape \(6, 1\)"),
        (changed("neighbours", (0, 1), 1), "neighbours: must be different rows"),
        (changed("neighbours", (0, 0), 0), "neighbours: must be different rows"),
        (changed("neighbours", (0, 0), 6), "neighbours: must be different rows"),
        (changed("neighbours", (0, 0), 3), "neighbours: their models are not those that relevant"),
        (lambda a: a.update(relevant=a["relevant"][:5]), r"relevant: got shape \(5, 1\)"),
        (
            lambda a: a.update(relevant=a["relevant"].astype(np.uint16)),
            "relevant: got uint16, expected uint8",
        ),
        (changed("relevant", 0, 0b11100000), "relevant: expected 2 bits of each row, and zeros"),
        (lambda a: a.update(clusters=a["clusters"][:5]), r"clusters: got shape \(5,\)"),
        (changed("clusters", 0, 7), "clusters: expected 2, one for each model"),
        (changed("clusters", slice(None), 1), "clusters: expected 2, one for each model"),
        (lambda a: a.update(margin=np.array([1.0])), r"margin: got shape \(1,\)"),
        (lambda a: a.update(margin=np.array([1.0, np.nan])), "margin: expected two distances"),
        (lambda a: a.update(margin=np.array([1.0, -1.0])), "margin: expected two distances"),
    ],
)
def test_check__refuses_what_no_method_can_answer(change, message):
    found = answers()
    change(found)
    with pytest.raises(ValueError, match=message):
        identification.check(found, TRUTH)


OVERLAPPING = np.array([0.0, 1.5, 2.5, 10.0, 1.6, 11.9])  # a checkpoint of each model is astray


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (answers() | {"clusters": np.array([0, 0, 1, 1, 1, 1])}, "clusters: expected the models"),
        (
            answers(places=OVERLAPPING) | {"margin": np.array([9.0, 1.0])},
            "clusters: expected the mod",
        ),
        (answers() | {"margin": np.array([1.0, 9.0])}, "clusters: got the models, although the"),
        (answers() | {"margin": np.array([np.inf, 9.0])}, "margin: expected two distances, the f"),
        (answers() | {"margin": np.array([np.inf, np.inf])}, "margin: expected two distances, th"),
    ],
)
def test_check__refuses_margin_and_clusters_that_no_distances_have(found, message):
    with pytest.raises(ValueError, match=message):
        identification.check(found, TRUTH)


def test_check__refuses_a_nearest_of_another_model_beside_a_margin_above_one():
    found = answers()
    found["neighbours"][0], found["relevant"][0] = [3, 1], 0b01000000
    with pytest.raises(ValueError, match="relevant: a nearest is of another model, although"):
        identification.check(found, TRUTH)
    # A later neighbour may be of another model: a long model.
    found["neighbours"][0], found["relevant"][0] = [1, 3], 0b10000000
    identification.check(found, TRUTH)


def test_check__refuses_more_relevant_rows_than_a_model_has():
    truth = GroundTruth(Labels(np.array([4, 4, 9, 9, 9]), np.array([1, 2, 1, 2, 3])))
    places = np.array([0.0, 1.5, 10.0, 11.0, 11.9])
    found = identification.answers(
        np.abs(np.subtract.outer(places, places)), truth, np.arange(5), 0
    )
    found["relevant"][0] = 0b11000000
    with pytest.raises(ValueError, match="relevant: more are of a row's model than the model has"):
        identification.check(found, truth)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_check__accepts_every_answer_of_distances(seed, n_models, n_epochs, is_tied):
    """Also with ties everywhere, one model alone, and one checkpoint a model."""
    rng = np.random.default_rng(seed)
    model, epoch = np.divmod(np.arange(n_models * n_epochs), n_epochs)
    truth = GroundTruth(Labels(model, epoch + 1))
    points = rng.normal(size=len(model)) + 3 * rng.integers(2) * model
    distances = np.abs(np.subtract.outer(points, points))
    distances = np.round(distances) if is_tied else distances
    seen = rng.permutation(len(model))
    found = identification.answers(distances[np.ix_(seen, seen)], truth, seen, seed)
    identification.check(found, truth)
