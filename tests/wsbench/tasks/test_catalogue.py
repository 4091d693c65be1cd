"""What holds for every task of the catalogue."""

import pytest

import wsbench
from wsbench.tasks.catalogue import asked_under, find_task


@pytest.mark.parametrize("name", wsbench.TASKS)
def test_tasks__have_one_primary_score_and_columns_that_exist(name):
    task = wsbench.TASKS[name]
    assert name == task.NAME
    assert [spec for spec in task.SCORES if spec.is_primary] == [wsbench.primary_score(name)]
    specs = {spec.name: spec for spec in task.SCORES}
    assert len(specs) == len(task.SCORES)
    assert set(task.LEAVES_OUT) < set(wsbench.PERTURBATIONS)
    assert task.COLUMNS
    for column in task.COLUMNS:
        if column.robustness:
            assert column.robustness in wsbench.PERTURBATIONS.values()
            assert not column.score
        elif column.track:
            assert column.track in ("overall", *wsbench.SUITES["standard"].tracks.conditions)
            assert not column.score
        else:
            assert column.score in specs
            assert column.perturbation in {*wsbench.PERTURBATIONS} - {*task.LEAVES_OUT}


def test_asked_under__leaves_out_what_cannot_be_compared_with_the_gallery_or_equals_it():
    for perturbation in ("widen", "none"):
        asked = asked_under(perturbation, wsbench.TASKS)
        assert asked == ("identification", "sparse-identification", "ordering", "precedence")
    assert asked_under("permute", wsbench.TASKS) == tuple(wsbench.TASKS)


def test_find_task__names_the_nearest():
    assert find_task("ordering") is wsbench.TASKS["ordering"]
    with pytest.raises(wsbench.UnknownIdError, match="did you mean 'ordering'"):
        find_task("orderng")
