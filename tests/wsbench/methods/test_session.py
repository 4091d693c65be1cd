import dataclasses
import threading

import numpy as np
import pytest

import wsbench
from support.methods import Spy, loaded
from support.zoos import LAYOUT
from wsbench.methods.session import InProcess, Session

WEIGHTS = np.random.default_rng(0).normal(size=(5, 12)).astype(np.float32)
OTHERS = WEIGHTS[::-1].copy()


def session(method, seed=0, **info):
    return Session(InProcess(loaded(method, **info)), LAYOUT, np.zeros((7, 3), np.float32), seed)


def distances(found):
    method = type("Given", (), {"pairwise": lambda self, checkpoints: found})()
    return session(method).distances(WEIGHTS[:3])


def embedded(found):
    method = type("Given", (), {"transform": lambda self, checkpoints: found})()
    return session(method).distances(WEIGHTS[:3])


# --- instances -----------------------------------------------------------------------------------


class Remembers(Spy):
    """Spies on its checkpoints; what it has learned and seen is its own."""

    n_made = 0

    def __init__(self):
        super().__init__()
        type(self).n_made += 1
        self.seen = []

    def transform(self, checkpoints):
        self.seen.append(len(checkpoints))
        return np.full((len(checkpoints), 1), float(len(self.seen)))


def remembering(make=Remembers):
    port = InProcess(dataclasses.replace(loaded(make()), make=make))
    return Session(port, LAYOUT, np.zeros((7, 3), np.float32), 0)


def test_renew__forgets_what_was_seen_and_keeps_what_was_learned():
    Remembers.n_made = 0
    asked = remembering()
    asked.fit(WEIGHTS)
    assert [asked.answer(WEIGHTS)[0, 0] for _ in range(3)] == [1, 2, 3]
    asked.renew()
    assert asked.answer(WEIGHTS)[0, 0] == 1
    asked.fit(WEIGHTS)  # it is fitted already
    assert Remembers.n_made == 2  # the first, and one for the fit


def test_fit__on_something_else_is_that_of_a_new_instance():
    asked = remembering()
    asked.fit(WEIGHTS)
    asked.answer(WEIGHTS)
    asked.fit(OTHERS)
    assert asked.answer(WEIGHTS)[0, 0] == 1


def test_renew__of_a_method_that_cannot_be_copied_fits_it_again():
    class Locked(Remembers):
        n_fitted = 0

        def __init__(self):
            super().__init__()
            self.lock = threading.Lock()

        def fit(self, train, *, rng):
            type(self).n_fitted += 1

    asked = remembering(Locked)
    for _ in range(2):
        asked.fit(WEIGHTS)
        assert asked.answer(WEIGHTS)[0, 0] == 1
        asked.renew()
    assert Locked.n_fitted == 2


# --- what is kept --------------------------------------------------------------------------------


def test_fit__is_skipped_for_the_very_same_array():
    spy = Spy()
    asked = session(spy)
    for weights in (WEIGHTS, WEIGHTS, OTHERS, OTHERS, WEIGHTS):
        asked.fit(weights)
    assert [bool((train.weights == WEIGHTS).all()) for train in spy.fitted] == [True, False, True]


def test_fit__is_repeated_for_a_copy_since_only_identity_is_compared():
    spy = Spy()
    asked = session(spy)
    asked.fit(WEIGHTS)
    asked.fit(WEIGHTS.copy())
    assert len(spy.fitted) == 2


def test_fit__that_failed_is_repeated():
    class FailsOnce(Spy):
        def fit(self, train, *, rng):
            super().fit(train, rng=rng)
            if len(self.fitted) == 1:
                raise RuntimeError("no luck")

    method = FailsOnce()
    asked = session(method)
    with pytest.raises(wsbench.MethodError, match="no luck"):
        asked.fit(WEIGHTS)
    asked.fit(WEIGHTS)
    assert len(method.fitted) == 2


def test_distances__of_the_last_array_are_kept():
    spy = Spy()
    asked = session(spy)
    first = asked.distances(WEIGHTS)
    assert asked.distances(WEIGHTS) is first
    assert len(spy.transformed) == 1
    asked.distances(OTHERS)
    np.testing.assert_array_equal(asked.distances(WEIGHTS), first)
    assert len(spy.transformed) == 3


def test_distances__are_asked_for_again_after_another_fit():
    class Shifted(Spy):
        def transform(self, checkpoints):
            super().transform(checkpoints)
            return checkpoints.weights * len(self.fitted)

    asked = session(Shifted())
    asked.fit(WEIGHTS)
    once = asked.distances(WEIGHTS)
    asked.fit(WEIGHTS)
    assert asked.distances(WEIGHTS) is once
    asked.fit(OTHERS)
    np.testing.assert_allclose(asked.distances(WEIGHTS), 2 * once)


def test_distances__under_another_layout_are_not_kept():
    spy = Spy()
    asked = session(spy)
    asked.distances(WEIGHTS)
    asked.distances(WEIGHTS, LAYOUT)
    asked.distances(WEIGHTS)
    assert len(spy.transformed) == 3


def test_seconds__grow_with_what_is_asked_and_not_with_what_is_kept():
    asked = session(Spy())
    assert asked.seconds == {"fit": 0.0, "embed": 0.0, "order": 0.0}
    asked.fit(WEIGHTS)
    asked.distances(WEIGHTS)
    asked.order(WEIGHTS)
    before = dict(asked.seconds)
    assert min(before.values()) > 0
    asked.fit(WEIGHTS)
    asked.distances(WEIGHTS)
    assert asked.seconds == before
    asked.order(WEIGHTS)
    assert asked.seconds["order"] > before["order"]


def test_fit__has_an_rng_of_the_seed_and_no_other_state():
    class Drawn(Spy):
        def fit(self, train, *, rng):
            self.drawn = rng.random()

    drawn = []
    for seed in (0, 0, 1):
        method = Drawn()
        session(method, seed).fit(WEIGHTS)
        drawn.append(method.drawn)
    assert drawn[0] == drawn[1] != drawn[2]


def test_has_order__is_what_the_method_has():
    assert session(Spy()).has_order
    assert not session(type("Plain", (), {"transform": lambda self, c: c.weights})()).has_order


# --- what is refused -----------------------------------------------------------------------------

SQUARE = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 3.0], [2.0, 3.0, 0.0]])


def with_entry(value):
    changed = SQUARE.copy()
    changed[0, 1] = changed[1, 0] = value
    return changed


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (with_entry(-1.0), "pairwise returned a negative distance: -1"),
        (with_entry(-1e-5), "pairwise returned a negative distance: -1e-05"),
        (-SQUARE, "pairwise returned a negative distance: -3"),
        (np.ma.masked_equal(SQUARE, 3.0), "pairwise returned a masked array, expected numbers wi"),
        (np.ma.array(SQUARE), "pairwise returned a masked array"),
        (SQUARE + np.triu(np.full((3, 3), 1e-5)), r"not symmetric: d\(i, j\) and d\(j, i\) differ"),
        (SQUARE[:2], r"pairwise returned shape \(2, 3\), expected \(3, 3\)"),
        (SQUARE > 1, "pairwise returned ndarray of bool, expected numbers"),
        ([[1.0], [1.0, 2.0]], "pairwise returned list: setting an array element"),
        (with_entry(np.nan), "pairwise returned NaN, infinity or a number beyond 1e100 in 2 of 3"),
        (with_entry(1e101), "in 2 of 3 rows"),
    ],
)
def test_distances__that_are_none_are_refused(found, message):
    with pytest.raises(wsbench.MethodError, match=message):
        distances(found)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (np.ma.masked_equal(SQUARE, 3.0), "transform returned a masked array, expected numbers wi"),
        (np.ma.array(SQUARE), "transform returned a masked array"),
        (SQUARE[:2], r"transform returned shape \(2, 3\), expected \(3, d\) with d ≥ 1"),
        (SQUARE + np.inf, "transform returned NaN, infinity or a number beyond 1e100 in 3 of 3"),
        (SQUARE.astype(object), "transform returned ndarray of object, expected numbers"),
    ],
)
def test_distances__of_an_embedding_that_is_none_are_refused(found, message):
    with pytest.raises(wsbench.MethodError, match=message):
        embedded(found)


def test_distances__that_were_refused_are_not_kept():
    class NegativeOnce:
        n_calls = 0

        def pairwise(self, checkpoints):
            self.n_calls += 1
            return SQUARE if self.n_calls > 1 else -SQUARE

    asked, weights = session(NegativeOnce()), WEIGHTS[:3]
    with pytest.raises(wsbench.MethodError, match="negative"):
        asked.distances(weights)
    np.testing.assert_array_equal(asked.distances(weights), SQUARE)


@pytest.mark.parametrize("order", [[0, 1], [0, 1, 1], [1, 2, 3], [[0, 1, 2]], [0, 1, -1]])
def test_order__that_is_no_permutation_is_refused(order):
    method = type("Ordering", (Spy,), {"order": lambda self, checkpoints: order})()
    with pytest.raises(wsbench.MethodError, match="order must return a permutation of 0 … 2, got"):
        session(method).order(WEIGHTS[:3])


# --- rounding ------------------------------------------------------------------------------------


def test_distances__are_symmetric_and_not_negative_where_rounding_has_left_them_otherwise():
    """Neighbours are read from rows, the margin from both triangles: they must agree."""
    rounded = [[0, 1 + 1e-8, 2], [1, 0, -1e-8], [2, -1e-8, 0]]
    expected = [[0, 1 + 5e-9, 2], [1 + 5e-9, 0, 0], [2, 0, 0]]
    np.testing.assert_array_equal(distances(rounded), expected)


def test_distances__that_are_symmetric_stay_as_they_are():
    found = np.random.default_rng(0).random((3, 3))
    np.testing.assert_array_equal(distances(found + found.T), found + found.T)
