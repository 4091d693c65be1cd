"""``wsbench download`` from a local server."""

import json

import pytest

import wsbench
from support.server import serving


@pytest.fixture
def mirror(publisher, made_up_zoo, make_zoo, tmp_path):
    publisher.publish(made_up_zoo.content_digest, embedded=False)
    make_zoo("mirror/made-up-v1")
    with serving(tmp_path / "mirror") as server:
        yield server.url


def test_download__says_where_the_zoo_is_and_what_is_next(run, mirror, made_up_zoo):
    result = run("download", "made-up-v1", "--mirror", mirror)
    assert result.status == 0
    first, digest, following = result.out.splitlines()
    assert first.startswith(f"made-up-v1: {wsbench.home() / 'zoos' / 'made-up-v1'}, ")
    assert digest.strip() == made_up_zoo.content_digest
    assert following == "next: wsbench evaluate --zoo made-up-v1"
    assert "downloading made-up-v1" in result.err
    assert run("evaluate", "random", "--zoo", "made-up-v1").status == 0


def test_download__json_names_the_folder(run, mirror, made_up_zoo, tmp_path):
    out = tmp_path / "here"
    found = json.loads(
        run("download", "made-up-v1", "--mirror", mirror, "--out", out, "--json").out
    )
    assert found["path"] == str(out)
    assert found["content_digest"] == made_up_zoo.content_digest
    assert wsbench.load_zoo(out).content_digest == made_up_zoo.content_digest


def test_download__takes_the_mirror_of_the_environment(run, mirror, monkeypatch):
    monkeypatch.setenv("WSBENCH_MIRROR", mirror)
    assert run("download", "made-up-v1").status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["made-up-v1"], "no mirror is known; name one with --mirror or WSBENCH_MIRROR"),
        (["made-up-v1", "--mirror", "{mirror}/gone"], "the server answers 404"),
        (["other-v1", "--mirror", "{mirror}"], "the server answers 404"),
        (["no id", "--mirror", "{mirror}"], "zoo id: "),
    ],
)
def test_download__of_what_is_not_there_is_one_line(run, mirror, arguments, message):
    filled = [argument.format(mirror=mirror) for argument in arguments]
    assert message in run("download", *filled).complaint()
