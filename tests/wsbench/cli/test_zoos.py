import json
import shutil

import h5py
import numpy as np
import pytest

import wsbench
from wsbench.zoo.digest import layout_sha256, probe_sha256


@pytest.fixture
def small(tmp_path, small_zoo_folder):
    """A copy of the small zoo, to be damaged."""
    return shutil.copytree(small_zoo_folder, tmp_path / "small-mlp-v1")


# --- list, info, env -----------------------------------------------------------------------------


def test_list__names_zoos_and_methods(run, publisher):
    result = run("list")
    assert (result.status, result.err) == (0, "")
    for name in (*wsbench.published_zoos(), *wsbench.list_methods(), "random walks"):
        assert name in result.out
    assert "not built yet" in result.out


def test_list__json_says_what_is_built(run, publisher):
    run("build", "made-up-v1")
    content = json.loads(run("list", "--json").out)
    assert content["methods"] == wsbench.list_methods()
    built = {zoo["id"]: zoo["built"] for zoo in content["zoos"]}
    assert built.pop("made-up-v1") is True
    assert not any(built.values())
    assert content["zoos"][0].keys() >= {"id", "title", "models", "bytes", "content_digest"}


def test_info__describes_a_zoo(run, small, small_zoo):
    result = run("info", small)
    assert (result.status, result.err) == (0, "")
    for text in ("small-mlp-v1: five MLPs", "5 models (3 train, 1 val, 1 test)", "epochs 0 to 3",
                 "20 checkpoints of 2,160 parameters", small_zoo.content_digest, "fc1.weight",
                 "10 x 196", "test_accuracy", 'source = "digits"'):  # fmt: skip
        assert text in result.out


def test_info__json_holds_the_recipe_and_the_columns(run, small, small_zoo):
    content = json.loads(run("info", small, "--json").out)
    assert content["recipe"] == small_zoo.recipe_text
    assert content["content_digest"] == small_zoo.content_digest
    assert content["layout_sha256"] == layout_sha256(small_zoo.layout)
    assert content["probe_sha256"] == probe_sha256(small_zoo.probe_inputs)
    assert content["splits"] == {"train": 3, "val": 1, "test": 1}
    assert set(content["columns"]) == set(small_zoo.columns)
    last = small_zoo.test_accuracy[small_zoo.epoch == 3]
    assert content["final_test_accuracy"]["mean"] == pytest.approx(float(last.mean()))


def test_info__builds_an_embedded_zoo_on_first_use(run, publisher):
    assert run("info", "made-up-v1").status == 0
    assert run("info", "made-up-v1").status == 0
    assert publisher.n_builds == 1


def test_env__names_versions_and_the_cache(run):
    result = run("env")
    assert (result.status, result.err) == (0, "")
    assert f"wsbench {wsbench.__version__}" in result.out
    assert str(wsbench.home()) in result.out
    content = json.loads(run("env", "--json").out)
    assert content["home"] == str(wsbench.home())
    assert content["packages"]["wsbench"] == wsbench.__version__


# --- build ---------------------------------------------------------------------------------------


def test_build__prints_results_on_stdout_and_progress_on_stderr(run, tmp_path, small_recipe):
    recipe = tmp_path / "small.toml"
    recipe.write_text(small_recipe)
    result = run("build", recipe, "--workers", "2")
    assert result.status == 0
    folder = wsbench.zoo_folder("small-mlp-v1")
    lines = result.out.splitlines()
    assert lines[0].startswith("small-mlp-v1: 5 models, ")
    assert lines[1].strip() == str(folder / "zoo.h5")
    assert lines[2].strip() == wsbench.load_zoo(folder).content_digest
    assert lines[3] == "next: wsbench evaluate --zoo small-mlp-v1"
    assert "building small" in result.err
    assert "5/5 models" in result.err
    assert "building" not in result.out


def test_build__json_is_all_there_is_on_stdout(run, publisher, tmp_path):
    content = json.loads(run("build", "made-up-v1", "--out", tmp_path / "x", "--json").out)
    assert content == {
        "id": "made-up-v1",
        "folder": str(tmp_path / "x"),
        "content_digest": wsbench.published_zoos()["made-up-v1"].content_digest,
        "bytes": (tmp_path / "x" / "zoo.h5").stat().st_size,
    }


def test_build__builds_once_unless_told(run, publisher, tmp_path):
    for arguments, n_builds in (([], 1), ([], 1), (["--rebuild"], 2)):
        assert run("build", "made-up-v1", *arguments).status == 0
        assert publisher.n_builds == n_builds


def test_build__tells_a_command_that_works(run, publisher, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("build", "made-up-v1", "--out", "here")
    command = result.out.splitlines()[-1].removeprefix("next: wsbench ").split()
    assert run(*command, "euclidean").status == 0


# --- wrong input ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["info", "build", "verify"])
def test_unknown_id__is_one_line_with_the_nearest(run, command):
    message = run(command, "digit-mlp-v1").complaint()
    assert "unknown zoo 'digit-mlp-v1'; did you mean 'digits-mlp-v1'? Known: digits-" in message


def test_unknown_id_or_path__of_two_lines_is_one_line(run):
    assert "unknown zoo 'a\\nb'" in run("info", "a\nb").complaint()
    assert run("info", "./a\nb").complaint().startswith("a b/zoo.h5: no such file")


@pytest.mark.parametrize("command", ["info", "build", "verify"])
def test_missing_path__is_one_line(run, command, tmp_path):
    assert str(tmp_path / "gone") in run(command, tmp_path / "gone").complaint()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 7\n", "", "seed: missing; it must be an integer"),
        ("seed = 7\n", "seed = 7\nsed = 7\n", "line 8: sed: unknown key; allowed are format, id"),
        ("models = 5", 'models = "five"', "line 5: models: got 'five', allowed is an integer"),
        ("models = 5", "models = 0", "line 5: models: got 0, allowed is an integer from 1"),
        (
            "momentum = 0.9",
            "momentum = 1.5",
            "[training] momentum: got 1.5, allowed is a number in",
        ),
        ("models = 5", "models = 5 5", "not TOML"),
        ('"digits"', '"digit"', "[data] source: got 'digit', allowed is"),
        ("[data]\n", "[date]\n", "date: unknown key"),
    ],
)
def test_wrong_recipe__is_one_line_with_file_key_value_and_what_is_allowed(
    run, tmp_path, small_recipe, old, new, message
):
    recipe = tmp_path / "small.toml"
    assert small_recipe.count(old) == 1
    recipe.write_text(small_recipe.replace(old, new))
    complaint = run("build", recipe).complaint()
    assert str(recipe) in complaint
    assert message in complaint


def test_recipe_that_is_no_text__is_one_line(run, tmp_path):
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    assert (
        "byte 1 is not UTF-8; save the recipe as UTF-8"
        in run("build", tmp_path / "x.toml").complaint()
    )
    assert "is a folder, expected a regular file" in run("build", tmp_path).complaint()


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def of_wrong_dtype(path):
    with h5py.File(path, "r+") as file:
        epoch = file["epoch"][:]
        del file["epoch"]
        file["epoch"] = epoch.astype(np.int64)


def of_newer_format(path):
    with h5py.File(path, "r+") as file:
        file.attrs["format"] = 2


def without_a_dataset(path):
    with h5py.File(path, "r+") as file:
        del file["split"]


DAMAGE = [
    (truncated, "truncated, damaged or not HDF5"),
    (flipped, "damaged"),
    (of_wrong_dtype, "epoch: dtype <i8, expected <i2"),
    (of_newer_format, "format 2, and this version of wsbench reads format 1; upgrade wsbench"),
    (
        without_a_dataset,
        "dataset 'split' (0 train, 1 val, 2 test; constant within a model) is miss",
    ),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damaged_zoo__is_one_line_for_info_and_evaluate(run, small, damage, message):
    damage(small / "zoo.h5")
    for arguments in (["info", small], ["evaluate", "euclidean", "--zoo", small]):
        complaint = run(*arguments).complaint()
        assert str(small / "zoo.h5") in complaint
        assert message in complaint


@pytest.mark.parametrize(("damage", "message"), DAMAGE)
def test_damaged_zoo__is_found_by_verify(run, small, damage, message):
    damage(small / "zoo.h5")
    result = run("verify", small)
    assert (result.status, result.err) == (2, "")
    assert message in result.out
    assert "sha256" in result.out
    content = json.loads(run("verify", small, "--json").out)
    assert message in json.dumps(content, ensure_ascii=False)


def test_verify__finds_nothing_wrong_with_a_whole_zoo(run, small):
    result = run("verify", small)
    assert result.status == 0
    assert "failed" not in result.out
    assert json.loads(run("verify", small, "--json").out)["checks"]
    assert run("verify", small / "zoo.h5").status == 0


def test_full_or_forbidden_home__is_one_line(run, publisher, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WSBENCH_HOME", str(tmp_path / "file"))
    for command in ("info", "build", "verify"):
        assert "cannot write: Not a directory" in run(command, "made-up-v1").complaint()


def test_wrong_digest__is_one_line_and_exit_2(run, publisher):
    publisher.publish("sha256:" + 64 * "0")
    assert "published is sha256:000000000000" in run("build", "made-up-v1").complaint()
