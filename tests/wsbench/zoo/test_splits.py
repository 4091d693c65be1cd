import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbench.zoo.schema import TEST, TRAIN, VAL
from wsbench.zoo.splits import split_of_models

ids = st.from_regex(r"[a-z]{1,8}-v[1-9]", fullmatch=True)


@given(ids, st.integers(1, 40))
def test_split_of_models__is_60_20_20_in_every_five_models(zoo_id, n_groups):
    groups = split_of_models(zoo_id, 5 * n_groups).reshape(n_groups, 5)
    np.testing.assert_array_equal(
        np.sort(groups, axis=1), np.tile([TRAIN, TRAIN, TRAIN, VAL, TEST], (n_groups, 1))
    )


@given(ids, st.integers(0, 50), st.integers(0, 50))
def test_split_of_models__of_a_model_does_not_depend_on_how_many_there_are(zoo_id, n, more):
    np.testing.assert_array_equal(split_of_models(zoo_id, n + more)[:n], split_of_models(zoo_id, n))


def test_split_of_models__depends_on_the_id():
    assert split_of_models("x-v1", 100).tolist() != split_of_models("x-v2", 100).tolist()


@pytest.mark.parametrize("split", [VAL, TEST])
def test_split_of_models__favours_no_place(split):
    """Of 2,000 groups, each of the five places has 400 ± 18 (one standard deviation)."""
    places = np.flatnonzero(split_of_models("x-v1", 10_000) == split) % 5
    assert np.abs(np.bincount(places) - 400).max() < 4 * 18


def test_split_of_models__is_the_published_one():
    assert split_of_models("digits-mlp-v1", 15).tolist() == [
        VAL, TEST, 0, 0, 0, VAL, TEST, 0, 0, 0, 0, TEST, 0, VAL, 0,
    ]  # fmt: skip
