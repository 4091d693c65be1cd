"""Loading by id: the cache, then a mirror, then what can be built in seconds."""

import pytest

import wsbench
from support.server import serving

ID = "made-up-v1"


@pytest.fixture
def mirror(publisher, made_up_zoo, make_zoo, tmp_path, monkeypatch):
    """A server with the published zoo, which $WSBENCH_MIRROR names."""
    publisher.publish(made_up_zoo.content_digest, embedded=False)
    make_zoo(f"mirror/{ID}")
    with serving(tmp_path / "mirror") as server:
        monkeypatch.setenv("WSBENCH_MIRROR", server.url)
        yield server


def test_load_zoo__fetches_from_the_mirror_once(mirror, made_up_zoo):
    for _ in range(2):
        assert wsbench.load_zoo(ID).content_digest == made_up_zoo.content_digest
    assert sum(path.endswith("zoo.h5") for path, _ in mirror.requests) == 1


def test_load_zoo__builds_where_the_mirror_has_nothing(mirror, publisher, made_up_zoo, caplog):
    publisher.publish(made_up_zoo.content_digest, embedded=True)
    mirror.folder = mirror.folder / "gone"
    assert wsbench.load_zoo(ID).content_digest == made_up_zoo.content_digest
    assert publisher.n_builds == 1
    assert "made-up-v1 is not fetched" in caplog.text


def test_load_zoo__without_mirror_says_the_two_commands(publisher, made_up_zoo):
    publisher.publish(made_up_zoo.content_digest, embedded=False)
    with pytest.raises(wsbench.FormatError) as caught:
        wsbench.load_zoo(ID)
    assert "wsbench build made-up-v1 trains it" in str(caught.value)
    assert "wsbench download made-up-v1 --mirror URL fetches 0 MB" in str(caught.value)


def test_load_zoo__offline_asks_no_mirror(mirror, monkeypatch):
    monkeypatch.setenv("WSBENCH_OFFLINE", "1")
    with pytest.raises(wsbench.FormatError, match="is not on this machine"):
        wsbench.load_zoo(ID)
    assert mirror.requests == []
