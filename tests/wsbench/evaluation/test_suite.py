import pytest

import wsbench
from wsbench.evaluation.suite import SUITES, find_suite
from wsbench.tasks.condition import Condition

MLP = wsbench.Layout.of([("w", (1, 2), ("output", "input"))], "sigmoid")
CNN = wsbench.Layout.of([("w", (1, 2), ("output", "input"))], "leaky-relu")


def test_suites__are_what_their_version_says():
    """A version that was published is never changed: change this with a new number only."""
    smoke, standard, full = (SUITES[name] for name in ("smoke", "standard", "full"))
    assert [suite.version for suite in (smoke, standard, full)] == [2, 2, 2]
    assert {suite.date for suite in SUITES.values()} == {"2026-11-21"}
    assert standard.tasks == (
        "identification", "sparse-identification", "ordering", "precedence", "retrieval",
    )  # fmt: skip
    assert dict(standard.tracks.conditions) == {
        "as-written": (("none",),),
        "symmetry": (("permute",), ("rescale",), ("widen",)),
        "compression": (("bfloat16",), ("int8",), ("int4",), ("prune-50",)),
        "both": (("permute+rescale+int8", "permute+int8"),),
    }
    assert standard.tracks.tasks == ("identification", "sparse-identification")
    assert standard.on_curves == ("sparse-identification", "ordering", "retrieval")
    curves = set(standard.perturbations) - set(standard.tracks.perturbations)
    assert curves == {
        "svd-500", "svd-100", "svd-50", "svd-25", "svd-10", "svd-5", "float16", "prune-80",
        "prune-90", "prune-95", "permute+rescale",
    }  # fmt: skip
    assert (standard.protocols, standard.repeats) == (("standard",), 1)
    assert (full.tasks, full.perturbations) == (standard.tasks, standard.perturbations)
    assert (full.protocols, full.repeats) == (("standard", "all"), 3)
    assert smoke.tasks == standard.tasks[:4]
    assert smoke.perturbations == ("none", "int8", "permute", "permute+int8")
    assert list(smoke.tracks.conditions) == list(standard.tracks.conditions)


def test_conditions__leave_out_what_the_activation_does_not_allow():
    standard = SUITES["standard"]
    asked = {
        name: {condition.perturbation for condition in standard.conditions(layout)}
        for name, layout in {"MLP": MLP, "CNN": CNN}.items()
    }
    assert asked["CNN"] == set(standard.perturbations) - {"permute+int8"}
    assert asked["MLP"] == set(standard.perturbations) - {
        "rescale", "permute+rescale", "permute+rescale+int8",
    }  # fmt: skip


def test_tasks_under__are_all_in_the_tracks_and_some_on_curves():
    standard = SUITES["standard"]
    assert standard.tasks_under("int8") == standard.tasks
    assert standard.tasks_under("widen") == standard.tasks[:4]
    assert standard.tasks_under("svd-5") == ("sparse-identification", "ordering", "retrieval")
    assert find_suite(perturbations=["svd-5"]).tasks_under("svd-5") == tuple(wsbench.TASKS)


def test_entries__are_every_task_under_every_condition_except_what_a_task_leaves_out():
    smoke = SUITES["smoke"]
    assert set(smoke.entries(CNN)) == {
        f"{task}/{name}" for task in smoke.tasks for name in smoke.perturbations
    }
    custom = find_suite(tasks=["ordering", "retrieval"], perturbations=["none", "widen"])
    assert custom.entries(CNN) == ["ordering/none", "ordering/widen"]


def test_conditions__leave_out_what_no_task_is_asked_under():
    suite = find_suite(tasks=["retrieval"], perturbations=["widen", "permute"])
    assert suite.conditions(CNN) == [Condition("permute")]


def test_conditions__of_full_are_every_perturbation_under_both_protocols_with_three_seeds():
    conditions = SUITES["full"].conditions(CNN)
    assert len(conditions) == len(set(conditions)) == 2 * 3 * 20
    names = {condition.entry("ordering") for condition in conditions}
    assert len(names) == len(conditions)
    assert {"ordering/none", "ordering/none/all", "ordering/none/standard/2"} <= names
    assert Condition("none", "all", 1).entry("ordering") == "ordering/none/all/1"


def test_find_suite__is_smoke_unless_something_is_asked():
    assert find_suite() == SUITES["smoke"]
    assert find_suite("full") == SUITES["full"]
    assert find_suite(tasks=["retrieval", "retrieval"]).tasks == ("retrieval",)
    assert find_suite(tasks=["retrieval"]).perturbations == ("none",)
    custom = find_suite(perturbations=["int8", "none"])
    assert (custom.name, custom.perturbations) == ("custom", ("int8", "none"))
    assert custom.tasks == tuple(wsbench.TASKS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("standrad",), "unknown suite 'standrad'; did you mean 'standard'?"),
        ((None, ["order"]), "unknown task 'order'; did you mean 'ordering'?"),
        ((None, [], ["int-8"]), "unknown perturbation 'int-8'; did you mean 'int8'?"),
    ],
)
def test_find_suite__names_the_nearest(arguments, message):
    with pytest.raises(wsbench.UnknownIdError) as error:
        find_suite(*arguments)
    assert message in str(error.value)


def test_find_suite__refuses_a_suite_and_something_else():
    with pytest.raises(ValueError, match="suite 'full' has its own tasks and perturbations"):
        find_suite("full", [], ["none"])
