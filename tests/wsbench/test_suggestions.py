import pytest

import wsbench
from wsbench.suggestions import nearest, unknown_name_error


@pytest.mark.parametrize(
    ("name", "guess"),
    [("digit-mlp-v1", "digits-mlp-v1"), ("digits-cnn", "digits-cnn-v1"), ("q", None)],
)
def test_nearest__is_the_name_that_looks_most_alike(name, guess):
    assert nearest(name, iter(["digits-mlp-v1", "digits-cnn-v1"])) == guess


def test_unknown__says_what_was_got_what_is_meant_and_what_there_is():
    error = unknown_name_error("zoo", "svd1", ["svd", "random"], "Do this.")
    assert str(error) == "unknown zoo 'svd1'; did you mean 'svd'? Known: random, svd. Do this."
    assert str(unknown_name_error("zoo", "x\ny", [])) == "unknown zoo 'x\\ny'."
    assert isinstance(error, wsbench.UnknownIdError)
