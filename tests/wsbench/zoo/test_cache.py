import os
import subprocess
import sys
from pathlib import Path

import pytest

import wsbench


def identity(folder: Path) -> int:
    """Changes when the file is written again."""
    return (folder / "zoo.h5").stat().st_ino


def test_home__is_the_variable_or_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WSBENCH_HOME", str(tmp_path / "x"))
    assert wsbench.home() == tmp_path / "x"
    assert wsbench.zoo_folder("a-v1") == tmp_path / "x" / "zoos" / "a-v1"
    monkeypatch.setenv("WSBENCH_HOME", "~/x")
    assert wsbench.home() == Path.home() / "x"
    monkeypatch.delenv("WSBENCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert wsbench.home().name == "wsbench"


def test_load_zoo__builds_on_first_use_only(publisher):
    first, second = wsbench.load_zoo("made-up-v1"), wsbench.load_zoo("made-up-v1")
    assert publisher.n_builds == 1
    assert first.content_digest == second.content_digest


def test_build_zoo__builds_once_and_again_only_if_told(publisher):
    folder = wsbench.build_zoo("made-up-v1")
    assert folder == wsbench.zoo_folder("made-up-v1")
    written = identity(folder)
    assert wsbench.build_zoo("made-up-v1") == folder
    assert (publisher.n_builds, identity(folder)) == (1, written)
    wsbench.build_zoo("made-up-v1", rebuild=True)
    assert publisher.n_builds == 2


def test_build_zoo__takes_a_recipe_file(publisher, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(publisher.recipe)
    for recipe in (path, str(path)):
        assert wsbench.build_zoo(recipe, out=tmp_path / "out") == tmp_path / "out"
    assert publisher.n_builds == 1


def test_build_zoo__refuses_a_published_id_with_another_recipe(publisher, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(publisher.recipe + "# changed\n")
    with pytest.raises(wsbench.RecipeError, match="'made-up-v1' is published with another recipe"):
        wsbench.build_zoo(path)
    assert publisher.n_builds == 0


def test_build_zoo__refuses_a_folder_of_another_recipe(publisher, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(publisher.recipe.replace("made-up", "other"))
    folder = wsbench.build_zoo("made-up-v1", out=tmp_path / "zoo")
    written = identity(folder)
    with pytest.raises(wsbench.RecipeError, match=r"holds a zoo of another recipe.*--rebuild"):
        wsbench.build_zoo(path, out=folder)
    assert identity(folder) == written


def test_build_zoo__refuses_a_damaged_zoo_and_says_what_to_do(publisher):
    folder = wsbench.build_zoo("made-up-v1")
    (folder / "zoo.h5").write_bytes(b"")
    for use in (wsbench.build_zoo, wsbench.load_zoo):
        with pytest.raises(wsbench.IntegrityError, match="--rebuild"):
            use("made-up-v1")
    wsbench.build_zoo("made-up-v1", rebuild=True)
    assert wsbench.load_zoo("made-up-v1").n_models == 10


def test_build_zoo__deletes_nothing_that_is_not_of_a_zoo(publisher, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.tex").touch()
    for rebuild in (False, True):
        with pytest.raises(wsbench.StorageError, match=r"other things than a zoo \(thesis.tex\)"):
            wsbench.build_zoo("made-up-v1", out=mine, rebuild=rebuild)
    assert publisher.n_builds == 0  # nothing was trained for nothing
    folder = wsbench.build_zoo("made-up-v1", out=tmp_path / "zoo")
    (folder / "notes.txt").touch()
    with pytest.raises(wsbench.StorageError, match="notes"):
        wsbench.build_zoo("made-up-v1", out=folder, rebuild=True)
    (tmp_path / "file").touch()
    with pytest.raises(wsbench.StorageError, match="is a file"):
        wsbench.build_zoo("made-up-v1", out=tmp_path / "file")
    (tmp_path / "readme").mkdir()
    (tmp_path / "readme" / "README.md").touch()
    with pytest.raises(wsbench.StorageError, match=r"README.md"):
        wsbench.build_zoo("made-up-v1", out=tmp_path / "readme")
    assert (mine / "thesis.tex").exists()
    assert (folder / "notes.txt").exists()
    assert (tmp_path / "file").exists()


def test_build_zoo__takes_an_empty_folder_even_the_one_it_runs_in(publisher, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert wsbench.build_zoo("made-up-v1", out=Path()) == tmp_path / "here"
    assert (tmp_path / "here" / "zoo.h5").exists()


def test_build_zoo__explains_a_place_that_cannot_be_written(publisher, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WSBENCH_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(wsbench.StorageError, match="cannot write: Not a directory; free"):
        wsbench.build_zoo("made-up-v1")


def test_build_zoo__explains_the_root_of_the_file_system(publisher):
    with pytest.raises(wsbench.StorageError, match="/: has no folder above it; choose another"):
        wsbench.build_zoo("made-up-v1", out=Path("/"))
    assert publisher.n_builds == 0


def test_home__explains_a_user_that_does_not_exist(publisher, monkeypatch):
    monkeypatch.setenv("WSBENCH_HOME", "~nosuchuser/x")
    for use in (wsbench.home, wsbench.load_zoo, lambda: wsbench.build_zoo("made-up-v1")):
        with pytest.raises(wsbench.StorageError, match="WSBENCH_HOME: got '~nosuchuser/x'"):
            use()


@pytest.mark.parametrize("use", [wsbench.load_zoo, wsbench.build_zoo])
def test_home__that_cannot_be_read_is_explained(use, tmp_path, monkeypatch, without_privileges):
    (tmp_path / "closed").mkdir(mode=0o700)
    monkeypatch.setenv("WSBENCH_HOME", str(tmp_path / "closed"))
    with without_privileges(), pytest.raises(wsbench.StorageError, match="cannot read: Permission"):
        use("digits-mlp-v1")


@pytest.mark.parametrize("use", [wsbench.load_zoo, wsbench.build_zoo])
def test_home__that_cannot_be_written_is_explained(use, publisher, monkeypatch):
    monkeypatch.setenv("WSBENCH_HOME", "/proc/wsbench")  # where not even root makes a folder
    with pytest.raises(wsbench.StorageError, match=r"/proc/wsbench.*: cannot write: "):
        use("made-up-v1")
    assert publisher.n_builds == 0


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir])
def test_build_zoo__refuses_a_recipe_that_is_not_a_file(publisher, tmp_path, make):
    make(tmp_path / "recipe.toml")
    with pytest.raises(wsbench.RecipeError, match=r"recipe\.toml: is a .*regular file"):
        wsbench.build_zoo(tmp_path / "recipe.toml")


def test_build_zoo__refuses_a_long_id_before_it_trains(publisher, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(publisher.recipe.replace("made-up", 300 * "a"))
    with pytest.raises(wsbench.RecipeError, match="id: got 303 characters, at most 100"):
        wsbench.build_zoo(path)
    assert publisher.n_builds == 0
    assert not wsbench.home().exists()


def test_build_zoo__raises_if_the_digest_is_not_the_published_one(publisher):
    publisher.publish("sha256:" + 64 * "0")
    for _ in range(2):  # the wrong zoo is there the second time, and still refused
        with pytest.raises(wsbench.IntegrityError, match=r"published is sha256:000000000000…"):
            wsbench.build_zoo("made-up-v1")
    with pytest.raises(wsbench.IntegrityError, match="published is"):
        wsbench.load_zoo("made-up-v1")
    wsbench.load_zoo(wsbench.zoo_folder("made-up-v1"))  # by its path it is any zoo


def test_build_zoo__raises_if_the_kernels_give_other_bits(tmp_path, monkeypatch, small_recipe):
    """The real publisher, whose registry says otherwise."""
    from wsbench_zoos import provider

    text = small_recipe.replace("models = 5", "models = 1").replace("epochs = 3", "epochs = 1")
    entry = wsbench.PublishedZoo("small-mlp-v1", "", 1, 2, 2160, 0, "sha256:" + 64 * "0", True)
    monkeypatch.setattr(provider, "_published", lambda: {"small-mlp-v1": entry})
    monkeypatch.setattr(provider.Provider, "recipe_text", lambda self, zoo_id: text)
    with pytest.raises(wsbench.IntegrityError, match="the kernels gave other bits"):
        wsbench.build_zoo("small-mlp-v1", out=tmp_path / "zoo")


@pytest.mark.parametrize("use", [wsbench.load_zoo, wsbench.build_zoo, wsbench.verify_zoo])
@pytest.mark.parametrize(
    ("name", "guess"), [("digits-mlp-v11", "digits-mlp-v1"), ("digits_cnn_v1", "digits-cnn-v1")]
)
def test_unknown_id__names_the_nearest(use, name, guess):
    with pytest.raises(wsbench.UnknownIdError, match=rf"unknown zoo '{name}'; .* '{guess}'\?"):
        use(name)


def test_unknown_id__without_a_near_one_lists_all(publisher):
    with pytest.raises(wsbench.UnknownIdError, match=r"unknown zoo 'qq'\. Known: .*made-up-v1"):
        wsbench.load_zoo("qq")


def test_load_zoo__names_the_command_for_a_zoo_that_is_not_embedded(publisher):
    publisher.publish("sha256:" + 64 * "0", embedded=False)
    with pytest.raises(wsbench.FormatError, match="wsbench build made-up-v1"):
        wsbench.load_zoo("made-up-v1")
    assert publisher.n_builds == 0


def test_load_zoo__takes_a_zoo_that_nobody_publishes_from_its_place(
    make_zoo, monkeypatch, tmp_path
):
    monkeypatch.setenv("WSBENCH_HOME", str(tmp_path))
    make_zoo("zoos/made-up-v1")
    assert wsbench.load_zoo("made-up-v1").n_models == 10


_BUILD = (
    "import sys, wsbench; print(wsbench.load_zoo(wsbench.build_zoo(sys.argv[1])).content_digest)"
)


@pytest.mark.slow
def test_build_zoo__two_processes_at_once_end_with_the_same_digest(tmp_path, small_recipe):
    recipe = tmp_path / "small.toml"
    recipe.write_text(small_recipe)
    processes = [
        subprocess.Popen([sys.executable, "-c", _BUILD, recipe], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    digests = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert digests[0] == digests[1]
    assert len(digests[0]) == len("sha256:\n") + 64
    left = sorted(path.name for path in wsbench.zoo_folder("small-mlp-v1").parent.iterdir())
    assert left == [".small-mlp-v1.lock", "small-mlp-v1"]
