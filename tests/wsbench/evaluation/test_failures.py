"""Methods that fail, and zoos on which none can be evaluated."""

import numpy as np
import pytest

import wsbench
from support.methods import FirstThree, loaded

CLEAN = wsbench.find_suite(None, ["identification", "ordering"], ["none"])


def evaluate(method, zoo, **options) -> wsbench.Evaluation:
    return wsbench.evaluate(method, zoo, **{"suite": CLEAN} | options)


def with_entry(change):
    def transform(checkpoints):
        embedding = np.array(checkpoints.weights, np.float64)
        change(embedding)
        return embedding

    return transform


def nan(embedding):
    embedding[2, 0] = embedding[3, 1] = np.nan


def infinite(embedding):
    embedding[0, 0] = np.inf


def huge(embedding):
    embedding[0, 0] = -1e200


BAD_EMBEDDINGS = [
    (lambda c: c.weights[:-1], "transform returned shape (35, 12), expected (36, d) with d ≥ 1"),
    (lambda c: c.weights[:, 0], "transform returned shape (36,), expected (36, d) with d ≥ 1"),
    (lambda c: c.weights[:, :0], "transform returned shape (36, 0), expected (36, d) with d ≥ 1"),
    (lambda c: c.weights.T, "transform returned shape (12, 36), expected (36, d) with d ≥ 1"),
    (lambda c: 1.0, "transform returned shape (), expected (36, d) with d ≥ 1"),
    (lambda c: float("nan"), "transform returned shape (), expected (36, d) with d ≥ 1"),
    (lambda c: None, "transform returned NoneType of object, expected numbers"),
    (lambda c: c.weights.astype(str), "transform returned ndarray of <U32, expected numbers"),
    (lambda c: c.weights + 1j, "transform returned ndarray of complex64, expected numbers"),
    (lambda c: [[1.0], [1.0, 2.0]], "inhomogeneous shape"),
    (with_entry(nan), "transform returned NaN, infinity or a number beyond 1e100 in 2 of 36 rows"),
    (with_entry(infinite), "transform returned NaN, infinity or a number beyond 1e100 in 1 of 36"),
    (with_entry(huge), "transform returned NaN, infinity or a number beyond 1e100 in 1 of 36"),
    (lambda c: 1 / 0, "ZeroDivisionError: division by zero"),
    (lambda c: exit(0), "SystemExit: 0"),
    (lambda c: c.model, 'add needs={"labels"}'),
]  # fmt: skip


@pytest.mark.parametrize(("transform", "message"), BAD_EMBEDDINGS)
def test_evaluate__keeps_the_traceback_of_a_bad_embedding(zoo, transform, message):
    method = type("Bad", (), {"transform": lambda self, checkpoints: transform(checkpoints)})
    result = evaluate(loaded(method()), zoo)
    assert message in result.error
    assert result.error.startswith("Traceback (most recent call last)")
    assert (result.scores, result.answers) == ({}, {})


def distances(change):
    def pairwise(checkpoints):
        found = wsbench.pairwise_euclidean(checkpoints.weights)
        return change(found)

    return pairwise


def asymmetric(found):
    found[0, 1] *= 1.001
    return found


def with_nan(found):
    found[1, 0] = found[0, 1] = np.nan
    return found


BAD_DISTANCES = [
    (lambda d: d[:-1], "pairwise returned shape (35, 36), expected (36, 36)"),
    (lambda d: d[:, 0], "pairwise returned shape (36,), expected (36, 36)"),
    (with_nan, "pairwise returned NaN, infinity or a number beyond 1e100 in 2 of 36 rows"),
    (asymmetric, "pairwise is not symmetric: d(i, j) and d(j, i) differ by"),
    (lambda d: d.astype(object), "pairwise returned ndarray of object, expected numbers"),
]


@pytest.mark.parametrize(("change", "message"), BAD_DISTANCES)
def test_evaluate__keeps_the_traceback_of_bad_distances(zoo, change, message):
    method = type("Bad", (), {"pairwise": lambda self, c: distances(change)(c)})
    assert message in evaluate(loaded(method()), zoo).error


@pytest.mark.parametrize(
    "order",
    [[0, 1, 2, 3, 4, 4], [0, 1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [[0, 1, 2, 3, 4, 5]], None,
     [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0, 1, 2, 3, 4, -1]],
)  # fmt: skip
def test_evaluate__keeps_the_traceback_of_a_bad_order(zoo, order):
    method = type("Bad", (FirstThree,), {"order": lambda self, checkpoints: order})
    error = evaluate(loaded(method()), zoo).error
    assert "order must return a permutation" in error


def test_evaluate__lets_the_user_interrupt(zoo):
    class Slow(FirstThree):
        def fit(self, train, *, rng):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(loaded(Slow()), zoo)


def test_evaluate__a_method_that_fails_under_another_activation_keeps_its_scores(zoo):
    class Picky:
        def transform(self, checkpoints):
            if checkpoints.layout.activation != zoo.layout.activation:
                raise ValueError("not these")
            return np.sort(checkpoints.weights.astype(float), axis=1)

    result = evaluate(loaded(Picky()), zoo)
    assert result.error is None
    assert result.scores
    assert result.invariances == ("hidden-permutation",)


@pytest.mark.parametrize("split", ["train", "test"])
def test_evaluate__refuses_a_zoo_without_models_of_a_split(zoo, split):
    rest = zoo.with_rows(np.flatnonzero(zoo.split != wsbench.zoo.schema.SPLITS[split]))
    with pytest.raises(
        wsbench.ZooError, match=rf"'made-up-v1' has no two checkpoints of a {split}"
    ):
        evaluate(loaded(FirstThree()), rest)


@pytest.mark.parametrize("epochs", [[0], [1], [0, 1]])
def test_evaluate__refuses_a_zoo_with_nothing_to_find(zoo, epochs):
    with pytest.raises(wsbench.ZooError, match="after epoch 0"):
        evaluate("euclidean", zoo.with_rows(zoo.rows(epochs=epochs)))
