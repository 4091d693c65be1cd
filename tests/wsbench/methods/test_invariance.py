from dataclasses import replace

import numpy as np
import pytest

import wsbench
from wsbench.methods.invariance import distances_before_and_after, holds

LAYOUT = wsbench.Layout.of(
    [
        ("fc1.weight", (4, 3), ("hidden-1", "input")),
        ("fc2.weight", (2, 4), ("output", "hidden-1")),
    ],
    "sigmoid",
)


@pytest.fixture
def measured():
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((5, 20)).astype(np.float32)
    inputs = rng.random((30, 3), dtype=np.float32)

    def measure(symmetry, embed, layout=LAYOUT):
        def distances_of(weights, layout):
            return wsbench.pairwise_euclidean(embed(weights.astype(np.float64), layout))

        return holds(*distances_before_and_after(symmetry, distances_of, weights, layout, inputs))

    return measure


@pytest.mark.parametrize(
    ("embed", "expected"),
    [
        (lambda weights, _: weights, []),
        (lambda weights, _: np.sort(weights, axis=1), ["hidden-permutation"]),
        (lambda weights, _: np.sort(abs(weights), axis=1), ["hidden-permutation", "sign-flip"]),
        (lambda weights, _: np.sign(weights), ["positive-rescaling"]),
        (lambda weights, _: np.ones((len(weights), 1)), []),
    ],
)
def test_holds__finds_the_symmetries_that_an_embedding_does_not_see(measured, embed, expected):
    symmetries = ("hidden-permutation", "positive-rescaling", "sign-flip")
    assert [symmetry for symmetry in symmetries if measured(symmetry, embed)] == expected


def test_distances_before_and_after__takes_an_activation_that_has_the_symmetry(measured):
    seen = []

    def embed(weights, layout):
        seen.append(layout.activation)
        return weights

    measured("sign-flip", embed)
    measured("sign-flip", embed, replace(LAYOUT, activation="identity"))
    assert seen == ["tanh", "tanh", "identity", "identity"]


def test_distances_before_and_after__refuses_a_layout_that_names_hidden_units_wrongly(measured):
    wrong = wsbench.Layout.of(
        [
            ("fc1.weight", (4, 3), ("hidden-1", "input")),
            ("fc2.weight", (2, 4), ("output", "hidden-2")),
        ],
        "sigmoid",
    )
    with pytest.raises(
        wsbench.FormatError, match=r"'fc2.weight' takes 'hidden-2'.*gives 'hidden-1'"
    ):
        measured("hidden-permutation", lambda weights, _: weights, wrong)


def test_distances_before_and_after__refuses_networks_whose_rounding_hides_the_symmetry():
    weights = np.random.default_rng(0).standard_normal((5, 20)).astype(np.float32)
    weights[:, 3:6] = weights[:, :3]  # two units that answer alike, and cancel
    weights[:, 12:] = [1e9, -1e9, 1, 1, 1e9, -1e9, 1, 1]
    inputs = np.random.default_rng(0).random((30, 3), dtype=np.float32)
    with pytest.raises(wsbench.FormatError, match=r"hidden-permutation changes the outputs"):
        distances_before_and_after("hidden-permutation", None, weights, LAYOUT, inputs)


def test_distances_before_and_after__refuses_sign_flips_of_what_is_pooled(measured):
    layout = wsbench.Layout.of(
        [
            ("conv.weight", (2, 1, 2, 2), ("hidden-1", "input", "row", "column")),
            ("fc.weight", (2, 2), ("output", "hidden-1")),
        ],
        "tanh",
        {"conv.weight": wsbench.Convolution(pool=2)},
    )
    with pytest.raises(wsbench.FormatError, match=r"^sign-flip: max-pooling after 'conv.weight'"):
        measured("sign-flip", lambda weights, _: weights, layout)
