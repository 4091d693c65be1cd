import pytest

import wsbench
from wsbench.evaluation.suites import SUITES, Part, Suite, find_suite
from wsbench.networks.perturbations import PERTURBATIONS

MLP = wsbench.Layout.of([("w", (1, 2), ("output", "input"))], "sigmoid")
CNN = wsbench.Layout.of([("w", (1, 2), ("output", "input"))], "leaky-relu")


def test_suites__are_what_their_version_says():
    """A version that was published is never changed: change this with a new number only."""
    smoke, standard, full = (SUITES[name] for name in ("smoke", "standard", "full"))
    assert smoke == Suite("smoke", 1, ("identification", "ordering"), ("none", "permute"))
    assert standard.questions == ("identification", "ordering", "retrieval")
    assert standard.perturbations == (
        "none", "svd-500", "svd-100", "svd-50", "svd-25", "svd-10", "svd-5", "float16", "bfloat16",
        "int8", "int4", "prune-50", "prune-80", "prune-90", "prune-95", "permute", "permute+int8",
        "rescale",
    )  # fmt: skip
    assert (standard.version, standard.protocols, standard.rounds) == (1, ("standard",), 1)
    assert (full.questions, full.perturbations) == (standard.questions, standard.perturbations)
    assert (full.version, full.protocols, full.rounds) == (1, ("standard", "all"), 3)


def test_parts__leave_out_what_the_activation_does_not_allow():
    perturbations = [part.perturbation for part in SUITES["standard"].parts(MLP)]
    assert perturbations == list(PERTURBATIONS[:-1])
    assert [part.perturbation for part in SUITES["standard"].parts(CNN)] == list(PERTURBATIONS)


def test_parts__of_full_are_every_transform_under_both_protocols_with_three_seeds():
    parts = SUITES["full"].parts(CNN)
    assert len(parts) == len(set(parts)) == 2 * 3 * len(PERTURBATIONS)
    names = {part.task("ordering") for part in parts}
    assert len(names) == len(parts)
    assert {"ordering/none", "ordering/none/all", "ordering/none/standard/2"} <= names
    assert Part("none", "all", 1).task("ordering") == "ordering/none/all/1"


def test_find_suite__is_smoke_unless_something_is_asked():
    assert find_suite() == SUITES["smoke"]
    assert find_suite("full") == SUITES["full"]
    assert find_suite(questions=["retrieval", "retrieval"]).questions == ("retrieval",)
    assert find_suite(questions=["retrieval"]).perturbations == ("none",)
    custom = find_suite(perturbations=["int8", "none"])
    assert (custom.name, custom.perturbations) == ("custom", ("int8", "none"))
    assert custom.questions == ("identification", "ordering", "retrieval")


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
