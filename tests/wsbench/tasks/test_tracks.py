import numpy as np
import pytest

from wsbench.tasks.tracks import Tracks, track_scores

TRACKS = Tracks(
    {"as-written": (("none",),), "symmetry": (("permute",), ("rescale",)), "both": (("p+r", "p"),)},
    ("dense", "sparse"),
)
LIMITS = {"dense": (0.0, 1.0), "sparse": (0.0, 1.0), "other": (-1.0, 1.0)}
DENSE = {"none": [1.0, 0.8], "permute": [0.6, 0.2], "rescale": [0.2, 0.2], "p": [0.0, 0.4]}
SPARSE = {"none": [0.5, 0.5], "permute": [0.1, 0.1], "p": [0.3, 0.3]}


def arrays(by_perturbation):
    return {name: np.array(values) for name, values in by_perturbation.items()}


def test_among__keeps_what_counts_for_each_track():
    assert TRACKS.among(["p", "rescale", "p+r", "int8"]) == {
        "as-written": (), "symmetry": ("rescale",), "both": ("p+r",),
    }  # fmt: skip


def test_by_model__is_the_mean_over_conditions_and_then_over_tracks():
    found = TRACKS.by_model(arrays(DENSE))
    np.testing.assert_allclose(found["as-written"], [1.0, 0.8])
    np.testing.assert_allclose(found["symmetry"], [0.4, 0.2])
    np.testing.assert_allclose(found["both"], [0.0, 0.4])
    np.testing.assert_allclose(found["overall"], [1.4 / 3, 1.4 / 3])


def test_by_model__leaves_out_a_condition_that_was_not_asked():
    np.testing.assert_allclose(TRACKS.by_model(arrays(SPARSE))["symmetry"], [0.1, 0.1])


def test_by_model__takes_the_first_of_several_that_was_asked():
    found = TRACKS.by_model(arrays(DENSE | {"p+r": [0.9, 0.9]}))
    np.testing.assert_allclose(found["both"], [0.9, 0.9])


def test_by_model__leaves_out_a_track_without_a_condition():
    found = TRACKS.by_model(arrays({"none": [1.0, 0.5]}))
    assert {track: values.tolist() for track, values in found.items()} == {
        "as-written": [1.0, 0.5], "overall": [1.0, 0.5],
    }  # fmt: skip
    assert TRACKS.by_model({}) == Tracks().by_model(arrays(DENSE)) == {}


def test_overall__is_empty_unless_each_task_has_all_tracks():
    partial = {name: values for name, values in DENSE.items() if name != "none"}
    assert TRACKS.by_model(arrays(partial))
    assert TRACKS.overall_by_model({"dense": arrays(partial), "sparse": arrays(SPARSE)}) == {}


def test_overall__is_the_mean_over_tasks():
    found = TRACKS.overall_by_model({"dense": arrays(DENSE), "sparse": arrays(SPARSE)})
    np.testing.assert_allclose(found["overall"], [(1.4 / 3 + 0.3) / 2] * 2)
    assert TRACKS.overall_by_model({"dense": arrays(DENSE)}) == {}


def test_track_scores__have_a_part_for_each_task_and_the_overall():
    by_task = {"dense": arrays(DENSE), "sparse": arrays(SPARSE), "other": {}}
    found = track_scores(TRACKS, by_task, LIMITS)
    assert list(found) == ["overall", "dense", "sparse"]
    assert found["dense"]["both"].value == pytest.approx(0.2)
    assert found["overall"]["overall"].value == pytest.approx((1.4 / 3 + 0.3) / 2)
    assert track_scores(Tracks(), by_task, LIMITS) == {}


def test_track_scores__do_not_depend_on_the_order_of_conditions():
    backwards = Tracks({"all": (("rescale",), ("permute",), ("none",))}, ("dense",))
    forwards = Tracks({"all": (("none",), ("permute",), ("rescale",))}, ("dense",))
    by_task = {"dense": arrays(DENSE)}
    assert track_scores(backwards, by_task, LIMITS) == track_scores(forwards, by_task, LIMITS)
