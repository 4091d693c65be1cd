import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from support.torch_networks import ARCHITECTURES, torch_networks
from wsbench.errors import UnknownIdError
from wsbench.networks.forward import activations
from wsbench.networks.layout import Layout
from wsbench.networks.perturbations import (
    COMPRESSION,
    PERTURBATIONS,
    SYMMETRY,
    Perturbations,
    applicable,
    layout_after,
)
from wsbench.networks.symmetries import permute_hidden, rescale_hidden
from wsbench.networks.widening import widen_hidden, widened
from wsbench_zoos.architectures import CNN, MLP

MIDDLE = dataclasses.replace(MLP((16, 6, 5, 4)).layout(), activation="relu")
RELU = dataclasses.replace(MLP((196, 10, 7, 10)).layout(), activation="relu")
LAYOUTS = {"mlp": MLP((196, 10, 7, 10)).layout(), "mlp-relu": RELU, "cnn": CNN().layout()}
SMALL = Layout.of(
    [("a", (3, 2), ("hidden-1", "input")), ("b", (2, 3), ("output", "hidden-1"))], "relu"
)
LEVELS = {"int8": 127, "int4": 7}
SHARES = {"prune-50": 50, "prune-80": 80, "prune-90": 90, "prune-95": 95}
SVD = [name for name in COMPRESSION if name.startswith("svd-")]
EXACT = [name for name in SYMMETRY if name != "permute+rescale+int8"]
WITH_RESCALE = {"rescale", "permute+rescale", "permute+rescale+int8"}
BY_BITS = [name for name in COMPRESSION if name not in SVD]

small_weights = arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.just(SMALL.n_parameters)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)
# Few values, so that ties are the rule.
tied_weights = arrays(np.float32, (3, SMALL.n_parameters), elements=st.integers(-3, 3))


def random_weights(layout, n=6, seed=0):
    return np.random.default_rng(seed).standard_normal((n, layout.n_parameters)).astype(np.float32)


def apply(name, weights, layout, seed=2, train=None):
    perturb = Perturbations(weights if train is None else train).get(name)
    return perturb(weights, layout, np.random.default_rng(seed))


def assert_same_bits(first, second):
    np.testing.assert_array_equal(first.view(np.uint32), second.view(np.uint32))


def outputs(weights, layout):
    images = np.random.default_rng(1).random((20, 14, 14), np.float32)
    return activations(weights, layout, images, "output")


def test_names__are_those_of_the_tasks():
    svd = ["svd-500", "svd-100", "svd-50", "svd-25", "svd-10", "svd-5"]
    pruning = ["prune-50", "prune-80", "prune-90", "prune-95"]
    assert list(COMPRESSION) == [*svd, "float16", "bfloat16", "int8", "int4", *pruning]
    assert list(SYMMETRY) == [
        "permute", "permute+int8", "rescale", "permute+rescale", "permute+rescale+int8", "widen",
    ]  # fmt: skip
    assert list(PERTURBATIONS) == ["none", *COMPRESSION, *SYMMETRY]
    assert [PERTURBATIONS[n] for n in COMPRESSION + SYMMETRY] == ["compression"] * 14 + [
        "symmetry"
    ] * 6
    assert PERTURBATIONS["none"] == "none"


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_perturbations__return_new_float32_weights_of_the_layout_after(name):
    weights = random_weights(MIDDLE)
    weights.flags.writeable = False
    before = weights.copy()
    changed = apply(name, weights, MIDDLE)
    assert changed.dtype == np.float32
    assert changed.shape == (len(weights), layout_after(name, MIDDLE).n_parameters)
    assert not np.shares_memory(changed, weights)
    assert_same_bits(weights, before)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_perturbations__are_the_same_to_the_bit_for_the_same_rng(name):
    weights = random_weights(MIDDLE)
    assert_same_bits(apply(name, weights, MIDDLE), apply(name, weights, MIDDLE))


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_perturbations__leave_zero_weights_zero(name):
    zeros = np.zeros((2, 12), np.float32)
    expected = np.zeros((2, layout_after(name, SMALL).n_parameters), np.float32)
    np.testing.assert_array_equal(apply(name, zeros, SMALL), expected)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_perturbations__take_rows_that_do_not_follow_each_other(name):
    weights, train = random_weights(SMALL), random_weights(SMALL, seed=1)
    changed = apply(name, weights[::2], SMALL, train=train)
    expected = apply(name, weights[::2].copy(), SMALL, train=train)
    np.testing.assert_allclose(changed, expected, rtol=1e-6, atol=1e-6)


def test_none__changes_no_bit():
    weights = random_weights(SMALL)
    assert_same_bits(apply("none", weights, SMALL), weights)


@given(small_weights)
def test_float16__is_that_of_torch_with_overflow_clipped(weights):
    by_torch = torch.from_numpy(weights).clamp(-65504, 65504).half().float().numpy()
    assert_same_bits(apply("float16", weights, SMALL), by_torch)


@given(small_weights)
def test_bfloat16__is_that_of_torch_with_overflow_clipped(weights):
    largest = torch.finfo(torch.bfloat16).max
    by_torch = torch.from_numpy(weights).clamp(-largest, largest).bfloat16().float().numpy()
    assert_same_bits(apply("bfloat16", weights, SMALL), by_torch)


def test_bfloat16__is_that_of_torch_for_any_upper_bits_and_around_ties():
    upper = np.arange(1 << 16, dtype=np.uint32)[:, None] << np.uint32(16)
    lower = np.array([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF], np.uint32)
    below_the_largest_exponent = np.uint32(0xFEFFFFFF)
    weights = ((upper | lower) & below_the_largest_exponent).view(np.float32).reshape(-1, 12)
    by_torch = torch.from_numpy(weights).bfloat16().float().numpy()
    assert_same_bits(apply("bfloat16", weights, SMALL), by_torch)


@pytest.mark.parametrize(("name", "largest"), [("float16", 65504), ("bfloat16", 3.3895314e38)])
def test_floats__stay_finite_where_they_would_overflow(name, largest):
    most = np.finfo(np.float32).max
    weights = np.tile(np.array([[most, -most]], np.float32), 6)
    expected = np.tile(np.array([[largest, -largest]], np.float32), 6)
    np.testing.assert_array_equal(apply(name, weights, SMALL), expected)


@pytest.mark.parametrize("name", LEVELS)
@pytest.mark.parametrize("architecture", LAYOUTS)
def test_int__is_that_of_torch_tensor_by_tensor(name, architecture):
    layout, levels = LAYOUTS[architecture], LEVELS[name]
    weights = random_weights(layout)
    changed = apply(name, weights, layout)
    for tensor in layout.tensors:
        part = slice(tensor.start, tensor.stop)
        for row, got in zip(weights[:, part], changed[:, part], strict=True):
            values = torch.from_numpy(row)
            scale = float(values.abs().max()) / levels
            by_torch = torch.fake_quantize_per_tensor_affine(values, scale, 0, -levels, levels)
            np.testing.assert_allclose(got, by_torch, rtol=1e-6)
            assert len(np.unique(np.abs(got))) <= levels + 1


def test_int__rounds_ties_to_even_and_keeps_zero_tensors():
    weights = np.array([[0.5, 1.5, 2.5, -0.5, -2.5, 7, 0, 0, 0, 0, 0, 0]], np.float32)
    expected = np.array([[0, 2, 2, 0, -2, 7, 0, 0, 0, 0, 0, 0]], np.float32)
    np.testing.assert_array_equal(apply("int4", weights, SMALL), expected)


@given(small_weights)
def test_int__has_an_error_of_half_a_step_at_most_and_keeps_the_largest(weights):
    for name, levels in LEVELS.items():
        changed = apply(name, weights, SMALL)
        for part in (slice(0, 6), slice(6, 12)):
            before, after = (w[:, part].astype(np.float64) for w in (weights, changed))
            largest = np.abs(before).max(axis=1, keepdims=True)
            smallest_float = np.finfo(np.float32).smallest_subnormal
            bound = largest / levels / 2 * (1 + 1e-5) + smallest_float
            assert (np.abs(after - before) <= bound).all()
            np.testing.assert_array_equal(np.abs(after).max(axis=1, keepdims=True), largest)


def naive_prune(values, per_cent):
    ranked = sorted(range(len(values)), key=lambda i: (abs(values[i]), i))
    dropped = set(ranked[: len(values) * per_cent // 100])
    return [0 if i in dropped else value for i, value in enumerate(values)]


@given(tied_weights)
def test_prune__drops_the_smallest_and_of_ties_the_first(weights):
    for name, per_cent in SHARES.items():
        changed = apply(name, weights, SMALL)
        for before, after in zip(weights.tolist(), changed.tolist(), strict=True):
            expected = naive_prune(before[:6], per_cent) + naive_prune(before[6:], per_cent)
            assert after == expected


@pytest.mark.parametrize(
    ("name", "n_zeros"), [("prune-50", 50), ("prune-80", 80), ("prune-90", 90), ("prune-95", 95)]
)
def test_prune__drops_exactly_its_share_of_every_tensor(name, n_zeros):
    layout = Layout.of([(t, (10, 10), ("output", "input")) for t in "ab"], "relu")
    changed = apply(name, random_weights(layout), layout)
    zeros = (changed.reshape(6, 2, 100) == 0).sum(axis=2)
    np.testing.assert_array_equal(zeros, n_zeros)


@pytest.mark.parametrize("name", BY_BITS)
@given(weights=small_weights)
def test_compression__is_idempotent_to_the_bit(name, weights):
    once = apply(name, weights, SMALL)
    assert_same_bits(apply(name, once, SMALL), once)


@pytest.mark.parametrize("name", BY_BITS)
@pytest.mark.parametrize("architecture", LAYOUTS)
def test_compression__commutes_with_permutation(name, architecture):
    layout = LAYOUTS[architecture]
    weights = random_weights(layout)
    after = permute_hidden(apply(name, weights, layout), layout, np.random.default_rng(3))
    before = apply(name, permute_hidden(weights, layout, np.random.default_rng(3)), layout)
    assert_same_bits(before, after)


@pytest.mark.parametrize("name", [name for name in COMPRESSION if name != "svd-500"])
def test_compression__changes_the_weights(name):
    weights, train = random_weights(MIDDLE, 8), random_weights(MIDDLE, 200, seed=1)
    changed = apply(name, weights, MIDDLE, train=train)
    assert (changed != weights).any(axis=1).all()


@pytest.mark.parametrize("name", SVD)
def test_svd__is_the_projection_on_the_leading_singular_vectors(name):
    k = int(name.removeprefix("svd-"))
    layout = Layout.of([("a", (4, 15), ("output", "input"))], "relu")
    train = random_weights(layout, 90, seed=1) * np.geomspace(1, 0.01, 60, dtype=np.float32)
    train += 3  # a mean, which is not taken away
    weights = random_weights(layout, 70)
    _, _, vectors = np.linalg.svd(train.astype(np.float64), full_matrices=False)
    expected = weights @ vectors[:k].T @ vectors[:k]
    changed = apply(name, weights, layout, train=train)
    np.testing.assert_allclose(changed, expected, atol=1e-5)
    again = apply(name, changed, layout, train=train)
    np.testing.assert_allclose(again, changed, atol=1e-5)
    assert np.linalg.matrix_rank(changed, tol=1e-3) == min(k, 60)


def test_svd__keeps_what_lies_in_the_span_of_the_train_weights():
    train = random_weights(MIDDLE, 4)
    weights = np.random.default_rng(1).standard_normal((9, 4)).astype(np.float32) @ train
    np.testing.assert_allclose(apply("svd-5", weights, MIDDLE, train=train), weights, atol=1e-5)


def test_svd__leaves_out_directions_that_are_zero():
    weights = random_weights(SMALL)
    train = np.tile(random_weights(SMALL, 2, seed=1), (50, 1))  # of rank 2
    perturbations = Perturbations(train)
    assert perturbations.directions.shape == (12, 2)
    changed = perturbations.get("svd-500")(weights, SMALL, np.random.default_rng(0))
    expected = weights @ np.linalg.pinv(train[:2]) @ train[:2]
    np.testing.assert_allclose(changed, expected, atol=1e-5)


def test_svd__has_no_more_directions_than_train_checkpoints():
    assert Perturbations(random_weights(MIDDLE, 3)).directions.shape == (MIDDLE.n_parameters, 3)


def test_svd__on_all_directions_changes_nothing():
    weights = random_weights(SMALL)
    train = random_weights(SMALL, 40, seed=1)
    np.testing.assert_allclose(apply("svd-25", weights, SMALL, train=train), weights, atol=1e-6)


def test_svd__decomposes_once_for_every_k_and_only_if_asked(monkeypatch):
    calls, eigh = [], np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda matrix: calls.append(1) or eigh(matrix))
    perturbations = Perturbations(random_weights(SMALL))
    for name in {*PERTURBATIONS} - {*SVD}:
        perturbations.get(name)(random_weights(SMALL), SMALL, np.random.default_rng(0))
    assert not calls
    for name in SVD:
        perturbations.get(name)(random_weights(SMALL), SMALL, np.random.default_rng(0))
    assert len(calls) == 1


@pytest.mark.parametrize("architecture", LAYOUTS)
@pytest.mark.parametrize("name", EXACT)
def test_symmetry__changes_the_weights_and_not_the_function(name, architecture):
    layout = LAYOUTS[architecture]
    if not applicable(name, layout):
        pytest.skip("the activation forbids it")
    weights, after_layout = random_weights(layout), layout_after(name, layout)
    changed = apply(name, weights, layout)
    compared = apply("int8", weights, layout) if name == "permute+int8" else weights
    assert after_layout != layout or (changed != compared).any(axis=1).all()
    before, after = outputs(compared, layout), outputs(changed, after_layout)
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4 * np.abs(before).max())


@pytest.mark.parametrize("name", ["int8", "int4", "prune-50"])
def test_compression__changes_the_function(name):
    # That outputs can tell: the test above would otherwise pass for any change.
    weights = random_weights(RELU)
    before, after = outputs(weights, RELU), outputs(apply(name, weights, RELU), RELU)
    assert np.abs(after - before).max() > 1e-3 * np.abs(before).max()


@pytest.mark.parametrize("name", SYMMETRY)
def test_symmetry__differs_between_checkpoints_and_follows_the_rng(name):
    weights = np.tile(random_weights(MIDDLE, 1), (5, 1))
    changed = apply(name, weights, MIDDLE)
    assert len(np.unique(changed, axis=0)) == 5
    assert (apply(name, weights, MIDDLE, seed=3) != changed).any()


def test_permute_int8__is_int8_permuted():
    weights = random_weights(MIDDLE)
    int8 = apply("int8", weights, MIDDLE)
    assert_same_bits(apply("permute+int8", weights, MIDDLE), apply("permute", int8, MIDDLE))


def test_permute_rescale__is_permute_then_rescale_and_int8_comes_first():
    weights, rng = random_weights(MIDDLE), np.random.default_rng(2)
    expected = rescale_hidden(permute_hidden(weights, MIDDLE, rng), MIDDLE, rng)
    assert_same_bits(apply("permute+rescale", weights, MIDDLE), expected)
    rounded = apply("int8", weights, MIDDLE)
    expected = apply("permute+rescale", rounded, MIDDLE)
    assert_same_bits(apply("permute+rescale+int8", weights, MIDDLE), expected)


@pytest.mark.parametrize("architecture", ["mlp-relu", "cnn"])
def test_permute_rescale_int8__leaves_the_function_of_int8(architecture):
    layout = LAYOUTS[architecture]
    weights = random_weights(layout)
    expected = outputs(apply("int8", weights, layout), layout)
    found = outputs(apply("permute+rescale+int8", weights, layout), layout)
    np.testing.assert_allclose(found, expected, atol=1e-6 * np.abs(expected).max())


def test_widen__is_widen_hidden():
    weights = random_weights(MIDDLE)
    expected = widen_hidden(weights, MIDDLE, np.random.default_rng(2))
    assert_same_bits(apply("widen", weights, MIDDLE), expected)


def test_layout_after__is_another_one_for_widen_only():
    changed = {name for name in PERTURBATIONS if layout_after(name, MIDDLE) != MIDDLE}
    assert changed == {"widen"}
    assert layout_after("widen", MIDDLE) == widened(MIDDLE)


def test_applicable__is_all_but_rescale_where_the_activation_is_not_homogeneous():
    for activation in ("identity", "leaky-relu", "relu", "sigmoid", "tanh"):
        layout = dataclasses.replace(SMALL, activation=activation)
        found = {name for name in PERTURBATIONS if applicable(name, layout)}
        left_out = WITH_RESCALE if activation in ("sigmoid", "tanh") else set()
        assert found == {*PERTURBATIONS} - left_out


def test_applicable__is_not_rescale_where_the_forward_pass_does_not_support_a_tensor():
    tensors = [("a", (3, 2), ("hidden-1", "input")), ("skip", (2, 2), ("output", "input"))]
    layout = Layout.of(tensors, "relu")
    assert {name for name in PERTURBATIONS if not applicable(name, layout)} == WITH_RESCALE
    for name in WITH_RESCALE:
        with pytest.raises(ValueError, match=r"rescale: .*'skip' takes 'input'"):
            apply(name, random_weights(layout), layout)


@pytest.mark.parametrize("name", ["rescale", "permute+rescale", "permute+rescale+int8"])
def test_rescale__is_refused_where_it_would_change_the_function(name):
    layout = LAYOUTS["mlp"]
    with pytest.raises(ValueError, match=r"'sigmoid' is not one of identity, leaky-relu, relu"):
        apply(name, random_weights(layout), layout)


def test_unknown_names__are_answered_with_the_nearest():
    with pytest.raises(
        UnknownIdError, match="unknown perturbation 'bfloat'; did you mean 'bfloat16'"
    ):
        Perturbations(random_weights(SMALL)).get("bfloat")
    with pytest.raises(UnknownIdError, match="did you mean 'rescale'"):
        applicable("rescaled", SMALL)
    with pytest.raises(UnknownIdError, match="did you mean 'int8'"):
        applicable("int88", SMALL)
    with pytest.raises(UnknownIdError, match="did you mean 'widen'"):
        layout_after("widened", SMALL)


NORMALISED = "convolution, bias, batch norm, pooling"
ROUNDING = ["float16", "bfloat16", "int8", "int4"]


def changed_roles(name):
    networks = torch_networks(NORMALISED, "relu")
    changed = apply(name, networks.weights, networks.layout)
    different = changed != networks.weights
    return {
        tensor.role
        for tensor in networks.layout.tensors
        if different[:, tensor.start : tensor.stop].any()
    }


@pytest.mark.parametrize("name", ROUNDING)
def test_rounding__applies_to_every_tensor_by_itself(name):
    assert changed_roles(name) == {"weight", "bias", "scale", "shift", "mean", "variance"}
    networks = torch_networks(NORMALISED, "relu")
    changed = apply(name, networks.weights, networks.layout)
    for tensor in networks.layout.tensors:
        part = slice(tensor.start, tensor.stop)
        values = networks.weights[:, part].copy()
        alone = Layout.of([("alone", values.shape[1:], ("output",))], "relu")
        expected = apply(name, values, alone)
        if tensor.role == "variance":
            levels = LEVELS.get(name, np.inf)
            step = (values.max(axis=1, keepdims=True).astype(np.float64) / levels).astype("f4")
            expected = np.maximum(expected, step)
        assert_same_bits(changed[:, part], expected)


@pytest.mark.parametrize("name", SHARES)
def test_prune__leaves_biases_and_batch_norm_alone(name):
    assert changed_roles(name) == {"weight"}


@pytest.mark.parametrize("name", COMPRESSION)
def test_compression__keeps_variances_positive_and_the_function_defined(name):
    networks = torch_networks(NORMALISED, "relu", n=6)
    weights, layout = networks.weights.copy(), networks.layout
    variances = [t for t in layout.tensors if t.role == "variance"]
    for tensor in variances:
        values = weights[:, tensor.start : tensor.stop]
        values[:, 0], values[:, 1], values[:, 2] = 1e-9, 1e-40, 0
    train = np.random.default_rng(5).standard_normal((3, layout.n_parameters)).astype(np.float32)
    changed = apply(name, weights, layout, train=train)
    for tensor in variances:
        before, after = (w[:, tensor.start : tensor.stop] for w in (weights, changed))
        assert (after >= 0).all()
        if name not in SVD:
            np.testing.assert_array_equal(after > 0, before > 0)
            assert_same_bits(apply(name, changed, layout), changed)
    with np.errstate(over="ignore"):
        assert np.isfinite(activations(changed, layout, networks.inputs, "output")).all()


def test_svd__of_variances_would_be_negative_without_the_bound():
    networks = torch_networks(NORMALISED, "relu", n=6)
    train = np.random.default_rng(5).standard_normal(networks.weights.shape).astype(np.float32)
    directions = Perturbations(train).directions[:, :5]
    projected = networks.weights @ directions @ directions.T
    variance = next(t for t in networks.layout.tensors if t.role == "variance")
    assert (projected[:, variance.start : variance.stop] < 0).any()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", EXACT)
def test_symmetry__leaves_what_torch_modules_compute(name, architecture):
    networks = torch_networks(architecture, "leaky-relu")
    weights, layout = networks.weights, networks.layout
    expected = networks.answers()["output"]
    if name == "permute+int8":
        expected = activations(apply("int8", weights, layout), layout, networks.inputs, "output")
    changed = apply(name, weights, layout)
    after = layout_after(name, layout)
    assert after != layout or (changed != weights).any(axis=1).all()
    found = activations(changed, after, networks.inputs, "output")
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", BY_BITS)
def test_compression__of_vectors_commutes_with_permutation(name):
    networks = torch_networks(NORMALISED, "relu")
    weights, layout = networks.weights, networks.layout
    after = permute_hidden(apply(name, weights, layout), layout, np.random.default_rng(3))
    before = apply(name, permute_hidden(weights, layout, np.random.default_rng(3)), layout)
    assert_same_bits(before, after)
