import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsbench_leaderboard.board.collect import collect
from wsbench_leaderboard.site.charts import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, chart, ticks
from wsbench_leaderboard.site.curves import FAMILIES, accuracy, curves


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
def test_ticks__are_a_few_round_numbers_within_the_range(low, span, most):
    high = low + span
    found = ticks(low, high, most)
    assert len(found) <= most
    slack = span * 1e-6 + 4 * math.ulp(max(abs(low), abs(high)))
    assert all(low - slack <= tick <= high + slack for tick in found)
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.25, 0.5, 0.75, 1]),
        (0, 50, [0, 10, 20, 30, 40, 50]),
        (-0.75, 1, [-0.5, 0, 0.5, 1]),
    ],
)
def test_ticks__of_usual_ranges(low, high, expected):
    assert ticks(low, high, 6 if high == 50 else 5) == expected


def test_chart__puts_the_ends_of_both_axes_at_the_ends():
    line = Line("score", [0, 1], [0, 1], [(0, 0), (0.5, 1)], dots=True)
    found = chart("a", "b", [line], ("x", [(0, "0")]), ("y", (0, 1)))
    bottom = HEIGHT - 38
    assert [dot[1:] for dot in found.dots] == [(LEFT, bottom), (WIDTH - RIGHT, TOP)]
    band, path = found.paths
    assert (band.style, path.style) == ("score-band", "score")
    assert path.d == f"M{LEFT} {bottom}L{WIDTH - RIGHT} {TOP}"
    assert band.d.endswith("Z")


def test_families__go_from_no_compression_to_the_strongest():
    for family in FAMILIES:
        places = [place for place, _ in family.points.values()]
        assert next(iter(family.points)) == "none"
        assert places == sorted(places)
        assert 0 <= places[0] <= places[-1] <= 1
    steps = [FAMILIES[0].points[f"svd-{k}"][0] for k in (100, 10)]
    assert math.isclose(steps[1] - steps[0], (1 - 0.14) / 2)  # a decade of the two


def test_curves__hold_scores_and_accuracy_and_leave_out_what_was_not_asked(records):
    rescored = next(e for e in collect(records) if e.record.method == "twin")
    assert accuracy(rescored) == {"none": 0.9, "svd-5": 0.1, "int8": 0.85}
    found = curves(rescored)
    titles = {part.task: [c.title.partition(":")[0] for c in part.charts] for part in found}
    assert titles == {
        "identification": ["Singular directions", "Rounding"],
        "sparse-identification": ["Rounding"],
        "ordering": ["Singular directions", "Rounding"],
    }
    for part in found:
        for each in part.charts:
            assert [path.style for path in each.paths] == ["accuracy", "score-band", "score"]
            assert len(each.dots) == 4


def test_curves__show_the_other_method_that_they_are_given(records):
    results = {e.record.method: e for e in reversed(collect(records))}  # the first zoo's last
    found = curves(results["twin"], results["euclidean"])
    for part in found:
        for each in part.charts:
            styles = [path.style for path in each.paths]
            assert styles == ["accuracy", "other", "score-band", "score"]
