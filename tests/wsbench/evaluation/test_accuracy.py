import numpy as np
import pytest

import wsbench
from wsbench.evaluation.accuracy import accuracy_after
from wsbench.tasks.blinded_zoo import BlindedZoo


def test_accuracy_after__nothing_is_that_in_the_zoo_and_a_symmetry_keeps_it(digits_zoo):
    rows = digits_zoo.rows("test", [50])
    blinded = BlindedZoo(digits_zoo, "standard", 0)
    found = accuracy_after(blinded, ("none", "permute", "widen", "int8", "prune-95"))
    expected = np.mean(np.sort(digits_zoo.test_accuracy[rows].astype(np.float64)))
    assert found["none"] == expected
    for name in ("permute", "widen"):
        assert abs(found[name] - expected) < 1e-3  # sums in another order move a digit or two
    assert abs(found["int8"] - expected) < 0.02
    assert found["prune-95"] < 0.3


def test_accuracy_after__is_unknown_without_a_package_that_trains_the_recipe(made_up_zoo):
    assert accuracy_after(BlindedZoo(made_up_zoo, "standard", 0), ("none", "int8")) == {}


@pytest.mark.slow
def test_accuracy_after__is_part_of_an_evaluation_that_compresses(digits_zoo):
    suite = wsbench.find_suite(None, ["identification"], ["none", "int4"])
    found = wsbench.evaluate("euclidean", digits_zoo, suite=suite).accuracy
    assert set(found) == {"none", "int4"}
    assert 0 < found["int4"] < found["none"]
    without = wsbench.find_suite(None, ["identification"], ["none", "permute"])
    assert wsbench.evaluate("euclidean", digits_zoo, suite=without).accuracy == {}
