"""Published zoos: in a folder, and on a server that speaks the Hub's API."""

import json
import os
import subprocess

import pytest

import wsbench
from support.command_line import COMMAND
from support.hub import TOKEN, hub

FILES = ["README.md", "croissant.json", "manifest.json", "probe.npz", "zoo.h5"]


def test_publish__to_a_folder_is_a_mirror_that_others_download_from(
    run, small_zoo_folder, tmp_path
):
    to = tmp_path / "mirror"
    result = run("publish", small_zoo_folder, "--to", to)
    assert result.status == 0
    lines = result.out.splitlines()
    assert lines[0] == f"small-mlp-v1: published at {to / 'small-mlp-v1'}"
    assert lines[-2:] == [
        "fetched again from there: the same",
        f"next: wsbench download small-mlp-v1 --mirror {to}",
    ]
    assert sorted(path.name for path in (to / "small-mlp-v1").iterdir()) == FILES
    assert run("download", "small-mlp-v1", "--mirror", to).status == 0
    expected = wsbench.load_zoo(small_zoo_folder).content_digest
    assert wsbench.load_zoo(wsbench.zoo_folder("small-mlp-v1")).content_digest == expected
    assert run("publish", small_zoo_folder, "--to", to).status == 0  # the same again


def test_publish__dry_run_shows_what_would_go_where_and_writes_nothing(
    run, small_zoo_folder, tmp_path
):
    result = run("publish", small_zoo_folder, "--to", tmp_path / "mirror", "--dry-run")
    assert result.out.startswith(f"small-mlp-v1: would go to {tmp_path / 'mirror'}")
    assert all(name in result.out for name in FILES)
    assert not (tmp_path / "mirror").exists()


def test_publish__refuses_a_zoo_that_does_not_hold_what_it_claims(run, make_zoo, tmp_path):
    folder = make_zoo()
    (folder / "README.md").write_text("changed")
    message = run("publish", folder, "--to", tmp_path / "mirror").complaint()
    assert "not published: " in message
    assert not (tmp_path / "mirror").exists()


def test_publish__never_changes_a_published_zoo(run, tmp_path, small_zoo_folder, small_recipe):
    to = tmp_path / "mirror"
    wsbench.publish_zoo(small_zoo_folder, str(to))
    zoo = wsbench.load_zoo(small_zoo_folder)
    (tmp_path / "other.toml").write_text(small_recipe.replace("seed = 7", "seed = 8"))
    other = wsbench.build_zoo(tmp_path / "other.toml", out=tmp_path / "other", workers=2)
    message = run("publish", other, "--to", to).complaint()
    assert "holds another zoo of this id" in message
    assert wsbench.load_zoo(to / "small-mlp-v1").content_digest == zoo.content_digest


@pytest.fixture
def server():
    with hub() as running:
        yield running


@pytest.fixture
def on_hub(server):
    """Run a command in a process whose Hub is the local server."""

    def call(*arguments, token=TOKEN):
        environment = os.environ | {
            "HF_ENDPOINT": server.url, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        }  # fmt: skip
        return subprocess.run(
            [*COMMAND, *map(str, arguments)], env=environment, capture_output=True, text=True
        )

    return call


def test_publish__to_the_hub_uploads_tags_fetches_again_and_says_done(
    on_hub, server, small_zoo_folder, tmp_path
):
    target = "hf://datasets/someone/small"
    done = on_hub("publish", small_zoo_folder, "--to", target, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["is_done"] is True
    uploaded = server.files["someone/small"]
    assert sorted(uploaded) == FILES
    assert all(uploaded[name] == (small_zoo_folder / name).read_bytes() for name in FILES)
    assert server.tags == {"someone/small": ["small-mlp-v1"]}
    fetched = on_hub("download", "small-mlp-v1", "--mirror", target, "--out", tmp_path / "zoo")
    assert fetched.returncode == 0, fetched.stderr
    expected = wsbench.load_zoo(small_zoo_folder).content_digest
    assert wsbench.load_zoo(tmp_path / "zoo").content_digest == expected


def test_publish__without_a_right_token_is_one_line(on_hub, small_zoo_folder):
    done = on_hub("publish", small_zoo_folder, "--to", "hf://datasets/someone/small", token="bad")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "the Hub refuses: " in done.stderr
    assert "is HF_TOKEN set, and may it write?" in done.stderr


def test_publish__to_no_repository_is_one_line(on_hub, small_zoo_folder):
    done = on_hub("publish", small_zoo_folder, "--to", "hf://datasets/a b/c")
    assert done.returncode == 2
    assert "give hf://datasets/OWNER/NAME" in done.stderr
