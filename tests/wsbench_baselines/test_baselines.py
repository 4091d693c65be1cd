"""What holds for every baseline, now and later."""

import shutil
from importlib.metadata import entry_points
from importlib.util import find_spec

import numpy as np
import pytest

import wsbench

POINTS = [
    point
    for point in entry_points(group="wsbench.methods")
    if point.module.startswith("wsbench_baselines.")
]


@pytest.fixture
def zoo(make_zoo) -> wsbench.Zoo:
    """30 models of 12 weights, epochs 0 to 6."""
    return wsbench.load_zoo(make_zoo(models=30, epochs=6))


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
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
def test_baseline__answers_for_each_checkpoint_alone(point, zoo):
    """A row of the answer does not depend on the others, but for last digits of BLAS."""
    loaded = wsbench.load_method(point.name)
    if not hasattr(loaded.method, "transform"):
        pytest.skip("a distance method")
    if hasattr(loaded.method, "fit"):
        loaded.method.fit(zoo.checkpoints("train"), rng=np.random.default_rng(0))
    whole = loaded.method.transform(zoo.checkpoints())
    order = np.random.default_rng(0).permutation(len(whole))[:7]
    some = loaded.method.transform(wsbench.Checkpoints(zoo.weights[order], zoo.layout))
    scale = np.abs(whole).max()
    np.testing.assert_allclose(some, whole[order], rtol=1e-5, atol=1e-5 * scale)
