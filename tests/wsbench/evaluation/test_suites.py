import pytest

import wsbench
from wsbench.evaluation.suites import SUITES, Suite, find_suite
from wsbench.tasks.condition import Condition

MLP = wsbench.Layout.of([("w", (1, 2), ("output", "input"))], "sigmoid")
CNN = wsbench.Layout.of([("w", (1, 2), ("output", "input"))], "leaky-relu")


def test_suites__are_what_their_version_says():
    """A version that was published is never changed: change this with a new number only."""
    smoke, standard, full = (SUITES[name] for name in ("smoke", "standard", "full"))
    assert smoke == Suite("smoke", 1, ("identification", "ordering"), ("none", "permute"))
    assert standard.tasks == ("identification", "ordering", "retrieval")
    assert standard.perturbations == (
        "none", "svd-500", "svd-100", "svd-50", "svd-25", "svd-10", "svd-5", "float16", "bfloat16",
        "int8", "int4", "prune-50", "prune-80", "prune-90", "prune-95", "permute", "permute+int8",
        "rescale",
    )  # fmt: skip
    assert (standard.version, standard.protocols, standard.repeats) == (1, ("standard",), 1)
    assert (full.tasks, full.perturbations) == (standard.tasks, standard.perturbations)
    assert (full.version, full.protocols, full.repeats) == (1, ("standard", "all"), 3)


def test_conditions__leave_out_what_the_activation_does_not_allow():
    standard = SUITES["standard"]
    perturbations = [condition.perturbation for condition in standard.conditions(MLP)]
    assert perturbations == [name for name in standard.perturbations if name != "rescale"]
    assert [condition.perturbation for condition in standard.conditions(CNN)] == [
        *standard.perturbations
    ]


def test_entries__are_every_task_under_every_condition_except_what_a_task_leaves_out():
    smoke = SUITES["smoke"]
    assert smoke.entries(CNN) == [
        "identification/none", "ordering/none", "identification/permute", "ordering/permute",
    ]  # fmt: skip
    custom = find_suite(perturbations=["none", "widen"])
    assert custom.entries(CNN) == [
        "identification/none", "ordering/none", "retrieval/none",
        "identification/widen", "ordering/widen",
    ]  # fmt: skip


def test_conditions__leave_out_what_no_task_is_asked_under():
    suite = find_suite(tasks=["retrieval"], perturbations=["widen", "permute"])
    assert suite.conditions(CNN) == [Condition("permute")]


def test_conditions__of_full_are_every_perturbation_under_both_protocols_with_three_seeds():
    conditions = SUITES["full"].conditions(CNN)
    assert len(conditions) == len(set(conditions)) == 2 * 3 * 18
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
    assert custom.tasks == ("identification", "ordering", "retrieval")


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
