"""Layout and probe inputs, which the content digest leaves out, are compared on load."""

import json
import subprocess
import sys

import h5py
import numpy as np
import pytest

import wsbench
from wsbench.storage.npz import pack
from wsbench.zoo.digest import layout_sha256, probe_sha256


def rename_axes(folder) -> None:
    """Turn hidden units into outputs: `permute` then leaves these weights as they are."""
    with h5py.File(folder / "zoo.h5", "r+") as file:
        text = file.attrs["layout"]
        text = text.decode() if isinstance(text, bytes) else str(text)
        changed = text.replace("hidden-1", "row")
        assert changed != text
        file.attrs["layout"] = changed


def make_probe_constant(folder) -> None:
    shape = wsbench.load_zoo(folder).probe_inputs.shape
    (folder / "probe.npz").write_bytes(pack({"inputs": np.zeros(shape, np.float32)}))


def publish(publisher, zoo, **digests: str) -> None:
    publisher.published["made-up-v1"] = wsbench.PublishedZoo(
        "made-up-v1", "random walks", 10, 50, 12, 20_000, zoo.content_digest, True, **digests
    )


def digests(zoo) -> dict[str, str]:
    return {
        "layout_sha256": layout_sha256(zoo.layout),
        "probe_sha256": probe_sha256(zoo.probe_inputs),
    }


@pytest.mark.parametrize("change", [rename_axes, make_probe_constant])
def test_load_zoo__of_an_unknown_recipe_has_nothing_to_compare_with(make_zoo, change):
    folder = make_zoo()
    change(folder)
    wsbench.load_zoo(folder)


def test_load_zoo__refuses_a_layout_that_is_not_the_recipes(make_zoo, publisher):
    publisher.published.clear()  # known, not published
    folder = make_zoo()
    wsbench.load_zoo(folder)
    rename_axes(folder)
    with pytest.raises(wsbench.IntegrityError, match="differs from the one that the recipe"):
        wsbench.load_zoo(folder)
    (check,) = (c for c in wsbench.verify_zoo(folder).checks if c.name == "network")
    assert (check.outcome, check.about) == ("failed", "claims")
    assert "the layout differs" in check.findings[0]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (rename_axes, "the layout differs from the one published with made-up-v1"),
        (make_probe_constant, "the probe inputs differ from those published with made-up-v1"),
    ],
)
def test_load_zoo__refuses_what_was_not_published(make_zoo, publisher, made_up_zoo, change, fault):
    publish(publisher, made_up_zoo, **digests(made_up_zoo))
    folder = make_zoo("home/zoos/made-up-v1")
    wsbench.load_zoo("made-up-v1")
    change(folder)
    for zoo in ("made-up-v1", folder, folder / "zoo.h5"):
        with pytest.raises(wsbench.IntegrityError, match=fault) as error:
            wsbench.load_zoo(zoo)
        assert "\n" not in str(error.value)
    (check,) = (c for c in wsbench.verify_zoo(folder).failed if c.name == "network")
    assert check.findings == (fault,)


def test_load_zoo__without_published_digests_compares_the_layout(make_zoo, publisher, made_up_zoo):
    folder = make_zoo("home/zoos/made-up-v1")
    rename_axes(folder)
    with pytest.raises(wsbench.IntegrityError, match="differs from the one that the recipe"):
        wsbench.load_zoo("made-up-v1")


def test_evaluate__scores_no_renamed_axes_under_the_published_digest(digits_zoo_folder, tmp_path):
    """With them, `permute` would change nothing, and `euclidean` score 1."""
    for name in ("zoo.h5", "probe.npz"):
        (tmp_path / name).write_bytes((digits_zoo_folder / name).read_bytes())
    with h5py.File(tmp_path / "zoo.h5", "r+") as file:
        content = json.loads(np.bytes_(file.attrs["layout"]).decode())
        for tensor in content["tensors"]:
            tensor["axes"] = [axis.replace("hidden-", "row-") for axis in tensor["axes"]]
        file.attrs["layout"] = json.dumps(content)
    with pytest.raises(wsbench.WsbenchError, match="layout") as error:
        wsbench.load_zoo(tmp_path)
    assert isinstance(error.value, wsbench.IntegrityError | wsbench.FormatError)


def test_verify_zoo__skips_the_network_if_the_probe_inputs_cannot_be_read(make_zoo, publisher):
    folder = make_zoo()
    (folder / "probe.npz").write_bytes(b"PK")
    (check,) = (c for c in wsbench.verify_zoo(folder).checks if c.name == "network")
    assert check.outcome == "skipped"
    assert "probe.npz: damaged" in check.findings[0]


_LOAD = """
import sys, wsbench
wsbench.load_zoo(sys.argv[1])
print(sorted({"numba", "torch", "scipy", "sklearn", "jinja2", "dask"} & set(sys.modules)))
"""


def test_load_zoo__of_a_known_recipe_imports_nothing_slow(small_zoo_folder):
    command = [sys.executable, "-c", _LOAD, str(small_zoo_folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("[]\n", "")
