"""Properties of every baseline."""

import inspect
import json
import shutil
import types
import typing
from collections.abc import Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec

import numpy as np
import pytest

import wsbench
from wsbench.networks.checkpoints import Labels
from wsbench_zoos.architectures import CNN, MLP

POINTS = [
    point
    for point in entry_points(group="wsbench.methods")
    if point.module.startswith("wsbench_baselines.")
]

COMPILED = {"matching", "subspace-match"}  # each copy is compiled anew


@pytest.fixture
def zoo(make_zoo) -> wsbench.Zoo:
    """30 models of 12 weights, epochs 0 to 6."""
    return wsbench.load_zoo(make_zoo(models=30, epochs=6))


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_baseline__copied_out_of_the_tree_loads_as_the_same_code(point, tmp_path):
    copy = shutil.copy(find_spec(point.module).origin, tmp_path / "copied.py")
    copied = wsbench.load_method(f"{copy}:{point.attr}")
    installed = wsbench.load_method(point.name)
    assert (copied.info, copied.parameters) == (installed.info, installed.parameters)
    assert copied.code_sha256 == installed.code_sha256


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, id=point.name, marks=[pytest.mark.slow] * (point.name in COMPILED))
        for point in POINTS
    ],
)
def test_baseline__copied_out_of_the_tree_gets_the_same_scores(point, zoo, tmp_path):
    copy = shutil.copy(find_spec(point.module).origin, tmp_path / "copied.py")
    expected = wsbench.evaluate(point.name, zoo)
    found = wsbench.evaluate(f"{copy}:{point.attr}", zoo)
    assert (found.error, expected.error) == (None, None)
    assert found.scores == expected.scores
    assert found.method.code_sha256 == expected.method.code_sha256


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_baseline__is_named_as_it_is_installed_and_says_what_it_is(point):
    info = wsbench.load_method(point.name).info
    assert info.name == point.name
    assert info.description
    assert "\n" not in info.description


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_baseline__conforms_with_what_it_declares(point):
    findings = wsbench.check_method(point.name)
    others = [finding for finding in findings if finding.status in ("failed", "hint")]
    expected = ["a subset gives the rows of the whole"] if point.name == "matching-path" else []
    assert [finding.check for finding in others if finding.status == "hint"] == expected
    assert len(others) == len(expected)
    passed = {finding.check for finding in findings if finding.status == "passed"}
    invariances = wsbench.load_method(point.name).info.invariances
    assert {f"invariant under {name}" for name in invariances} <= passed


@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_baseline__answers_about_wider_networks(point, architecture, made_up_zoo):
    """Wider in every hidden layer, each checkpoint in its own way."""
    rng = np.random.default_rng(0)
    layout = {"mlp": MLP((196, 3, 2, 10)), "cnn": CNN((3, 2))}[architecture].layout()
    changed = {
        "layout": layout,
        "weights": rng.normal(size=(len(made_up_zoo.model), layout.n_parameters)).astype(
            np.float32
        ),
        "probe_inputs": rng.random((4, 14, 14), np.float32),
    }
    suite = wsbench.find_suite(None, ["identification", "ordering"], ["none", "widen"])
    method = wsbench.load_method(point.name)
    found = wsbench.evaluate(method, wsbench.Zoo(**vars(made_up_zoo) | changed), suite=suite)
    assert found.error is None
    assert set(found.scores) == {*suite.entries(layout)}


def is_plain(annotation):
    """Whether an annotation consists of int, float, str, bool, None, lists, tuples and unions."""
    if typing.get_origin(annotation) in (list, tuple, types.UnionType):
        return all(is_plain(part) for part in typing.get_args(annotation) if part is not ...)
    return annotation in (int, float, str, bool, types.NoneType)


def test_is_plain__tells_apart_what_text_can_be_checked_against():
    for annotation in (int, str | None, float | tuple[float, ...] | list[float]):
        assert is_plain(annotation)
    for annotation in (Sequence[float], typing.Literal["a"], float | np.ndarray, dict, list):
        assert not is_plain(annotation)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_baseline__takes_plain_parameters_and_stores_each_under_its_name(point):
    """`--set name=value` can be checked against the annotations."""
    method_class = point.load()
    method, annotations = method_class(), typing.get_type_hints(method_class.__init__)
    for name, parameter in inspect.signature(method_class).parameters.items():
        assert is_plain(annotations[name]), name
        default = parameter.default
        assert getattr(method, name) is default
        plain = list(default) if isinstance(default, tuple) else default
        assert json.loads(json.dumps(default)) == plain


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_baseline__answers_for_each_checkpoint_alone(point, zoo):
    """A row of the answer does not depend on the others, except for last digits of BLAS."""
    loaded = wsbench.load_method(point.name)
    if not hasattr(loaded.method, "transform"):
        pytest.skip("a distance method")
    if hasattr(loaded.method, "fit"):
        rows = zoo.rows("train")
        labels = Labels(zoo.model[rows], zoo.epoch[rows])
        train = wsbench.Checkpoints(zoo.weights[rows], zoo.layout, labels=labels)
        loaded.method.fit(train, rng=np.random.default_rng(0))
    whole = loaded.method.transform(zoo.checkpoints())
    order = np.random.default_rng(0).permutation(len(whole))[:7]
    some = loaded.method.transform(wsbench.Checkpoints(zoo.weights[order], zoo.layout))
    scale = np.abs(whole).max()
    np.testing.assert_allclose(some, whole[order], rtol=1e-5, atol=1e-5 * scale)
