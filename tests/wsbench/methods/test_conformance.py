"""For each check a method that is broken in just that way, and fails just that check."""

import ctypes

import numpy as np
import pytest

import wsbench
from wsbench.methods.conformance import check_method
from wsbench.methods.protocol import LoadedMethod
from wsbench.testing import conformance

FIRST = "fits and answers, reading nothing undeclared"
ANSWERS = "fits and answers, reading nothing undeclared"
SHAPE = "right shape, finite numbers"
DISTANCE = "symmetric, zero diagonal"
TWICE = "the same when asked twice"
ELSEWHERE = "the same in a fresh process"
ROW_ORDER = "does not depend on row order"
SUBSET = "a subset gives the rows of the whole"
INPUT = "leaves its input alone"
ORDER = "order is a permutation"


def loaded(method, spec=""):
    info = getattr(method, "info", wsbench.MethodInfo("broken"))
    return LoadedMethod(method, info, spec, "")


def embedding(function, **info):
    class Method:
        pass

    method = Method()
    method.transform = function
    method.info = wsbench.MethodInfo("broken", **info)
    return loaded(method)


def distances(function):
    class Method:
        pass

    method = Method()
    method.pairwise = function
    return loaded(method)


def weights(checkpoints):
    return checkpoints.weights.astype(float)


def euclidean(checkpoints):
    return wsbench.pairwise_euclidean(checkpoints.weights)


def scaled_by_the_first_row(checkpoints):
    return weights(checkpoints) * (1 + abs(weights(checkpoints)[0, 0]))


def centred(checkpoints):
    return weights(checkpoints) - weights(checkpoints).mean(axis=0)


def scaled(checkpoints):
    return weights(checkpoints) / weights(checkpoints).std()


def writes(checkpoints):
    checkpoints.weights.setflags(write=True)
    return weights(checkpoints)


def writes_by_address(checkpoints):
    before = weights(checkpoints)
    ctypes.memset(checkpoints.weights.ctypes.data, 0, 4)
    return before


def with_order(order):
    method = embedding(weights).method
    method.order = order
    return loaded(method)


def longer_uphill(checkpoints):
    sums = weights(checkpoints).sum(axis=1)
    return euclidean(checkpoints) * (1 + (sums[:, None] > sums))


class DriftsWithEachFit:
    n_fits = 0

    def fit(self, train, *, rng):
        self.n_fits += 1

    def transform(self, checkpoints):
        return weights(checkpoints) * self.n_fits


BROKEN = {
    "reads labels": (embedding(lambda c: c.model[:, None]), [FIRST]),
    "reads probe inputs": (embedding(lambda c: weights(c) + c.probe_inputs.mean()), [FIRST]),
    "reads activations": (embedding(lambda c: c.activations("output")[:, :, 0]), [FIRST]),
    "raises": (embedding(lambda c: 1 / 0), [FIRST]),
    "one row too few": (embedding(lambda c: weights(c)[1:]), [SHAPE]),
    "three axes": (embedding(lambda c: weights(c)[:, :, None]), [SHAPE]),
    "no columns": (embedding(lambda c: weights(c)[:, :0]), [SHAPE]),
    "NaN": (embedding(lambda c: weights(c) * np.nan), [SHAPE]),
    "texts": (embedding(lambda c: weights(c).astype(str)), [ANSWERS]),
    "asymmetric": (distances(longer_uphill), [DISTANCE]),
    "diagonal": (distances(lambda c: euclidean(c) + 1), [DISTANCE]),
    "negative": (distances(lambda c: -euclidean(c)), [DISTANCE]),
    "drifts when fitted again": (loaded(DriftsWithEachFit()), [TWICE]),
    "looks which row is first": (embedding(scaled_by_the_first_row), [ROW_ORDER]),
    "knows the other rows": (embedding(centred), [SUBSET]),
    "makes weights writeable": (embedding(writes), [FIRST]),
    "writes by address": (embedding(writes_by_address), [INPUT]),
    "order too long": (with_order(lambda c: np.arange(len(c) + 1)), [ORDER]),
    "order repeats": (with_order(lambda c: np.zeros(len(c), int)), [ORDER]),
    "claims a permutation": (
        embedding(weights, invariances={"hidden-permutation"}),
        ["invariant under hidden-permutation"],
    ),
    "claims a rescaling": (
        embedding(lambda c: np.sort(weights(c)), invariances={"positive-rescaling"}),
        ["invariant under positive-rescaling"],
    ),
    "claims a sign flip": (
        embedding(weights, invariances={"sign-flip"}),
        ["invariant under sign-flip"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_check_method__fails_a_broken_method_in_just_what_is_broken(name):
    method, expected = BROKEN[name]
    failed = [f.check for f in check_method(method) if f.status == "failed"]
    assert failed == expected
    assert all(f.detail for f in check_method(method) if f.status == "failed")


def test_check_method__hints_that_a_method_is_transductive():
    findings = {f.check: f for f in check_method(embedding(scaled))}
    assert findings[SUBSET].status == "hint"
    assert "transductive, so it has no rank: distances among fewer" in findings[SUBSET].detail
    assert "failed" not in {f.status for f in findings.values()}


def test_check_method__fails_a_method_that_differs_between_processes(tmp_path):
    (tmp_path / "salted.py").write_text(
        "class Salted:\n"
        "    def transform(self, checkpoints):\n"
        "        return checkpoints.weights * (1 + hash('wsbench') % 1000)\n"
    )
    findings = check_method(f"{tmp_path}/salted.py:Salted")
    assert [f.check for f in findings if f.status == "failed"] == [ELSEWHERE]


def test_check_method__says_which_line_to_add_for_an_undeclared_need():
    finding = check_method(BROKEN["reads activations"][0])[0]
    assert 'add needs={"activations"}' in finding.detail


def test_check_method__measures_invariances_and_hints_at_undeclared_ones():
    def sizes(checkpoints):
        return np.sort(np.abs(checkpoints.tensors("fc1.weight")).sum(axis=2).astype(float), axis=1)

    findings = check_method(embedding(sizes, invariances={"hidden-permutation"}))
    by_check = {f.check: f for f in findings}
    assert by_check["invariant under hidden-permutation"].status == "passed"
    assert by_check["invariant under sign-flip"].status == "hint"
    assert 'invariances={"sign-flip"}' in by_check["invariant under sign-flip"].detail
    assert by_check["invariant under positive-rescaling"].status == "skipped"


def test_check_method__lets_a_method_read_what_it_declares():
    def answers(checkpoints):
        return checkpoints.activations("output").reshape(len(checkpoints), -1)

    findings = check_method(embedding(answers, needs={"activations"}))
    assert [f for f in findings if f.status == "failed"] == []
    assert [f.check for f in findings if f.status == "hint"] == [
        f"invariant under {symmetry}" for symmetry in wsbench.methods.protocol.INVARIANCES
    ]


@pytest.mark.slow
def test_check_method__takes_a_scikit_learn_transformer_with_parameters():
    method = wsbench.load_method("sklearn.decomposition:TruncatedSVD", {"n_components": 100})
    statuses = {finding.check: finding.status for finding in check_method(method)}
    assert statuses[TWICE] == statuses[ELSEWHERE] == "passed"
    assert "failed" not in statuses.values()


def test_check_method__skips_a_symmetry_where_all_distances_are_zero():
    findings = check_method(embedding(lambda c: np.ones((len(c), 1))))
    details = [f.detail for f in findings if f.check.startswith("invariant")]
    assert details == 3 * ["not declared; all distances are zero"]


@conformance("euclidean")
def test_conformance__runs_a_test_for_each_check(finding):
    assert finding.status in ("passed", "skipped")


def test_zoo__gives_the_checkpoints_labels_and_inputs(make_zoo):
    """Fitted on train models, asked about test models, never about initial weights."""
    zoo = wsbench.load_zoo(make_zoo(models=50))
    seen = {"fitted": [], "asked": []}

    class Method:
        info = wsbench.MethodInfo("seeing", needs={"labels"})

        def fit(self, train, *, rng):
            seen["fitted"].append((train.weights, train.model))

        def transform(self, checkpoints):
            seen["asked"].append(checkpoints.weights)
            assert [t.name for t in checkpoints.layout.tensors] == ["a", "b"]
            return checkpoints.weights

    findings = check_method(loaded(Method()), zoo)
    assert findings[0].status == "passed", findings[0].detail
    weights, models = seen["fitted"][0]
    of_row = {row.tobytes(): i for i, row in enumerate(zoo.weights)}
    rows = [of_row[row.tobytes()] for row in weights]
    assert set(zoo.split[rows]) == {0}
    assert zoo.model[rows].tolist() == models.tolist()
    assert (zoo.epoch[rows] > 0).all()
    asked = [of_row[row.tobytes()] for row in seen["asked"][0]]
    assert set(zoo.split[asked]) == {2}
    assert asked != sorted(asked)


def test_zoo__finds_a_method_that_fails_on_its_networks_alone(make_zoo, tmp_path):
    (tmp_path / "m.py").write_text("def first_layer(weights):\n    return weights[:, [60]]\n")
    spec = f"{tmp_path}/m.py:first_layer"
    assert all(finding.status != "failed" for finding in check_method(spec))
    (finding,) = check_method(spec, str(make_zoo(models=50)))
    assert (finding.check, finding.status) == (ANSWERS, "failed")
    assert "IndexError: index 60 is out of bounds" in finding.detail


def test_zoo__without_test_models_is_refused(make_zoo):
    with pytest.raises(wsbench.ZooError, match="no checkpoint of a train model"):
        check_method("euclidean", wsbench.load_zoo(make_zoo(models=1)))
