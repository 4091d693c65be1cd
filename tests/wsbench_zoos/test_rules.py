import math

import pytest

from wsbench_zoos.rules import Choice, Integer, Integers, Number, Pattern, Text


@pytest.mark.parametrize(
    ("rule", "right", "wrong"),
    [
        (Integer(1, 5), [1, 5], [0, 6, 1.0, True, "1", None]),
        (Integers((1, 5), (2, 2)), [[1, 2], [5, 2]], [[1], [1, 3], [1, 2, 3], (1, 2), 1, [1, "2"]]),
        (Number(0, 1), [0, 1, 0.5], [-0.1, 1.1, math.nan, math.inf, True, "0", None]),
        (Number(0, 1, low_is_allowed=False), [1, 1e-300], [0, 0.0]),
        (Number(0, 1, high_is_allowed=False), [0, 0.999], [1, 1.0]),
        (Choice("a", "b"), ["a", "b"], ["c", "", None, 1, ["a"]]),
        (Pattern("[a-z]+", "letters"), ["abc"], ["", "a1", " a", "a\n", 1, None]),
        (Text(), ["a", "é ü"], ["", "  ", "a\nb", "a\0", 1, None]),
    ],
)
def test_holds__for_what_is_allowed_only(rule, right, wrong):
    assert [value for value in right if not rule.holds(value)] == []
    assert [value for value in wrong if rule.holds(value)] == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Integer(1, 5), "an integer from 1 to 5"),
        (Integer(4, 4), "the integer 4"),
        (Integers((1, 5), (2, 2)), "a list of 2: an integer from 1 to 5, the integer 2"),
        (Number(0, 1, low_is_allowed=False), "a number in (0, 1]"),
        (Number(0, 0.5, high_is_allowed=False), "a number in [0, 0.5)"),
        (Choice("a", "b"), "one of 'a', 'b'"),
        (Choice("a"), "'a'"),
    ],
)
def test_allowed__says_in_words_what_holds(rule, words):
    assert rule.allowed == words
